"""The money of forwarded calls: set aside first, and promised once, however many there are.

What becomes of it is in test_through_simulator.py.
"""

import threading
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta
from decimal import Decimal
from importlib import import_module
from time import monotonic

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from interactions import catch_up, usage_charges
from interactions.answering import HANGING_UP_SECONDS, answer_call
from interactions.models import ArrivedForNobody, Call, CallLeg, Conversation, Usage
from interactions.out_of_money import missing_for_what_arrives, promised
from interactions.plans import Answer, Answers, Hours, VoicePlan
from interactions.receive import receive_call
from interactions.tests.conftest import set_route, sid
from numbers.models import RentDue
from telephony.payloads import IncomingCall
from telephony.twiml import Greeting
from wallet import ledger
from wallet.models import Hold, Wallet
from wallet.precautions import set_precautions

pytestmark = pytest.mark.django_db(transaction=True)

MONEY = import_module("interactions.migrations.0083_received_with_its_money")
FUNCTIONS = f"{MONEY.PROMISE} {MONEY.FORWARD} {MONEY.RECEIVE_CALL}".replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
PHONES = ("+13105550101", "+13105550102")


@pytest.fixture
def forwards(owner, number, provider):
    """Sets a route that forwards, at a price a minute."""

    def set_forward(minute_price: str, **facts) -> None:
        plan = VoicePlan(Answer(kind=Answers.FORWARD, **{"phones": PHONES} | facts))
        set_route(number, owner, plan.write(), minute_price=minute_price)

    return set_forward


@pytest.fixture
def ring(number, provider):
    """Calls the number; returns for how many seconds it may be forwarded, 0 if refused."""
    provider.client.get("/healthz")  # the middleware is loaded before threads ask for it

    def call(call_sid: str = "") -> int:
        _sid, response = provider.call(number.e164, call_sid=call_sid, caller=a_caller())
        verb = ET.fromstring(response.content)[0]
        return int(verb.get("timeLimit")) + HANGING_UP_SECONDS if verb.tag == "Dial" else 0

    return call


def a_caller() -> str:
    return f"+1415{int(sid()[2:], 16) % 7_000_000 + 2_000_000}"


def wallet_of(workspace) -> Wallet:
    return Wallet.objects.get(workspace=workspace)


def spend(workspace, amount: str) -> None:
    ledger.charge(wallet=wallet_of(workspace), kind="usage", amount=Decimal(amount), key="k",
                  text="t")  # fmt: skip


@pytest.mark.parametrize(
    ("minute_price", "minutes", "aside"),
    [
        ("0.0270", 240, "0.81"),  # four hours at most, of which half an hour is set aside
        ("0.20", 125, "6"),  # half of the money
        ("2.00", 12, "24"),
        ("3.00", 10, "30"),  # ten minutes at least
        ("5.00", 10, "50"),  # all of it, where it lasts no longer
        ("60.00", 1, "50"),  # a minute, where there is any money
    ],
)
def test_half_an_hour_is_set_aside_and_half_of_the_money_promised(
    acme, forwards, ring, minute_price, minutes, aside
):
    forwards(minute_price)
    assert ring() == minutes * 60
    call = Call.objects.get()
    assert (wallet_of(acme).held, call.hold.amount) == (Decimal(aside), Decimal(aside))
    assert call.may_cost == Decimal(minute_price) * minutes
    assert call.hold.key == f"usage:forward:{call.sid}"


def test_a_repeat_gets_the_first_answer_and_sets_nothing_more_aside(acme, forwards, ring):
    forwards("0.20")
    call_sid = sid()
    first = ring(call_sid)
    spend(acme, "30")
    assert ring(call_sid) == first == 125 * 60
    assert Hold.objects.count() == 1


def test_the_next_round_of_phones_has_the_same_limit(forwards, number, provider):
    forwards("0.20", together=False)
    call_sid, response = provider.call(number.e164)
    dial = ET.fromstring(response.content)[0]
    form = {"CallSid": call_sid, "DialCallStatus": "no-answer"}
    [after] = ET.fromstring(provider.post(dial.get("action"), form).content)
    assert (after[0].text, after.get("timeLimit")) == (PHONES[1], "7498")
    assert Hold.objects.count() == 1


