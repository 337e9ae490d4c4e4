"""Comparing with a provider that is slow, busy, broken or leaves something out, while numbers
come and go, and with clocks that differ.
"""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from threading import Thread

import pytest
from django.core import mail
from django.db import connection, connections
from django.utils import timezone

from numbers import cures, give_back, sync, tasks
from numbers.assign import give_back_nobodys
from numbers.compare import Kind
from numbers.models import Number, OrderLine
from numbers.purchase import purchase_number
from numbers.settle import settle_line
from numbers.sync_models import Difference, SyncRun
from telephony import busy

pytestmark = pytest.mark.django_db

LIST = {"method": "GET", "path_contains": "IncomingPhoneNumbers.json"}
MEANT = "https://elsewhere.example.com/voice"
LONG_AGO = timedelta(days=1)


@pytest.fixture
def number(owned, simulator) -> Number:
    """The same here and at the provider."""
    sync.check_number(owned)
    for difference in Difference.objects.open():
        cures.cure(difference, by=None)
    Difference.objects.all().delete()
    owned.refresh_from_db()
    assert sync.reconcile().found == 0
    SyncRun.objects.all().delete()
    return owned


@pytest.fixture
def broken(number, simulator) -> Number:
    """A walk that is not disturbed sets it right."""
    simulator.app.state.update(simulator.account, number.provider_sid, {"voice_url": ""})
    return number


