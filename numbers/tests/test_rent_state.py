"""How a number stands with its rent, in facts and in the words of its page."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from numbers import dunning
from numbers.models import Number, RentDue
from numbers.rent import collect_due
from numbers.rent_staff import extend_grace
from numbers.rent_state import rent_state, rent_states
from numbers.tests.rent_book import at, buy

pytestmark = pytest.mark.django_db


def words(number: Number, template: str = "_rent_state", **context) -> str:
    number = Number.objects.get(pk=number.pk)
    page = render_to_string(
        f"numbers/{template}.html",
        {"state": rent_state(number), "number": number, "workspace": number.workspace, **context},
    )
    return " ".join(page.split())


def late(workspace, days: float, **facts) -> Number:
    """A number whose month began so many days ago and was told as overdue then."""
    number = buy(workspace, timezone.now() - timedelta(days=40), "3.00", **facts)
    due = timezone.now() - timedelta(days=days)
    RentDue.objects.filter(pk=number.pk).update(due_at=due, overdue_since=due)
    return number


def test_a_paid_number_shows_its_price_and_next_payment(acme, time_machine):
    number = buy(acme, "2023-01-10 12:00")
    time_machine.move_to(at("2023-02-01"))
    state = rent_state(number)
    assert (state.kind, state.price, state.due_at) == (
        "paid",
        Decimal("1.38"),
        at("2023-02-10 12:00"),
    )
    assert "Next payment</dt> <dd>10 Feb 2023" in words(number)
    assert "on 10 Feb 2023" in words(number, "_rent_cell")


def test_an_announced_price_is_shown_with_its_day(acme, time_machine):
    number = buy(acme, "2023-01-10 12:00")
    RentDue.objects.update(next_price=Decimal(2), next_price_from=2)
    time_machine.move_to(at("2023-02-01"))
    assert "From 10 Mar 2023</dt> <dd>$2.00" in words(number)


def test_the_dates_are_those_of_the_published_ladder(globex, time_machine):
    number = buy(globex, "2023-10-30 12:00", "3.00")
    collect_due(at("2023-11-30 12:00"))
    dunning.advance(at("2023-11-30 12:00"))
    time_machine.move_to(at("2023-12-01"))
    dates = "outbound stops 3 Dec 2023, inbound 7 Dec 2023, released 21 Dec 2023"
    assert rent_state(number).kind == "overdue"
    assert dates in words(number)
    assert dates in words(number, "_rent_cell")


def test_dates_that_are_past_are_not_shown_again(globex):
    now = timezone.now()
    number = late(globex, 4, outbound_stopped_at=now)
    assert rent_state(number).kind == "outbound_stopped"
    text = words(number)
    assert "It still receives." in text
    assert "outbound stops" not in text
    assert "inbound " in text


def test_a_suspended_number_says_that_callers_are_turned_away(globex):
    number = late(globex, 8, outbound_stopped_at=timezone.now(), suspended_at=timezone.now())
    assert rent_state(number).kind == "suspended"
    assert "Callers are turned away." in words(number)


def test_who_may_pay_gets_the_button(globex):
    number = late(globex, 1)
    assert "Pay now" in words(number, may_pay=True)
    assert "Pay now" not in words(number)


def test_more_time_from_support_shows_in_the_dates(globex, staff):
    number = late(globex, 1)
    before = rent_state(number).dates
    extend_grace(workspace=globex, extra_days=7, reason="Bank holiday", by=staff)
    after = rent_state(number).dates
    assert after.released_at - before.released_at == timedelta(days=7)


def test_due_within_the_hour_is_not_called_overdue(globex):
    number = buy(globex, timezone.now() - timedelta(days=40), "3.00")
    RentDue.objects.update(due_at=timezone.now() - timedelta(minutes=10))
    assert rent_state(number).kind == "due"
    assert "charged within the hour" in words(number)


@pytest.mark.parametrize(
    ("facts", "kind", "said"),
    [
        ({"released_at": "now"}, "released", "It costs nothing any more"),
        ({"parked_at": "now", "giving_back_at": "now"}, "giving_back", "cannot be undone"),
        ({"parked_at": "now"}, "paused", "not billed at the moment"),
        ({"vanished_at": "now"}, "paused", "not billed at the moment"),
    ],
)
def test_a_number_that_is_not_billed_says_so(acme, facts, kind, said):
    number = buy(acme, timezone.now(), **dict.fromkeys(facts, timezone.now()))
    assert rent_state(number).kind == kind
    assert said in words(number)


def test_a_list_costs_two_queries_however_long_it_is(acme, django_assert_num_queries):
    numbers = [buy(acme, "2023-01-10") for _ in range(30)]
    with django_assert_num_queries(2):
        assert len(rent_states(numbers)) == 30


def test_paid_until_comes_along_with_the_numbers(acme, django_assert_num_queries):
    for day in (10, 12, 11):
        buy(acme, f"2023-01-{day}")
    with django_assert_num_queries(1):
        soonest = Number.objects.order_by("paid_until").filter(paid_until__gt=at("2023-02-10"))
        assert [f"{number.paid_until:%d}" for number in soonest] == ["11", "12"]


def test_paid_until_is_right_after_a_charge_wherever_the_number_came_from(acme):
    number = buy(acme, "2023-01-10")
    collect_due(at("2023-02-10"))
    number.refresh_from_db()
    later = at("2023-03-10")
    assert number.paid_until == Number.objects.get().paid_until == later
    assert RentDue.objects.select_related("number").get().number.paid_until == later


def test_a_number_can_still_be_locked_updated_and_counted(acme):
    """The due date that comes along must be in nobody's way."""
    number = buy(acme, "2023-01-10")
    assert Number.objects.select_for_update().get(pk=number.pk) == number
    assert Number.objects.filter(paid_until__gt=at("2023-01-01")).update(area_code="646") == 1
    assert Number.objects.filter(pk__in=Number.objects.owned()).count() == 1
    assert list(Number.objects.values("country").annotate()) == [{"country": "US"}]
