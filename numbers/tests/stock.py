"""Numbers that a workspace owns, for tests of what is done with them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.utils import timezone

from numbers.models import Number, PaymentPlace, RentDue
from telephony.webhook_urls import webhooks_for_numbers
from workspaces.models import Workspace


@pytest.fixture
def make_number() -> Callable[..., Number]:
    """A number of a workspace, as if it had been bought; the simulator knows nothing of it."""
    serial = count(1)

    def make(workspace: Workspace, e164: str = "", **facts: object) -> Number:
        place = next(serial)
        now = timezone.now()
        paid_until = facts.pop("paid_until", now + timedelta(days=10, hours=1))
        facts = {
            "country": "US", "number_type": "local", "area_code": "212", "locality": "New York",
            "region": "NY", "capabilities": ["mms", "sms", "voice"], "currency": "USD",
            "monthly_price": Decimal("1.38"), "provider_monthly_price": Decimal("1.15"),
            "provider_sid": f"PN{place:032x}", "webhooks_set_at": now,
            "created_at": now - timedelta(days=60) + timedelta(minutes=place), **facts,
        }  # fmt: skip
        number = Number.objects.create(
            workspace=workspace, e164=e164 or f"+1212555{place:04d}", **facts
        )
        RentDue.objects.filter(number=number).update(due_at=paid_until)
        PaymentPlace.objects.filter(number=number).update(due_at=paid_until)
        return Number.objects.get(pk=number.pk)

    return make


@pytest.fixture
def owned(make_number, acme: Workspace, simulator) -> Number:
    """A number of acme that the carrier knows too."""
    number = make_number(acme, "+12125550123", friendly_name="Front desk")
    number.provider_sid = simulator.seed(number.e164, friendly_name="Front desk")
    number.save(update_fields=["provider_sid"])
    return number


@pytest.fixture
def connected(owned: Number, simulator) -> Number:
    """The same here and at the carrier, and its calls and messages come to us."""
    wanted = webhooks_for_numbers(owned.capabilities)
    simulator.app.state.update(simulator.account, owned.provider_sid, {
        "voice_url": wanted.voice_url, "voice_fallback_url": wanted.voice_fallback_url,
        "status_callback": wanted.voice_status_url, "sms_url": wanted.message_url,
        "sms_fallback_url": wanted.message_fallback_url, "status": "in-use",
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
    })  # fmt: skip
    return owned
