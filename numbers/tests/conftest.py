"""What the tests of buying share."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from numbers import quote as quotes
from numbers.pricing import price_of
from numbers.quote import Quote, QuotedNumber
from numbers.tests.stock import connected, make_number, owned  # noqa: F401  fixtures
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
