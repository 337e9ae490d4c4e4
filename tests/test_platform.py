"""The platform page: what came in, what the provider took, and whether it still reaches us."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from interactions.models import Call, Conversation, Usage
from numbers.rent import collect_due
from numbers.rent_staff import waive_month
from numbers.tests.rent_book import at, buy
from numbers_project import margin, watch
from wallet import ledger
from wallet.models import Kind, Wallet

pytestmark = pytest.mark.django_db


def months(now: str) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    return [
        (f"{row.month:%Y-%m}", row.income, row.cost, row.margin) for row in margin.by_month(at(now))
    ]


@pytest.fixture
def number(acme):
    return buy(acme, "2023-01-10")


def called(number, when) -> Call:
    conversation = Conversation.objects.create(
        workspace=number.workspace, number=number, contact="+14155550123", last_at=when
    )
    return Call.objects.create(
        workspace=number.workspace, number=number, conversation=conversation, direction="in",
        sid="CA" + "1" * 32, at=when, status="completed",
    )  # fmt: skip


def used(number, when, **price) -> None:
    """Two minutes that were charged 0.02."""
    entry = ledger.charge(
        wallet=Wallet.objects.get(workspace=number.workspace), kind=Kind.USAGE,
        amount=Decimal("0.02"), key="usage:1", text="Incoming call",
    )  # fmt: skip
    Usage.objects.create(
        workspace=number.workspace, kind="call_in", call=called(number, when), state="charged",
        quantity=2, amount=Decimal("0.02"), currency="USD", entry=entry, at=when,
        next_try_at=when, **price,
    )  # fmt: skip


def test_rent_that_is_paid_costs_in_the_month_of_its_charge(number):
    collect_due(at("2023-02-10"))
    [month] = margin.by_month()
    assert (month.income, month.cost, str(month.margin)) == (
        Decimal("1.38"), Decimal("1.15"), "0.230000",
    )  # fmt: skip


def test_a_waived_month_costs_too(number, staff):
    waive_month(number=number, reason="Goodwill", by=staff, now=at("2023-02-10"))
    lost = (Decimal(0), Decimal("1.15"), Decimal("-1.15"))
    assert months("2023-02-20") == [("2023-02", *lost), ("2023-01", *lost)]


@pytest.mark.parametrize(
    ("price", "cost"),
    [
        ({"provider_unit_price": Decimal("0.0085")}, "0.017"),
        ({"provider_unit_price": Decimal("0.0085"), "provider_price": Decimal("0.01")}, "0.01"),
        ({}, "0"),
    ],
)
def test_use_costs_what_the_provider_took_or_its_rate(number, price, cost):
    now = timezone.now()
    used(number, now, **price)
    [month] = margin.by_month(now)
    assert (month.income, month.cost, month.margin) == (
        Decimal("0.02"), Decimal(cost), Decimal("0.02") - Decimal(cost),
    )  # fmt: skip


def test_older_months_are_left_out(number):
    assert months("2023-06-30") == [("2023-01", 0, Decimal("1.15"), Decimal("-1.15"))]
    assert months("2023-07-01") == []


def test_the_last_call_that_came_in_is_told_with_its_age(client, settings, number):
    assert watch.last_webhook_at() is None
    came = timezone.now() - timedelta(minutes=7)
    call = called(number, came)
    Call.objects.create(
        workspace=number.workspace, number=number, conversation=call.conversation,
        direction="out", sid="CA" + "2" * 32, at=timezone.now(), status="completed",
    )  # fmt: skip
    assert watch.last_webhook_at() == came
    settings.METRICS_TOKEN = "right"
    told = client.get("/metrics", headers={"Authorization": "Bearer right"}).content.decode()
    [age] = [line.split()[1] for line in told.splitlines() if line.startswith("desk_webhook_age")]
    assert 420 <= float(age) < 480


def test_staff_see_both(client, staff, simulator, number):
    client.force_login(staff)
    called(number, timezone.now() - timedelta(minutes=7))
    page = client.get("/admin/platform/").content.decode()
    assert "The last call or message came in 7\xa0minutes ago" in page
    assert "Margin" in page