@pytest.fixture
def waited(monkeypatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(busy.time, "sleep", pauses.append)
    return pauses


def open_kinds() -> list[str]:
    return sorted(Difference.objects.open().values_list("kind", flat=True))


def nothing_was_done(run: SyncRun, simulator) -> bool:
    """The run ended with its cause, and acted on nothing of what it saw."""
    ended = run.ended_at is not None and not run.complete and bool(run.error)
    untouched = simulator.owned()[0]["voice_url"] in ("", None)
    return ended and untouched and run.cured == 0 and Number.objects.get().status == "active"


# --- Slow, busy, broken ---------------------------------------------------------------------

FAULTS = {
    "too slow": ("slow", {"seconds": 30.0}),
    "no connection": ("timeout_before", {"seconds": 30.0}),
    "dropped": ("answer_lost", {}),
    "an error": ("server_error", {}),
    "unavailable": ("unavailable", {}),
    "no answer that can be read": ("not_json", {}),
    "credentials": ("unauthorized", {}),
}


@pytest.mark.parametrize(("kind", "facts"), FAULTS.values(), ids=FAULTS)
def test_a_list_that_cannot_be_had_ends_the_run_and_the_next_one_is_whole(
    broken, simulator, kind, facts
):
    simulator.fault(kind, **LIST, **facts)
    assert nothing_was_done(sync.reconcile(), simulator)
    run = sync.reconcile()
    assert (run.complete, run.error, run.cured) == (True, "", 1)


def test_a_provider_that_takes_its_time_is_waited_for(broken, simulator, settings):
    simulator.fault("slow", seconds=settings.TWILIO_TIMEOUT_SECONDS - 1, times=-1)
    run = sync.reconcile()
    assert (run.complete, run.cured) == (True, 1)


@pytest.mark.parametrize(("kind", "facts"), FAULTS.values(), ids=FAULTS)
def test_a_number_of_which_nothing_can_be_learned_is_not_lost(broken, simulator, kind, facts):
    simulator.fault("list_empty", **LIST)
    simulator.fault(kind, method="GET", path_contains=broken.provider_sid, **facts)
    assert nothing_was_done(sync.reconcile(), simulator)
    assert not Difference.objects.exists()


def test_a_cure_of_which_the_answer_is_lost_is_over_at_the_next_look(broken, simulator):
    simulator.fault("slow", method="POST", seconds=30.0)
    run = sync.reconcile()
    assert (run.complete, run.cured, open_kinds()) == (True, 0, [Kind.WEBHOOKS])
    assert sync.reconcile().found == 0
    assert Difference.objects.get().cure == "by_itself"


def test_a_cure_that_fails_stops_no_other(broken, simulator):
    able = {"voice": True, "sms": False, "mms": False, "fax": False}
    simulator.app.state.update(simulator.account, broken.provider_sid, {"capabilities": able})
    simulator.fault("server_error", method="POST")
    run = sync.reconcile()
    assert (run.found, run.cured, open_kinds()) == (2, 1, [Kind.WEBHOOKS])


def test_a_busy_provider_is_waited_for_as_it_says(broken, simulator, waited):
    simulator.fault("rate_limited", **LIST, retry_after="7")
    simulator.fault("rate_limited", method="POST", retry_after="2")
    run = sync.reconcile()
    assert (run.complete, run.cured, waited) == (True, 1, [7.0, 2.0])


@pytest.mark.parametrize("retry_after", ["3600", "1", ""])
def test_one_that_stays_busy_ends_the_run(broken, simulator, waited, retry_after):
    simulator.fault("rate_limited", times=-1, retry_after=retry_after)
    run = sync.reconcile()
    simulator.app.faults.clear()
    assert nothing_was_done(run, simulator)
    assert "HTTP 429" in run.error
    assert sum(waited) <= sync.PATIENCE_SECONDS


# --- Lists that are not whole ---------------------------------------------------------------


@pytest.fixture
def many(acme, make_number, simulator, monkeypatch) -> list[Number]:
    """Six numbers, two on a page, of which only their webhooks are to be set right."""
    monkeypatch.setattr(sync, "BATCH", 2)
    numbers = [make_number(acme) for _ in range(6)]
    for number in numbers:
        sid = simulator.seed(number.e164, capabilities=dict.fromkeys(number.capabilities, True))
        Number.objects.filter(pk=number.pk).update(provider_sid=sid)
    return list(Number.objects.order_by("pk"))


@pytest.mark.parametrize("read", [1, 2])
@pytest.mark.parametrize("kind", ["server_error", "not_json", "answer_lost", "slow"])
def test_a_page_lost_in_the_middle_cures_nothing(many, simulator, read, kind):
    simulator.fault(kind, **LIST, skip=read)
    run = sync.reconcile()
    assert (run.complete, run.cured) == (False, 0)
    assert not any(row["voice_url"] for row in simulator.owned())
    assert not Number.objects.exclude(status="active").exists()
    assert not Difference.objects.exclude(kind=Kind.WEBHOOKS).exists()
    assert Difference.objects.open().count() == 2 * read
    assert sync.reconcile().cured == 6


def drop_pages(simulator, monkeypatch, after: int) -> None:
    """The list ends after so many pages, as if there were no more."""
    state, pages = simulator.app.state, []
    read = state.page

    def page(*args: object, **options: object) -> list:
        pages.append(1)
        rows = read(*args, **options)
        return rows[:2] if len(pages) >= after else rows

    monkeypatch.setattr(state, "page", page)


def test_what_a_list_leaves_out_is_compared_all_the_same(many, owner, simulator, monkeypatch):
    simulator.app.state.update(simulator.account, many[5].provider_sid, {"voice_url": MEANT})
    simulator.seed("+13105550199")
    assert sync.reconcile().cured == 5
    assert open_kinds() == [Kind.NOBODYS, Kind.WEBHOOKS]
    drop_pages(simulator, monkeypatch, after=2)
    run = sync.reconcile()
    assert (run.complete, run.seen, run.found) == (True, 4, 1)
    assert open_kinds() == [Kind.NOBODYS, Kind.WEBHOOKS], "neither is over: they were not shown"
    monkeypatch.undo()
    simulator.app.state.release(simulator.account, simulator.owned()[-1]["sid"])
    sync.reconcile()
    assert open_kinds() == [Kind.WEBHOOKS]


def test_a_list_that_leaves_out_too_many_is_none(many, simulator, monkeypatch):
    sync.reconcile()
    monkeypatch.setattr(sync, "MOST_LEFT_OUT", 3)
    simulator.fault("list_empty", **LIST)
    run = sync.reconcile()
    assert (run.complete, run.cured) == (False, 0)
    assert run.error == "More than 3 numbers were not in the list."


def test_another_account_makes_no_number_vanish(many, simulator, settings, monkeypatch):
    settings.OPERATOR_EMAILS = ["ops@example.test"]
    monkeypatch.setattr(sync, "MOST_LOST", 2)
    for number in many:
        simulator.app.state.release(simulator.account, number.provider_sid)
    for _ in range(2):
        run = sync.reconcile()
        assert (run.complete, run.cured) == (False, 0)
        assert run.error.startswith("More than 3 numbers are not in this account. Nothing was")
    assert not Number.objects.exclude(status="active").exists()
    assert not Difference.objects.exists()
    [told] = mail.outbox
    assert "is TWILIO_ACCOUNT_SID the right one?" in told.body
    sync.check_number(many[0])
    assert open_kinds() == [Kind.MISSING], "one that is asked about is believed"


def test_as_many_as_may_be_are_believed_lost(many, simulator, monkeypatch):
    monkeypatch.setattr(sync, "MOST_LOST", 2)
    for number in many[:3]:
        simulator.app.state.release(simulator.account, number.provider_sid)
    assert sync.reconcile().complete
    assert Number.objects.filter(vanished_at__isnull=False).count() == 3


# --- Numbers that come and go while the walk runs -------------------------------------------


@pytest.fixture
def while_it_is_read(simulator, monkeypatch) -> Callable:
    """``do`` happens once, after the provider has read a page and before we have its answer."""

    def while_it_is_read(do: Callable[[], object], *, before: bool = False) -> None:
        read = simulator.app.state.page

        def page(*args: object, **options: object) -> list:
            monkeypatch.setattr(simulator.app.state, "page", read)
            if before:
                do()
            rows = read(*args, **options)
            if not before:
                do()
            return rows

        monkeypatch.setattr(simulator.app.state, "page", page)

    return while_it_is_read


def test_a_number_bought_after_its_page_was_read_is_not_missing(
    number, acme, owner, quote, while_it_is_read
):
    while_it_is_read(lambda: purchase_number(workspace=acme, by=owner, quote=quote))
    run = sync.reconcile()
    assert (run.complete, run.seen, run.found, Number.objects.count()) == (True, 1, 0, 2)


def test_a_number_bought_before_its_page_is_read_is_neither_missing_nor_unknown(
    number, acme, owner, quote, while_it_is_read
):
    while_it_is_read(lambda: purchase_number(workspace=acme, by=owner, quote=quote), before=True)
    run = sync.reconcile()
    assert (run.complete, run.seen, run.found, Number.objects.count()) == (True, 2, 0, 2)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_one_whose_order_is_settled_while_its_page_is_compared_is_not_unknown(
    acme, owner, quote, simulator, before
):
    """Its number is made before or after the walk looks for such orders."""
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    line = purchase_number(workspace=acme, by=owner, quote=quote).lines.get()
    done = []

    def settle_once(execute, sql, params, many, context):
        its_turn = not done and "numbers_orderline" in sql
        if its_turn and before:
            done.append(True)
            settle_line(line)
        found = execute(sql, params, many, context)
        if its_turn and not before:
            done.append(True)
            settle_line(line)
        return found

    with connection.execute_wrapper(settle_once):
        run = sync.reconcile()
    assert (run.complete, run.found, OrderLine.objects.get().state) == (True, 0, "done")


def give_it_back(number: Number) -> None:
    Number.objects.update(parked_at=timezone.now())
    give_back.decide(Number.objects.filter(pk=number.pk))
    assert give_back.give_back(number)


@pytest.mark.parametrize("before", [True, False], ids=["before its page", "after its page"])
def test_a_number_given_back_meanwhile_is_neither_lost_nor_still_billed(
    number, while_it_is_read, before
):
    while_it_is_read(lambda: give_it_back(number), before=before)
    run = sync.reconcile()
    assert (run.complete, run.seen, run.found) == (True, not before, 0)
    assert Number.objects.get().vanished_at is None


def test_one_given_back_while_it_is_asked_for_is_not_lost(number, simulator, monkeypatch):
    simulator.fault("list_empty", **LIST)
    read = simulator.app.state.fetch

    def fetch(*args: object) -> object:
        monkeypatch.setattr(simulator.app.state, "fetch", read)
        give_it_back(number)
        return read(*args)

    monkeypatch.setattr(simulator.app.state, "fetch", fetch)
    assert sync.reconcile().found == 0


def test_nobodys_number_that_staff_give_back_meanwhile_is_not_unknown_again(
    number, staff, simulator, while_it_is_read
):
    simulator.seed("+13105550199")
    sync.reconcile()
    nobodys = Difference.objects.get()
    while_it_is_read(lambda: give_back_nobodys(difference=nobodys, by=staff, reason="Not ours"))
    run = sync.reconcile()
    assert (run.seen, run.found, open_kinds()) == (2, 0, [])


def test_one_given_back_that_is_still_there_is_given_back_again(number, simulator):
    now = timezone.now()
    Number.objects.update(parked_at=now, giving_back_at=now, released_at=now)
    assert sync.reconcile().cured == 1
    assert simulator.owned() == []


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_are_one(number, simulator, while_it_is_read):
    told: list[object] = []

    def again() -> None:
        try:
            told.append(sync.reconcile())
        except sync.AlreadyRunning as refused:
            told.append(refused)
            tasks.reconcile()  # the task says it in the log, and nothing else
        finally:
            connections.close_all()

    def at_once() -> None:
        other = Thread(target=again)
        other.start()
        other.join()

    while_it_is_read(at_once)
    assert sync.reconcile().complete
    assert ([type(one) for one in told], SyncRun.objects.count()) == ([sync.AlreadyRunning], 1)


# --- Clocks that differ ---------------------------------------------------------------------

SKEWS = [timedelta(minutes=minutes) for minutes in (-20, -3, 3, 20)]
skewed = pytest.mark.parametrize(
    "skew", SKEWS, ids=lambda skew: f"{skew.total_seconds() / 60:+.0f} min"
)


@skewed
def test_what_the_provider_takes_for_the_time_is_not_relied_on(
    broken, acme, owner, quote, simulator, skew, while_it_is_read
):
    """Its clock and ours differ by minutes: only ours tells what is too young to be missing."""
    theirs = format_datetime(timezone.now() + skew, usegmt=True)
    dates = {"date_created": theirs, "date_updated": theirs}
    gone = simulator.seed("+13105550199", **dates)
    simulator.app.state.update(simulator.account, broken.provider_sid, dates)
    while_it_is_read(lambda: purchase_number(workspace=acme, by=owner, quote=quote))
    run = sync.reconcile()
    assert (run.complete, run.found, run.cured) == (True, 2, 1)
    assert Difference.objects.open().get().provider_sid == gone


@skewed
def test_our_clock_may_be_set_while_the_walk_runs(
    broken, simulator, skew, time_machine, while_it_is_read
):
    simulator.seed("+13105550199")
    moved = timezone.now() + skew
    while_it_is_read(lambda: time_machine.move_to(moved))
    run = sync.reconcile()
    assert (run.complete, run.found, run.cured) == (True, 2, 1)
    assert open_kinds() == [Kind.NOBODYS]
    assert Difference.objects.get(kind=Kind.WEBHOOKS).cure == "repaired"
