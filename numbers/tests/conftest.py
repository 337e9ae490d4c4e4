"""What the tests of buying share."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.utils import timezone

from numbers import quote as quotes
from numbers.models import Number
from numbers.pricing import price_of
from numbers.quote import Quote, QuotedNumber
from telephony import provider
from telephony.values import AvailableNumber, NumberQuery, NumberType
from wallet.models import Wallet
from workspaces.models import User, Workspace


@pytest.fixture
def available(simulator) -> AvailableNumber:
    """A number in New York that can be bought."""
    return provider.search(
        NumberQuery(country="US", number_type=NumberType.LOCAL, area_code="212", limit=1)
    )[0]


@pytest.fixture
def quote(available: AvailableNumber, db) -> Quote:
    return quotes.new_quote(available, price_of("US", NumberType.LOCAL), "country=US&area_code=212")


@pytest.fixture
def offers(simulator, db) -> list[QuotedNumber]:
    """Ten numbers in New York at 1.38 each."""
    price = price_of("US", NumberType.LOCAL)
    query = NumberQuery(country="US", number_type=NumberType.LOCAL, area_code="212", limit=10)
    return [QuotedNumber(number, price) for number in provider.search(query)]


@pytest.fixture
def quoted(offers: list[QuotedNumber]) -> Callable[..., Quote]:
    """A quote of so many numbers, each call with the next ones."""
    left = iter(offers)
    return lambda count=1: quotes.quote_of([next(left) for _ in range(count)], "country=US")


@pytest.fixture
def signed(quote: Quote, acme: Workspace, owner: User) -> dict[str, str]:
    """The form of the review page, as the owner of acme would send it."""
    return {"quote": quotes.sign(quote, workspace=acme, by=owner)}


@pytest.fixture
def money() -> Callable[[Workspace], tuple[Decimal, Decimal]]:
    """(balance, held) of a workspace's wallet."""

    def look(workspace: Workspace) -> tuple[Decimal, Decimal]:
        wallet = Wallet.objects.get(workspace=workspace)
        return wallet.balance, wallet.held

    return look


@pytest.fixture
def make_number() -> Callable[..., Number]:
    """A number of a workspace, as if it had been bought; the simulator knows nothing of it."""
    serial = count(1)

    def make(workspace: Workspace, e164: str = "", **facts: object) -> Number:
        place = next(serial)
        now = timezone.now()
        facts = {
            "country": "US", "number_type": "local", "area_code": "212", "locality": "New York",
            "region": "NY", "capabilities": ["mms", "sms", "voice"], "currency": "USD",
            "monthly_price": Decimal("1.38"), "provider_monthly_price": Decimal("1.15"),
            "provider_sid": f"PN{place:032x}", "webhooks_set_at": now,
            "created_at": now - timedelta(days=60) + timedelta(minutes=place),
            "paid_until": now + timedelta(days=10), **facts,
        }  # fmt: skip
        return Number.objects.create(
            workspace=workspace, e164=e164 or f"+1212555{place:04d}", **facts
        )

    return make


@pytest.fixture
def owned(make_number, acme: Workspace, simulator) -> Number:
    """A number of acme that the carrier knows too."""
    number = make_number(acme, "+12125550123", friendly_name="Front desk")
    number.provider_sid = simulator.seed(number.e164, friendly_name="Front desk")
    number.save(update_fields=["provider_sid"])
    return number
