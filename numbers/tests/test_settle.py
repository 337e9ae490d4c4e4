"""Whoever dies and whenever: the order is settled, and neither money nor number is lost."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from numbers import purchase, settle
from numbers.models import Number, NumberOrder, OrderLine
from numbers.order_log import advance
from numbers.place import place_order
from numbers.purchase import buy_line, purchase_number
from numbers_project.celery import app
from telephony.values import Webhooks
from wallet.models import Entry, Hold
from workspaces.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY = Decimal(50)
PRICE = Decimal("1.38")
State = OrderLine.State


@pytest.fixture
def buying(simulator) -> Callable[..., None]:
    """Make requests to buy fail."""

    def fail(kind: str, **match) -> None:
        simulator.fault(kind, method="POST", path_contains="IncomingPhoneNumbers", **match)

    return fail


@pytest.fixture
def looking(simulator) -> Callable[..., None]:
    """Make looking up owned numbers fail."""

    def fail(kind: str, **match) -> None:
        simulator.fault(kind, method="GET", path_contains="IncomingPhoneNumbers", **match)

    return fail


@pytest.fixture
def ordered(acme, owner, quote) -> Callable[[], NumberOrder]:
    return lambda: purchase_number(workspace=acme, by=owner, quote=quote)


@pytest.fixture
def placed(acme, owner, quote) -> Callable[[], OrderLine]:
    """A line whose order was placed by a process that died right then."""
    return lambda: place_order(workspace=acme, by=owner, quote=quote).lines.get()


def sweep(*, after: float = 0) -> None:
    """What the beat does, so many seconds from now."""
    with time_machine.travel(timezone.now() + timedelta(seconds=after)):
        settle.settle_due()


def state_of(order: NumberOrder) -> str:
    return order.lines.get().state


def causes(order: NumberOrder) -> list[str]:
    return list(order.lines.get().steps.order_by("pk").values_list("cause", flat=True))


def asked(simulator) -> int:
    return sum(
        request["method"] == "POST" and "IncomingPhoneNumbers" in request["path"]
        for request in simulator.requests
    )


# --- The outcome is unknown ---------------------------------------------------------------


@pytest.mark.parametrize("fault", ["answer_lost", "error_after"])
def test_what_was_bought_without_an_answer_is_adopted_at_once(
    acme, ordered, money, simulator, buying, fault
):
    buying(fault)
    order = ordered()
    assert (state_of(order), money(acme)) == (State.CHECKING, (FIFTY, PRICE))
    sweep()
    sweep()
    assert order.lines.get().number.e164 == simulator.owned()[0]["phone_number"]
    assert money(acme) == (FIFTY - PRICE, 0)
    assert causes(order) == ["placed", "asked", "no_answer", "bought"]


@pytest.mark.parametrize("fault", ["timeout_before", "server_error", "unavailable", "not_json"])
def test_a_request_that_was_lost_is_made_again(acme, ordered, money, simulator, buying, fault):
    buying(fault)
    order = ordered()
    sweep()
    assert (state_of(order), asked(simulator)) == (State.CHECKING, 1), "its caller may still wait"
    sweep(after=15)
    assert (state_of(order), asked(simulator)) == (State.DONE, 2)
    assert money(acme) == (FIFTY - PRICE, 0)
    assert len(simulator.owned()) == 1


def test_it_is_given_up_only_after_the_quiet_time(acme, ordered, money, simulator, buying):
    buying("timeout_before", times=-1)
    order = ordered()
    sweep(after=15)
    sweep(after=30)
    assert asked(simulator) == settle.MOST_CALLS
    sweep(after=85)  # 55 s after the last call
    assert (state_of(order), money(acme)) == (State.CHECKING, (FIFTY, PRICE))
    sweep(after=95)
    line = order.lines.get()
    assert (line.state, line.refusal_code) == (State.REFUSED, "no_answer")
    assert "never confirmed" in line.refusal_sentence
    assert money(acme) == (FIFTY, 0)
    assert Hold.objects.get().ended_at is not None


def test_a_purchase_that_is_carried_out_late_is_found(acme, ordered, money, simulator, buying):
    buying("timeout_before", times=-1)
    order = ordered()
    sweep(after=15)
    sweep(after=30)
    simulator.seed(order.lines.get().e164)  # the last request, carried out half a minute late
    sweep(after=60)
    assert (state_of(order), money(acme)) == (State.DONE, (FIFTY - PRICE, 0))


def test_a_provider_out_of_reach_settles_nothing(acme, ordered, money, buying, looking):
    buying("answer_lost")
    order = ordered()
    looking("timeout_before", times=-1)
    for hour in range(1, 4):
        sweep(after=3600 * hour)
    assert (state_of(order), money(acme)) == (State.CHECKING, (FIFTY, PRICE))


EVERY = int(app.conf.beat_schedule["settle unknown purchases"]["schedule"])


@pytest.mark.parametrize("out_for", [20, 60, 600])
@pytest.mark.parametrize("fault", ["answer_lost", "error_after", "timeout_before", "server_error"])
@pytest.mark.parametrize("then", ["well", "taken"])
def test_it_is_settled_within_two_minutes_of_the_provider_being_reachable(
    ordered, simulator, buying, looking, fault, then, out_for
):
    buying(fault)
    order = ordered()
    buying("timeout_before", times=-1)
    looking("timeout_before", times=-1)
    for seconds in range(EVERY, out_for, EVERY):
        sweep(after=seconds)
    assert state_of(order) == State.CHECKING
    simulator.app.faults.clear()
    if then == "taken":
        buying("taken", times=-1)
    for seconds in range(out_for, out_for + 120 + 1, EVERY):
        sweep(after=seconds)
    assert state_of(order) in (State.DONE, State.REFUSED)
    assert Hold.objects.get().ended_at is not None


def test_what_was_agreed_to_hours_ago_is_looked_for_but_not_bought(
    acme, ordered, money, simulator, buying
):
    buying("timeout_before")
    order = ordered()
    sweep(after=2 * 3600)
    assert (state_of(order), money(acme)) == (State.REFUSED, (FIFTY, 0))
    assert asked(simulator) == 1


# --- The provider says no, and may be wrong -----------------------------------------------


def test_taken_after_a_lost_answer_is_not_believed_before_the_quiet_time(
    acme, ordered, money, simulator, buying
):
    buying("timeout_before")
    buying("taken", times=-1)
    order = ordered()
    sweep(after=15)
    assert (state_of(order), money(acme)) == (State.CHECKING, (FIFTY, PRICE))
    assert causes(order)[-1] == "refused_unsure"
    sweep(after=20)
    assert asked(simulator) == 2, "it is left in peace until then"
    sweep(after=65)
    assert order.lines.get().refusal_code == "number_taken"
    assert money(acme) == (FIFTY, 0)


def test_taken_after_a_lost_answer_is_ours_if_it_turns_up(acme, ordered, money, simulator, buying):
    buying("timeout_before")
    buying("taken", times=-1)
    order = ordered()
    sweep(after=15)
    simulator.seed(order.lines.get().e164)
    sweep(after=65)
    assert (state_of(order), money(acme)) == (State.DONE, (FIFTY - PRICE, 0))


def test_taken_is_looked_into_later_if_looking_fails(acme, ordered, money, buying, looking):
    buying("taken")
    looking("server_error")
    order = ordered()
    assert (state_of(order), causes(order)[-1]) == (State.CHECKING, "taken_unsure")
    assert money(acme) == (FIFTY, PRICE)


def test_a_busy_provider_is_asked_again_at_once(acme, ordered, money, simulator, buying):
    buying("rate_limited", times=2)
    order = ordered()
    assert (state_of(order), asked(simulator)) == (State.DONE, 3)
    assert money(acme) == (FIFTY - PRICE, 0)


# --- The process dies ---------------------------------------------------------------------


class Killed(BaseException):
    """What no handler of the product catches."""


def dies(*args, **kwargs):
    raise Killed


def test_dying_before_the_call_is_finished_by_the_sweep(acme, placed, money, simulator):
    line = placed()
    sweep()
    assert state_of(line.order) == State.PLACED, "whoever placed it may be about to buy it"
    sweep(after=15)
    assert state_of(line.order) == State.DONE
    assert money(acme) == (FIFTY - PRICE, 0)
    assert len(simulator.owned()) == 1


def test_an_order_that_nobody_came_for_in_time_is_refused(acme, placed, money, simulator):
    line = placed()
    sweep(after=2 * 3600)
    line.refresh_from_db()
    assert line.refusal_code == "not_asked_in_time"
    assert (money(acme), asked(simulator)) == ((FIFTY, 0), 0)


@pytest.mark.parametrize(
    ("where", "expected_before"),
    [("provider.buy", State.BUYING), ("finish_line", State.BUYING), ("_capture", State.BUYING)],
)
def test_dying_while_buying_is_settled_by_the_sweep(
    acme, placed, money, simulator, monkeypatch, where, expected_before
):
    line = placed()
    monkeypatch.setattr(f"numbers.purchase.{where}", dies)
    with pytest.raises(Killed):
        buy_line(line)
    monkeypatch.undo()
    assert state_of(line.order) == expected_before
    sweep()
    assert state_of(line.order) == expected_before, "for all anybody knows it is still at work"
    sweep(after=15)
    assert state_of(line.order) == State.DONE
    assert (money(acme), len(simulator.owned())) == ((FIFTY - PRICE, 0), 1)
    assert "caller_gone" in causes(line.order)


def test_a_fault_of_our_own_after_the_call_leaves_it_to_the_sweep(
    acme, ordered, money, monkeypatch
):
    def broken(*args, **kwargs):
        raise ValueError("a fault of our own")

    monkeypatch.setattr(purchase, "finish_line", broken)
    order = ordered()  # and the person sees their order
    monkeypatch.undo()
    assert state_of(order) == State.BUYING
    sweep(after=15)
    assert (state_of(order), money(acme)) == (State.DONE, (FIFTY - PRICE, 0))


def test_a_sweep_that_dies_leaves_the_line_to_the_next(ordered, simulator, buying, monkeypatch):
    buying("answer_lost")
    order = ordered()
    monkeypatch.setattr("numbers.settle.finish_line", dies)
    with pytest.raises(Killed):
        sweep()
    monkeypatch.undo()
    sweep(after=15)
    assert state_of(order) == State.DONE


# --- Two at once --------------------------------------------------------------------------


def test_of_two_sweeps_only_one_takes_a_line(ordered, simulator, buying, monkeypatch):
    buying("answer_lost")
    ordered()
    stale = settle.due_lines().get()
    sweep()
    looked = len(simulator.requests)
    assert not settle.take(stale)
    assert len(simulator.requests) == looked


def test_whoever_acts_on_an_older_answer_changes_nothing(acme, ordered, money, simulator, buying):
    buying("timeout_before")
    order = ordered()
    stale = order.lines.get()
    buying("timeout_before")
    sweep(after=15)  # asked again, and again without an answer
    purchase.refuse_line(stale, settle.GaveUp(stale.e164))
    assert (state_of(order), money(acme)) == (State.CHECKING, (FIFTY, PRICE))


def test_settling_twice_charges_once(acme, ordered, money, simulator, buying):
    buying("answer_lost")
    order = ordered()
    stale = order.lines.get()
    sweep()
    settle.settle_line(stale)
    assert money(acme) == (FIFTY - PRICE, 0)
    assert Entry.objects.filter(reference=order.reference).count() == 1
    assert Number.objects.count() == 1


def test_a_number_that_has_an_owner_is_never_adopted_by_another_order(
    acme, globex, placed, money, simulator, monkeypatch
):
    line = placed()
    sid = simulator.seed(line.e164)
    theirs = _number_of(globex, line, sid)
    buy_line(line)
    line.refresh_from_db()
    assert (line.state, line.refusal_code) == (State.REFUSED, "number_taken")
    assert money(acme) == (FIFTY, 0)
    assert list(Number.objects.all()) == [theirs]


def _number_of(workspace, line, sid) -> Number:
    now = timezone.now()
    return Number.objects.create(
        workspace=workspace, e164=line.e164, country="US", number_type="local",
        capabilities=["voice"], monthly_price=1, provider_monthly_price=1, currency="USD",
        provider_sid=sid, created_at=now,
    )  # fmt: skip


def test_what_is_bought_after_it_was_given_up_is_told_to_staff(acme, placed, money, simulator):
    line = placed()
    answered = _answer_comes_late(line, simulator)
    sweep(after=2 * 3600)
    purchase.finish_line(line, answered, text="Late")
    assert state_of(line.order) == State.REFUSED
    assert money(acme) == (FIFTY, 0)
    event = AuditEvent.objects.get(action="number.orphaned")
    assert event.details == {"provider_sid": answered.sid}


def _answer_comes_late(line, simulator):
    simulator.seed(line.e164)
    found = settle.provider.find(e164=line.e164)
    simulator.app.state.reset()
    return found


# --- Webhooks -----------------------------------------------------------------------------


def test_a_number_without_webhooks_is_active_and_repaired(acme, placed, money, simulator):
    line = placed()
    simulator.seed(line.e164)  # as if the provider had ignored the addresses sent with it
    now = timezone.now()
    advance(line, to=State.BUYING, cause="asked", text="Asked", called_at=now, calls=1)
    purchase.finish_line(line, settle.provider.find(e164=line.e164), text="Found")
    number = Number.objects.get()
    assert (number.status, number.webhooks_set_at) == ("active", None)
    settle.repair_webhooks()
    number.refresh_from_db()
    assert number.webhooks_set_at is not None
    assert settle.provider.find(e164=line.e164).webhooks != Webhooks()


def test_one_number_that_cannot_be_repaired_does_not_stop_the_others(
    acme, ordered, globex, simulator
):
    order = ordered()
    line = order.lines.get()
    Number.objects.update(webhooks_set_at=None)
    gone = _number_of(globex, line=OrderLine(e164="+12125550199"), sid="PN" + "0" * 32)
    settle.repair_webhooks()
    gone.refresh_from_db()
    assert gone.webhooks_set_at is None
    assert Number.objects.get(e164=line.e164).webhooks_set_at is not None
