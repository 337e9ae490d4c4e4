"""What is asked at the moment of the order, whatever a page has shown before."""

from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from conftest import make_member
from numbers.limits import (
    NumbersLimitReached,
    PurchaseLimits,
    SpendLimitReached,
    check_limits,
    set_limits,
)
from numbers.models import NumberOrder
from numbers.place import place_order
from numbers.purchase import purchase_number
from numbers.quote import quote_of
from numbers.refusals import MayNotBuy, TooManyNumbers
from numbers.tests.at_once import at_once
from workspaces.models import AuditEvent, Membership
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db(transaction=True)

PRICE = Decimal("1.38")


@pytest.fixture
def buy(acme, owner, quoted):
    """Buy so many of the numbers in New York, as the owner of acme."""
    return lambda count=1: purchase_number(workspace=acme, by=owner, quote=quoted(count))


def nothing_happened(money, workspace, simulator) -> bool:
    untouched = money(workspace) == (Decimal(50), 0)
    return untouched and not NumberOrder.objects.exists() and not simulator.owned()


# --- Searching ----------------------------------------------------------------------------

SEARCH = "/w/acme/numbers/buy/?country=US&area_code=212"
ASKS_THE_PROVIDER = [
    SEARCH,
    "/w/acme/numbers/buy/review/?country=US&number=%2B12127466496&number_type=local",
    "/w/acme/numbers/why/?country=US",
]


@pytest.mark.parametrize("address", ASKS_THE_PROVIDER)
def test_a_person_searches_so_often_a_minute_and_learns_when_again(
    as_owner, as_member, simulator, settings, address
):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"search": "2/m"}
    with time_machine.travel(timezone.now().replace(second=15, microsecond=0), tick=False) as clock:
        assert [as_owner.get(SEARCH).status_code for _ in range(2)] == [200, 200]
        asked = len(simulator.requests)
        refused = as_owner.get(address)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "45")
        assert "Too many searches in a short time. Try again in 45 seconds." in refused.text
        assert len(simulator.requests) == asked
        assert as_member.get(SEARCH).status_code == 200
        clock.shift(45)
        assert as_owner.get(address).status_code == 200


# --- Permission ---------------------------------------------------------------------------


def test_who_lost_the_permission_since_the_review_cannot_buy(acme, owner, buy, money, simulator):
    make_member(acme, Role.OWNER, "second@acme.test")  # a workspace keeps an owner
    Membership.objects.filter(user=owner).update(role=Role.MEMBER)
    with pytest.raises(MayNotBuy, match="needs the permission numbers_create"):
        buy()
    assert nothing_happened(money, acme, simulator)


def test_who_left_the_workspace_cannot_buy(acme, owner, buy, money, simulator):
    make_member(acme, Role.OWNER, "second@acme.test")
    Membership.objects.filter(user=owner).delete()
    with pytest.raises(MayNotBuy):
        buy()
    assert nothing_happened(money, acme, simulator)


def test_the_refusal_names_who_can_grant_it(acme, owner, member, quoted):
    with pytest.raises(MayNotBuy, match="Olivia can grant it") as refused:
        purchase_number(workspace=acme, by=member, quote=quoted())
    assert (refused.value.code, refused.value.status) == ("no_permission", 403)
    assert refused.value.fix.url == "/w/acme/numbers/why/"


def test_more_than_twenty_at_once_are_refused(acme, owner, offers, money, simulator):
    many = [*offers, *offers, *offers]
    with pytest.raises(
        TooManyNumbers, match="You chose 30 numbers, and one order holds at most 20"
    ):
        purchase_number(workspace=acme, by=owner, quote=quote_of(many, ""))
    assert nothing_happened(money, acme, simulator)


# --- Limits of a day ----------------------------------------------------------------------


def test_the_spend_limit_of_the_day_is_kept(acme, owner, buy, money, settings):
    settings.PURCHASE_SPEND_PER_DAY = Decimal("3.00")
    buy(2)
    with pytest.raises(SpendLimitReached, match=r"at most \$3\.00 a day\. \$2\.76 went") as refused:
        buy()
    assert (refused.value.code, refused.value.fix.url) == ("spend_limit", "/w/acme/numbers/limits/")
    assert money(acme) == (Decimal(50) - 2 * PRICE, 0)


def test_the_numbers_of_the_day_are_counted(buy, settings):
    settings.PURCHASE_NUMBERS_PER_DAY = 3
    buy(2)
    with pytest.raises(NumbersLimitReached, match="2 were ordered today and this order has 2"):
        buy(2)
    buy(1)


