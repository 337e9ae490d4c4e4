"""The ladder of an empty wallet, day by day."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from numbers import dunning, rent_settle
from numbers.models import Number, RentArrears, RentStep
from numbers.rent import collect_due
from numbers.rent_runs import RunInTheFuture
from numbers.rent_staff import end_grace, extend_grace
from numbers.tests.rent_book import at, audit, buy, lines, put_in
from workspaces.models import AuditEvent, Notice

pytestmark = pytest.mark.django_db

DUE = at("2023-02-10 09:00")


@pytest.fixture
def number(globex) -> Number:
    """Due on 10 February, 09:00; the wallet has 2 dollars and it costs 3."""
    return buy(globex, "2023-01-10 09:00", "3.00", webhooks_set_at=at("2023-01-10"))


def hour(moment: datetime) -> None:
    """What beat does every hour."""
    collect_due(moment)
    dunning.advance(moment)


def hours(first: datetime, last: datetime, every: int = 12) -> None:
    while first <= last:
        hour(first)
        first += timedelta(hours=every)


def days(count: float) -> datetime:
    return DUE + timedelta(days=count)


def steps(number: Number) -> list[tuple[str, int]]:
    """(step, days after the due day), in the order in which they came."""
    found = RentStep.objects.filter(number=number).order_by("at", "pk")
    return [(step.step, (step.at - DUE).days) for step in found]


def facts(number: Number) -> tuple[str, bool, bool]:
    """Its status, whether outbound is stopped, whether it is going back."""
    number = Number.objects.get(pk=number.pk)
    return number.status, bool(number.outbound_stopped_at), bool(number.giving_back_at)


def subjects(workspace) -> list[str]:
    return list(
        Notice.objects.for_workspace(workspace).order_by("pk").values_list("subject", flat=True)
    )


def test_the_ladder_from_the_due_day_to_the_release(globex, number):
    hours(DUE, days(22))
    assert steps(number) == [
        ("overdue", 0), ("remind_1", 1), ("outbound", 3), ("remind_2", 5), ("inbound", 7),
        ("remind_3", 19), ("release", 21),
    ]  # fmt: skip
    assert facts(number) == ("inactive", True, True)
    assert lines(number) == []


def test_every_step_has_a_mail_of_its_own_and_only_one(globex, number):
    hours(DUE, days(22))
    assert subjects(globex) == [
        "The monthly fee of a number in Globex is overdue",
        "A number in Globex will stop calling and sending soon",
        "A number in Globex can no longer call or send",
        "A number in Globex will stop receiving soon",
        "A number in Globex is inactive: the monthly fee was not paid",
        "A number in Globex will be released for good",
        "A number of Globex was released",
    ]
    assert not RentStep.objects.filter(told_at=None).exists()


def test_the_first_mail_tells_the_three_dates_and_what_is_missing(globex, number):
    hour(DUE)
    body = Notice.objects.get().body
    assert "outbound stops 13 Feb 2023, inbound 17 Feb 2023, released 3 Mar 2023" in body
    assert "https://desk.test/w/globex/numbers/overdue/" in body
    assert "$2.00 is available" in body


def test_on_the_due_day_everything_still_works(globex, number):
    hour(DUE)
    hours(DUE, days(2.9))
    assert facts(number) == ("active", False, False)


def test_after_three_days_nothing_goes_out_but_it_receives(globex, number):
    hours(DUE, days(3))
    assert facts(number) == ("active", True, False)


def test_after_seven_days_it_is_inactive_because_of_the_rent(globex, number):
    hours(DUE, days(7))
    assert facts(number) == ("inactive", True, False)
    assert Number.objects.get(pk=number.pk).inactive_because == Number.Because.SUSPENDED


def test_no_step_comes_before_its_time(globex, number):
    for day, before, after in [
        (3, ("active", False, False), ("active", True, False)),
        (7, ("active", True, False), ("inactive", True, False)),
        (21, ("inactive", True, False), ("inactive", True, True)),
    ]:
        hours(days(day - 3), days(day - 0.5))
        hour(days(day) - timedelta(minutes=1))
        assert facts(number) == before
        hour(days(day))
        assert facts(number) == after


def test_the_days_are_settings(globex, number, settings):
    settings.RENT_REMIND_DAYS_BEFORE = 1
    settings.RENT_OUTBOUND_STOPS_AFTER_DAYS = 2
    settings.RENT_INBOUND_STOPS_AFTER_DAYS = 4
    settings.RENT_RELEASED_AFTER_DAYS = 6
    hours(DUE, days(8))
    assert [day for step, day in steps(number) if step in ("outbound", "inbound", "release")] == [
        2, 4, 6,
    ]  # fmt: skip


def test_what_is_stopped_stands_in_the_audit_trail(globex, number):
    hours(DUE, days(7))
    events = AuditEvent.objects.for_workspace(globex).order_by("pk")
    assert [(event.action, event.by_name, event.label) for event in events] == [
        ("number.outbound_stopped", "System", number.e164),
        ("number.suspended", "System", number.e164),
    ]


def test_a_top_up_pays_and_everything_is_back_with_one_mail(globex, number):
    hours(DUE, days(8))
    before = Number.objects.filter(pk=number.pk).values().get()
    put_in(globex, "1.00")
    rent_settle.settle_arrears(days(8))
    after = Number.objects.filter(pk=number.pk).values().get()
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed == {
        "suspended_at": None, "outbound_stopped_at": None, "status": "active", "health": 0,
        "paid_until": at("2023-03-10 09:00"),
    }  # fmt: skip
    assert subjects(globex)[-1] == "A number in Globex works again"
    assert not RentArrears.objects.exists()
    hours(days(8), days(12))
    assert steps(number)[-1] == ("restored", 8)
    assert audit() == []


def test_one_mail_says_everything_that_came_back(globex):
    numbers = [buy(globex, "2023-01-10 09:00", "3.00") for _ in range(3)]
    hours(DUE, days(4))
    put_in(globex, "10.00")
    rent_settle.settle_arrears(days(4))
    [notice] = Notice.objects.filter(subject="3 numbers in Globex work again")
    assert all(number.international in notice.body for number in numbers)
    assert "Nothing is overdue any more." in notice.body


def test_paid_before_anything_had_stopped_is_told_as_paid(globex, number):
    hours(DUE, days(1))
    put_in(globex, "1.00")
    rent_settle.settle_arrears(days(1))
    assert steps(number)[-1] == ("paid", 1)
    assert subjects(globex)[-1] == "A number in Globex is paid"


def test_a_top_up_for_one_of_two_restores_the_older_and_leaves_the_other(globex, number):
    second = buy(globex, "2023-01-10 10:00", "3.00")
    hours(DUE, days(8))
    put_in(globex, "2.00")
    rent_settle.settle_arrears(days(8))
    assert (facts(number)[0], facts(second)[0]) == ("active", "inactive")
    [notice] = Notice.objects.filter(subject="A number in Globex works again")
    assert "$3.00 is still owed for 1 other number" in notice.body
    hours(days(8), days(22))
    assert (facts(number)[2], facts(second)[2]) == (False, True)


def test_each_wallet_that_moves_is_tried_once(globex, number):
    hour(DUE)
    runs = RentStep.objects.count()
    rent_settle.settle_arrears(days(0.1))
    assert RentArrears.objects.get().tried_at == DUE, "nothing had changed, nothing was tried"
    put_in(globex, "0.10")
    rent_settle.settle_arrears(days(0.1))
    assert RentArrears.objects.get().tried_at == days(0.1)
    assert RentStep.objects.count() == runs


def test_money_that_has_come_but_was_not_collected_yet_stops_nothing(globex, number):
    hours(DUE, days(2.9))
    put_in(globex, "1.00")
    dunning.advance(days(3))
    assert facts(number) == ("active", False, False)


def test_a_wallet_that_moved_but_is_still_short_protects_nothing(globex, number):
    hours(DUE, days(2.9))
    put_in(globex, "0.10")
    dunning.advance(days(3))
    assert facts(number) == ("active", True, False)


def test_after_an_outage_of_weeks_no_step_comes_without_its_warning(globex, number):
    hour(days(30))
    assert (facts(number), subjects(globex)) == (
        ("active", False, False), ["The monthly fee of a number in Globex is overdue"],
    )  # fmt: skip
    hours(days(30), days(53))
    assert steps(number) == [
        ("overdue", 30), ("remind_1", 31), ("outbound", 33), ("remind_2", 35), ("inbound", 37),
        ("remind_3", 49), ("release", 51),
    ]  # fmt: skip


def test_an_outage_in_the_middle_costs_the_warnings_nothing(globex, number):
    hours(DUE, days(0.5))
    hours(days(25), days(29))
    assert steps(number) == [
        ("overdue", 0), ("remind_1", 25), ("outbound", 26), ("remind_2", 26), ("inbound", 27),
        ("remind_3", 27), ("release", 28),
    ]  # fmt: skip


def test_twice_at_the_same_time_takes_each_step_once(globex, number):
    for _ in range(3):
        hours(DUE, days(7))
    assert len(steps(number)) == 5
    assert Notice.objects.count() == 5


def test_a_number_that_was_switched_off_stays_off_when_it_is_paid(globex, number):
    Number.objects.filter(pk=number.pk).update(deactivated_at=DUE)
    hours(DUE, days(8))
    put_in(globex, "1.00")
    rent_settle.settle_arrears(days(8))
    assert facts(number) == ("inactive", False, False)
    number.refresh_from_db()
    assert number.inactive_because == Number.Because.DEACTIVATED


def test_a_number_released_meanwhile_climbs_no_further(globex, number):
    hours(DUE, days(4))
    Number.objects.filter(pk=number.pk).update(released_at=days(4))
    hours(days(4), days(22))
    assert steps(number)[-1] == ("outbound", 3)
    assert not RentArrears.objects.exists()


def test_more_time_moves_every_date_and_puts_back_what_had_stopped(globex, number, staff):
    hours(DUE, days(8))
    extend_grace(workspace=globex, extra_days=7, reason="Bank holiday", by=staff, now=days(8))
    assert facts(number) == ("active", False, False)
    hours(days(8), days(9.9))
    assert facts(number) == ("active", False, False)
    hours(days(10), days(10.5))
    assert facts(number) == ("active", True, False)
    event = AuditEvent.objects.filter(action="rent.grace").get()
    assert event.details == {"days": 7, "reason": "Bank holiday"}


def test_with_seven_days_more_every_step_comes_seven_days_later(globex, number, staff):
    extend_grace(workspace=globex, extra_days=7, reason="Bank holiday", by=staff)
    hours(DUE, days(30))
    assert [step for step in steps(number) if step[0] in ("outbound", "inbound", "release")] == [
        ("outbound", 10), ("inbound", 14), ("release", 28),
    ]  # fmt: skip


def test_when_the_extension_ends_the_usual_days_count_again(globex, number, staff):
    extend_grace(workspace=globex, extra_days=7, reason="Bank holiday", by=staff)
    hours(DUE, days(4))
    end_grace(workspace=globex, reason="They have paid", by=staff)
    hours(days(4), days(6))
    assert ("outbound", 5) in steps(number), "the warning for the third day came on the fourth"


def test_a_step_in_the_future_is_refused(globex, number):
    with pytest.raises(RunInTheFuture):
        dunning.advance(at("2099-01-01"))


def test_a_number_that_works_is_never_given_back(globex, number):
    with (
        pytest.raises(IntegrityError, match="number_given_back_when_inactive"),
        transaction.atomic(),
    ):
        Number.objects.filter(pk=number.pk).update(giving_back_at=DUE)
