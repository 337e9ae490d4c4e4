"""Testing a number: each hop, each failure with its fix, and what it costs."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from interactions import usage_charges
from interactions.models import Call, Message, NumberTest, Usage
from interactions.number_test import hops_of, is_over
from interactions.plans import Answer, Answers, Hours, VoicePlan
from interactions.tests.conftest import make_number, set_route
from numbers.models import Number, RentDue
from telephony.twiml import Greeting
from telephony.webhook_urls import webhooks_for_numbers
from wallet import ledger
from wallet.models import Wallet
from wallet.precautions import set_precautions

pytestmark = pytest.mark.django_db(transaction=True)


def seed(simulator, number: Number, **fields) -> None:
    webhooks = webhooks_for_numbers(["sms", "voice"])
    values = {
        "type": "local", "voice_url": webhooks.voice_url, "sms_url": webhooks.message_url,
        "voice_fallback_url": webhooks.voice_fallback_url,
        "status_callback": webhooks.voice_status_url,
        "capabilities": {"voice": True, "sms": True, "mms": True},
    }  # fmt: skip
    sid = simulator.seed(number.e164, **values | fields)
    Number.objects.filter(pk=number.pk).update(provider_sid=sid)
    number.provider_sid = sid


@pytest.fixture
def other(acme, simulator) -> Number:
    """Another number of the workspace, from which tests can come."""
    other = make_number(acme, "+16465550177")
    seed(simulator, other)
    return other


@pytest.fixture
def start(as_owner, number, simulator):
    """Starts a test on the page; returns it."""

    def post(medium: str, sender: Number | None = None, key: str = "") -> NumberTest:
        form = {"medium": medium, "sender": sender.public_id if sender else "",
                "key": key or str(uuid.uuid4())}  # fmt: skip
        response = as_owner.post(f"/w/acme/numbers/{number.public_id}/test/start/", form)
        assert response.status_code == 302
        return NumberTest.objects.get(public_id=response["Location"].rstrip("/").rsplit("/")[-1])

    return post


def states(test: NumberTest) -> dict[str, str]:
    test.refresh_from_db()
    return {hop.name: hop.state for hop in hops_of(test)}


def last(test: NumberTest):
    return hops_of(NumberTest.objects.get(pk=test.pk))[-1]


def finish(simulator) -> None:
    simulator.run()
    usage_charges.settle_due()


def test_a_call_from_another_number_goes_the_whole_way(number, other, start, simulator):
    seed(simulator, number)
    test = start("voice", other)
    finish(simulator)
    assert list(states(test).values()) == ["done"] * 7
    assert is_over(hops_of(test))
    assert Call.objects.get(direction="in").conversation.contact == other.e164
    assert last(test).words == "$0.0102"


def test_the_route_is_the_one_that_was_chosen_for_the_call(number, other, owner, start, simulator):
    """By business hours the closed answer, though the summary begins with the hours; and
    whatever the route says by now.
    """
    seed(simulator, number)
    closed = Answer(Answers.SAY, greeting=Greeting("We are closed."))
    hours = Hours(days=((),) * 7)
    set_route(number, owner, VoicePlan(Answer(Answers.VOICEMAIL), hours, closed).write())
    test = start("voice", other)
    simulator.run()
    set_route(number, owner, VoicePlan(Answer(Answers.VOICEMAIL)).write())
    test.refresh_from_db()
    told = {hop.name: hop.words for hop in hops_of(test)}
    assert "We are closed." in told["The route was chosen"]


def test_a_message_from_another_number_goes_the_whole_way(number, other, start, simulator):
    seed(simulator, number)
    test = start("message", other)
    finish(simulator)
    assert list(states(test).values()) == ["done"] * 7
    assert Message.objects.get(direction="in").body == "This is a test message of your number."


def test_the_call_out_is_held_and_charged_for_its_minutes(acme, number, other, start, simulator):
    seed(simulator, number)
    start("voice", other)
    assert Wallet.objects.get(workspace=acme).held == Decimal("0.0168")
    finish(simulator)
    Usage.objects.update(next_try_at=timezone.now())
    usage_charges.settle_due()
    wallet = Wallet.objects.get(workspace=acme)
    assert (wallet.balance, wallet.held) == (Decimal(50) - Decimal("0.0270"), 0)


def test_the_same_form_twice_is_one_test_and_one_call(number, other, start, simulator):
    seed(simulator, number)
    key = str(uuid.uuid4())
    assert start("voice", other, key) == start("voice", other, key)
    assert Call.objects.filter(direction="out").count() == 1


def test_with_ones_own_phone_it_waits_and_then_goes_the_whole_way(number, start, simulator):
    seed(simulator, number)
    test = start("voice")
    assert last(test).state == "waiting"
    assert "Use your phone now" in last(test).words
    simulator.call(caller="+14155550111", called=number.e164, person=simulator.person(speaks=2))
    finish(simulator)
    assert list(states(test).values()) == ["done"] * 6


def test_a_number_that_the_carrier_has_not_is_said(number, other, start, simulator):
    test = start("voice", other)
    assert last(test).state == "failed"
    assert "does not have it in the account any more" in last(test).words


def test_a_webhook_that_leads_elsewhere_is_said_and_put_right(number, other, start, simulator):
    seed(simulator, number, voice_url="https://old.example.com/voice")
    test = start("voice", other)
    assert last(test).words.startswith("They are sent to https://old.example.com/voice")
    assert last(test).fix.label == "Test again"
    number.refresh_from_db()
    assert number.webhooks_set_at is None  # the repair of webhooks takes it from here


def test_a_number_that_is_switched_off_is_said(number, other, start, simulator):
    seed(simulator, number)
    Number.objects.filter(pk=number.pk).update(deactivated_at=timezone.now())
    test = start("voice", other)
    finish(simulator)
    assert "turned away: the number is switched off" in last(test).words


def test_a_wrong_token_is_said(number, other, start, simulator):
    seed(simulator, number)
    simulator.app.postman.token = "another-token"
    test = start("voice", other)
    finish(simulator)
    assert "wrong signature" in last(test).words
    assert "TWILIO_AUTH_TOKEN or PUBLIC_BASE_URL is wrong" in last(test).words


def test_nothing_within_a_minute_is_said(number, start, simulator):
    seed(simulator, number)
    test = start("voice")
    with time_machine.travel(timezone.now() + timedelta(seconds=90)):
        assert last(test).state == "failed"
        assert "Nothing has arrived within a minute" in last(test).words


def test_too_little_money_is_said_before_anything_is_sent(acme, number, other, start, simulator):
    seed(simulator, number)
    wallet = Wallet.objects.get(workspace=acme)
    ledger.charge(wallet=wallet, kind="usage", amount=Decimal("49.99"), key="k", text="t")
    test = start("voice", other)
    assert "$0.01 is available and this costs $0.0168" in last(test).words
    assert not Call.objects.exists()


def test_money_kept_for_rent_is_out_of_reach_of_calls(acme, owner, number, other, start, simulator):
    seed(simulator, number)
    set_precautions(workspace=acme, by=owner, alert_below=None, keep_days=10)
    RentDue.objects.update(due_at=timezone.now() + timedelta(days=5), price=Decimal(50))
    with_rent_kept = start("voice", other)
    simulator.run()
    assert "failed" in states(with_rent_kept).values()
    assert Wallet.objects.get(workspace=acme).held == 0
    assert not simulator.app.exchange.calls
    set_precautions(workspace=acme, by=owner, alert_below=None, keep_days=4)
    start("voice", other)
    assert Wallet.objects.get(workspace=acme).held == Decimal("0.0168")


def test_a_carrier_that_refuses_the_call_is_said(acme, number, other, start, simulator):
    seed(simulator, number)
    simulator.fault("rate_limited", method="POST", path_contains="Calls")
    test = start("voice", other)
    assert "The carrier has a problem or is busy" in last(test).words
    assert Wallet.objects.get(workspace=acme).held == 0


def test_a_lost_answer_does_not_lose_the_call(number, other, start, simulator):
    seed(simulator, number)
    simulator.fault("answer_lost", method="POST", path_contains="Calls")
    test = start("voice", other)
    finish(simulator)
    assert list(states(test).values()) == ["done"] * 7


def test_the_pages_show_prices_first_and_hops_after(
    as_owner, number, other, start, simulator, django_assert_max_num_queries
):
    seed(simulator, number)
    page = as_owner.get(f"/w/acme/numbers/{number.public_id}/test/").content.decode()
    assert "Test for $0.027 at most" in page
    assert "What arrives costs $0.0102 a minute." in page
    test = start("voice", other)
    finish(simulator)
    page = as_owner.get(test.get_absolute_url()).content.decode()
    assert "The charge was made" in page
    assert "hx-trigger" not in page.split('id="hops"')[1].split(">")[0]


def test_who_may_test(as_viewer, as_member, as_outsider, number, other, other_number, simulator):
    address = f"/w/acme/numbers/{number.public_id}/test/"
    form = {"medium": "voice", "sender": other_number.public_id, "key": str(uuid.uuid4())}
    assert as_viewer.get(address).status_code == 403
    assert as_viewer.post(f"{address}start/", form).status_code == 403
    assert as_outsider.get(address).status_code == 404
    assert as_member.get(address).status_code == 200
    assert as_member.post(f"{address}start/", form).status_code == 404  # not a number of theirs
    assert as_member.post(f"{address}start/", {"medium": "smoke"}).status_code == 302
    assert as_member.get(f"{address}start/").status_code in (404, 405)
    assert not NumberTest.objects.exists()