def test_phones_that_may_pick_up_before_the_whisper_are_set_aside_too(acme, forwards, ring):
    forwards("0.0270", whisper=True)
    ring()
    assert wallet_of(acme).held == Decimal("0.0270") * 32


def test_each_call_gets_half_of_what_the_others_left(acme, forwards, ring):
    forwards("0.20")
    limits = [ring() // 60 for _ in range(6)]
    assert limits == [125, 62, 31, 16, 10, 6]
    assert ring() == 0
    assert sum(limits) * Decimal("0.20") == 50


HOURS = Hours(days=(((time(0), time(0)),),) * 7)


@pytest.mark.parametrize(
    ("facts", "hours", "trips"),
    [({}, None, 1), ({"whisper": True}, None, 1), ({}, HOURS, 2), ({"whisper": True}, HOURS, 2)],
)
def test_it_is_set_aside_as_the_call_is_stored_or_when_the_hour_is_known(
    number, owner, provider, facts, hours, trips, django_assert_num_queries
):
    closed = Answer(kind=Answers.SAY, greeting=Greeting("We are closed."))
    plan = VoicePlan(
        Answer(kind=Answers.FORWARD, phones=PHONES, **facts), hours, closed if hours else None
    )
    set_route(number, owner, plan.write(), minute_price="0.20")
    provider.client.get("/healthz")
    with django_assert_num_queries(trips):
        provider.call(number.e164, caller="+14155550123")
    call = Call.objects.select_related("hold").get()
    assert call.hold is not None
    others = len(PHONES) if facts else 0
    assert (call.limit_seconds, call.may_cost) == (125 * 60, (125 + others) * Decimal("0.20"))
    assert (call.hold.amount, call.hold.text, call.hold.reference) == (
        (30 + others) * Decimal("0.20"), "Forwarded call from +1 415-555-0123", call.public_id,
    )  # fmt: skip


class TakesAll:
    """What ``settings.INBOUND_ANSWERERS`` may name."""

    def voice(self, call) -> str | None:
        return "<Response><Hangup/></Response>"

    def message(self, message) -> bool:
        return False


def test_nothing_is_set_aside_for_what_is_not_forwarded(acme, forwards, number, provider, settings):
    forwards("0.20")
    settings.INBOUND_ANSWERERS = [f"{__name__}.TakesAll"]
    provider.call(number.e164)
    settings.INBOUND_ANSWERERS = []
    lost = {"From": a_caller(), "To": number.e164}
    provider.status(sid("CA"), "completed", seconds=7, **lost)  # its arrival was lost
    provider.post("voice/", {"FaxSid": sid("FX"), "From": a_caller(), "To": number.e164})
    assert Call.objects.count() == 3
    assert (wallet_of(acme).held, Hold.objects.count()) == (0, 0)


def test_a_voicemail_sets_nothing_aside(number, provider):
    provider.call(number.e164)
    assert not Hold.objects.exists()


def test_money_that_is_kept_for_rent_answers_a_call_all_the_same(acme, owner, forwards, ring):
    set_precautions(workspace=acme, by=owner, alert_below=None, keep_days=10)
    RentDue.objects.update(due_at=timezone.now() + timedelta(days=5), price=Decimal(50))
    forwards("5.00")
    assert ring() == 600


def test_on_credit_nothing_is_set_aside_and_nothing_promised_twice(acme, forwards, ring):
    Wallet.objects.update(credit_limit=Decimal(20))
    spend(acme, "50")
    forwards("2.00")
    assert [ring(), ring()] == [600, 0]
    assert wallet_of(acme).held == 0


# --- Until it is paid ----------------------------------------------------------------------


def ends(provider, *, seconds: int) -> Call:
    call = Call.objects.latest("at")
    provider.status(call.sid, "completed", seconds=seconds)
    return Call.objects.get(pk=call.pk)


def an_hour_later() -> None:
    Call.objects.filter(ended_at__isnull=False).update(ended_at=timezone.now() - timedelta(hours=1))


def test_what_a_long_call_costs_is_promised_to_nobody_else_before_it_is_paid(
    acme, forwards, ring, provider
):  # fmt: skip
    """Its end is known, and its parts are not yet: 6 of 25 are set aside."""
    forwards("0.20")
    assert ring() == 125 * 60
    ends(provider, seconds=124 * 60)
    assert ring() == 62 * 60
    an_hour_later()
    usage_charges.settle_due()
    catch_up.ask_for_lost_parts()  # the carrier does not know this call
    usage_charges.settle_due()
    [first, second] = Call.objects.order_by("at")
    assert (first.paid_at is not None, second.paid_at) == (True, None)
    spent = 50 - wallet_of(acme).balance
    assert spent == 124 * Decimal("0.0102")  # the way in alone
    assert promised(acme.pk) == 62 * Decimal("0.20") - 6, "only the other call's"


def test_a_short_call_leaves_the_rest_to_others_at_its_end(forwards, ring, provider):
    forwards("0.20")
    ring()
    ends(provider, seconds=60)
    assert ring() == 110 * 60  # half of what is not set aside: 44


def test_on_credit_too_it_is_promised_until_it_is_paid(acme, forwards, ring, provider):
    Wallet.objects.update(credit_limit=Decimal(20))
    spend(acme, "50")
    forwards("2.00")
    assert ring() == 600
    call = ends(provider, seconds=600)
    assert ring() == 0
    Call.objects.filter(pk=call.pk).update(asked_for_parts_at=timezone.now())
    usage_charges.settle_due()
    assert Call.objects.get(pk=call.pk).paid_at is not None
    assert ring() == 540  # the way in has cost 0.102 of it


def test_what_is_missing_counts_what_is_promised(acme, owner, forwards, ring):
    forwards("5.00")
    assert (ring(), missing_for_what_arrives(acme.pk)) == (600, Decimal("0.01"))
    Wallet.objects.update(credit_limit=Decimal(1))
    Call.objects.update(may_cost=Decimal(60))  # 50 of it set aside
    assert promised(acme.pk) == 10
    assert missing_for_what_arrives(acme.pk) == Decimal("9.01")


def test_what_was_set_aside_stays_for_a_part_that_cannot_be_paid(acme, forwards, ring, provider):
    """36 is to be paid, 6 is set aside and only 24 is left beside it."""
    forwards("0.20")
    ring()
    call = ends(provider, seconds=3600)
    spend(acme, "20")
    leg = CallLeg.objects.create(
        workspace=acme, call=call, sid=sid(), e164=PHONES[0], status="completed", seconds=3600,
        ended_at=timezone.now(), settled_at=timezone.now(),
    )  # fmt: skip
    usage = Usage.objects.create(
        workspace=acme, kind="call_out", call=call, leg=leg, state="due", quantity=60,
        unit_price=Decimal("0.6"), amount=Decimal("36"), currency="USD", at=timezone.now(),
        next_try_at=timezone.now(),
    )  # fmt: skip
    usage_charges.charge(usage)
    usage.refresh_from_db()
    assert (usage.state, usage.owed_since is not None) == ("due", True)
    assert (wallet_of(acme).balance, wallet_of(acme).held) == (30, 6)
    ledger.credit(wallet=wallet_of(acme), amount=Decimal(6), contra="bank", key="more", text="t")
    usage_charges.charge(usage)
    assert (wallet_of(acme).balance, wallet_of(acme).held) == (0, 0)


# --- While somebody else has the wallet -----------------------------------------------------


@pytest.fixture
def locked():
    """Another connection keeps a row locked until it is told; ``locked(queryset)``."""
    is_locked, may_go = threading.Event(), threading.Event()
    threads = []

    def keep(rows) -> None:
        def hold() -> None:
            try:
                with transaction.atomic():
                    assert list(rows.select_for_update())
                    is_locked.set()
                    assert may_go.wait(60)
            finally:
                connection.close()

        threads.append(threading.Thread(target=hold))
        threads[0].start()
        assert is_locked.wait(10)

    keep.end = lambda: (may_go.set(), *(thread.join(10) for thread in threads))
    yield keep
    keep.end()


def test_a_locked_wallet_keeps_no_caller_waiting(acme, forwards, number, provider, locked):
    forwards("0.20", fallback=Answer(Answers.SAY, greeting=Greeting("Call again, please.")))
    locked(Wallet.objects.filter(workspace=acme))
    began = monotonic()
    call_sid, response = provider.call(number.e164)
    assert monotonic() - began < 6
    assert (response.status_code, b"Call again, please." in response.content) == (200, True)
    locked.end()
    _sid, again = provider.call(number.e164, call_sid=call_sid)
    assert again.content == response.content, "asked again, it is the same"
    assert not Hold.objects.exists()
    assert b"<Dial" in provider.call(number.e164)[1].content


def test_without_a_fallback_voicemail_takes_the_call(acme, forwards, number, provider, locked):
    forwards("0.20")
    locked(Wallet.objects.filter(workspace=acme))
    assert b"<Record" in provider.call(number.e164)[1].content


def test_a_locked_conversation_is_answered_politely(number, provider, locked):
    provider.call(number.e164)
    locked(Conversation.objects.all())
    began = monotonic()
    _sid, response = provider.call(number.e164)
    assert monotonic() - began < 6
    assert (response.status_code, b"cannot be connected" in response.content) == (200, True)


# --- At once ------------------------------------------------------------------------------


@pytest.fixture
def slowly(request):
    """The functions take their time between looking and holding; ``off``: without the lock."""
    slow = FUNCTIONS.replace(
        "    IF v_free <= 0 THEN", "    PERFORM pg_sleep(0.2);\n    IF v_free <= 0 THEN"
    )
    if request.param == "off":
        slow = slow.replace("FOR NO KEY UPDATE SKIP LOCKED", "").replace("FOR NO KEY UPDATE", "")
    assert slow.count("pg_sleep") == 1
    with connection.cursor() as cursor:
        cursor.execute(slow)
        yield
        cursor.execute(FUNCTIONS)


def at_once(ring, count: int = 8) -> list[int]:
    together = threading.Barrier(count)

    def one(_n: int) -> int:
        try:
            together.wait()
            return ring()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


@pytest.mark.parametrize("slowly", ["on"], indirect=True)
def test_eight_calls_at_once_are_promised_no_more_than_there_is(acme, forwards, ring, slowly):
    forwards("0.20")
    limits = sorted(at_once(ring), reverse=True)
    assert limits == [60 * n for n in (125, 62, 31, 16, 10, 6, 0, 0)]
    assert sum(limits) // 60 * Decimal("0.20") == 50


@pytest.mark.parametrize("slowly", ["off"], indirect=True)
def test_without_the_lock_they_would_be(acme, forwards, ring, slowly):
    forwards("0.20")
    assert sum(at_once(ring)) // 60 * Decimal("0.20") > 50


def test_who_was_received_and_finds_all_promised_is_turned_away_politely(
    acme, owner, forwards, number, provider
):
    forwards("5.00")
    calls = [
        IncomingCall(sid=sid(), caller=a_caller(), called=number.e164, status="ringing",
                     forwarded_from="", is_fax=False)
        for _ in range(2)
    ]  # fmt: skip
    first, second = [receive_call(call) for call in calls]
    assert "<Dial" in answer_call(first)
    assert "<Reject" in answer_call(second)
    assert "<Reject" in answer_call(receive_call(calls[1])), "asked again, it is the same"
    provider.status(calls[1].sid, "busy", seconds=0)
    assert Call.objects.get(sid=calls[1].sid).outcome == "missed"
    assert [message.to for message in mail.outbox] == [[owner.email]]
    assert provider.call(number.e164)[1].content.count(b"<Reject") == 1
    assert ArrivedForNobody.objects.get().because == "no_money"