def test_a_workspace_has_limits_of_its_own(acme, globex, owner, buy):
    set_limits(workspace=globex, by=owner, spend_per_day=Decimal(0), numbers_per_day=0)
    buy()
    set_limits(workspace=acme, by=owner, spend_per_day=Decimal("2.00"), numbers_per_day=None)
    with pytest.raises(SpendLimitReached):
        buy()
    set_limits(workspace=acme, by=owner, spend_per_day=None, numbers_per_day=None)
    buy()


def test_what_was_refused_does_not_count(buy, settings, simulator):
    settings.PURCHASE_NUMBERS_PER_DAY = 1
    simulator.fault("taken", method="POST", path_contains="IncomingPhoneNumbers")
    buy()
    buy()
    with pytest.raises(NumbersLimitReached):
        buy()


def test_what_is_still_being_checked_counts(buy, settings, simulator):
    settings.PURCHASE_NUMBERS_PER_DAY = 1
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    buy()
    with pytest.raises(NumbersLimitReached):
        buy()


def test_the_day_ends_at_midnight_in_the_workspace(buy, settings):
    settings.PURCHASE_NUMBERS_PER_DAY = 1
    with time_machine.travel(datetime(2026, 3, 3, 4, 58, tzinfo=UTC)):  # 23:58 in New York
        buy()
        with pytest.raises(NumbersLimitReached):
            buy()
    with time_machine.travel(datetime(2026, 3, 3, 5, 2, tzinfo=UTC)):
        buy()


def test_two_orders_at_once_cannot_both_pass_a_limit(acme, owner, quoted, settings, simulator):
    settings.PURCHASE_NUMBERS_PER_DAY = 1
    pair = [quoted(), quoted()]
    results = at_once(*[lambda q=q: place_order(workspace=acme, by=owner, quote=q) for q in pair])
    assert sorted(type(result).__name__ for result in results) == [
        "NumberOrder", "NumbersLimitReached",
    ]  # fmt: skip


def test_without_the_wallets_lock_both_would_pass(acme, settings):
    """The control: the same question asked side by side, as it would be with no lock."""
    settings.PURCHASE_NUMBERS_PER_DAY = 1
    both_asked = Barrier(2)

    def ask() -> str:
        with transaction.atomic():
            check_limits(workspace=acme, cost=PRICE, numbers=1, currency="USD")
            both_asked.wait(10)
            return "passed"

    assert at_once(ask, ask) == ["passed", "passed"]


def test_a_change_of_limits_is_audited(acme, owner):
    set_limits(workspace=acme, by=owner, spend_per_day=Decimal(7), numbers_per_day=None)
    event = AuditEvent.objects.get(action="limits.changed")
    assert (event.by, event.details["after"]) == (owner, ["7", None])


# --- Money --------------------------------------------------------------------------------


def test_two_orders_at_once_cannot_spend_the_same_money(globex, outsider, quoted, money):
    pair = [quoted(), quoted()]  # 1.38 each, and there are 2.00
    results = at_once(
        *[lambda q=q: place_order(workspace=globex, by=outsider, quote=q) for q in pair]
    )
    assert sorted(type(result).__name__ for result in results) == [
        "InsufficientFunds", "NumberOrder",
    ]  # fmt: skip
    assert money(globex) == (Decimal(2), PRICE)


def test_the_same_form_twice_at_once_is_one_order_even_with_money_for_one(
    globex, outsider, quoted, money
):
    quote = quoted()
    results = at_once(
        *[lambda: place_order(workspace=globex, by=outsider, quote=quote) for _ in range(4)]
    )
    assert {result.pk for result in results} == {NumberOrder.objects.get().pk}
    assert money(globex) == (Decimal(2), PRICE)


# --- The page -----------------------------------------------------------------------------


def test_the_limits_are_seen_by_members_and_changed_by_admins(acme, as_owner, as_member):
    page = as_member.get("/w/acme/numbers/limits/")
    assert page.status_code == 200
    assert "can be changed by" in page.content.decode()
    change = {"spend_per_day": "9.50", "numbers_per_day": ""}
    assert as_member.post("/w/acme/numbers/limits/set/", change).status_code == 403
    assert as_owner.post("/w/acme/numbers/limits/set/", change).status_code == 302
    assert PurchaseLimits.objects.get().spend_per_day == Decimal("9.50")
    assert "$9.50" in as_member.get("/w/acme/numbers/limits/").content.decode()


@pytest.mark.parametrize("bad", ["-1", "many", "1e99", "1.234", "\x00"])
def test_what_is_no_limit_is_told_and_nothing_is_kept(as_owner, bad):
    page = as_owner.post("/w/acme/numbers/limits/set/", {"spend_per_day": bad})
    assert page.status_code == 422
    assert not PurchaseLimits.objects.exists()


def test_who_may_not_see_the_wallet_sees_no_amount_spent(acme, as_viewer):
    page = as_viewer.get("/w/acme/numbers/limits/").content.decode()
    assert "Spent today" not in page
