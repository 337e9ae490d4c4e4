"""Testing a number: each hop, each failure with its fix, and what it costs."""

import uuid
from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
import time_machine
from django.utils import timezone
from django.utils.html import escape

from interactions import catch_up, usage_charges
from interactions.hops import Hop, hops_of, is_over
from interactions.models import ArrivedForNobody, Call, Message, NumberTest, Usage
from interactions.number_test import test_price as price_of_test
from interactions.number_test import too_little
from interactions.plans import Answer, Answers, Hours, VoicePlan
from interactions.receive import receive_call
from interactions.tests.conftest import make_number, set_route, sid
from numbers.models import Number, RentDue
from telephony.payloads import IncomingCall
from telephony.twiml import Greeting
from telephony.webhook_urls import webhooks_for_numbers
from wallet import ledger
from wallet.models import Wallet
from wallet.precautions import set_precautions
from workspaces.models import Membership, User

FORWARD = VoicePlan(Answer(Answers.FORWARD, phones=("+13105550101",)))
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


def look(test: NumberTest, by: User | None = None) -> list[Hop]:
    test = NumberTest.objects.get(pk=test.pk)
    who = Membership.objects.get(workspace=test.workspace, user=by or test.started_by)
    return hops_of(test, who)


def states(test: NumberTest) -> dict[str, str]:
    return {hop.name: hop.state for hop in look(test)}


def last(test: NumberTest) -> Hop:
    return look(test)[-1]


def offers(hop: Hop) -> dict[str, str]:
    """What mends a failed hop: each link or button and where it leads."""
    assert hop.state in ("failed", "unknown"), hop
    return {way.fix.label: way.fix.url for way in hop.ways}


def add_funds(amount: str, number: Number) -> str:
    back = quote(f"/w/acme/numbers/{number.public_id}/test/", safe="")
    return f"/w/acme/wallet/add/?missing={amount}&next={back}"


def spend(workspace, amount: str, key: str = "k") -> None:
    wallet = Wallet.objects.get(workspace=workspace)
    ledger.charge(wallet=wallet, kind="usage", amount=Decimal(amount), key=key, text="t")


def finish(simulator) -> None:
    simulator.run()
    usage_charges.settle_due()


def test_a_call_from_another_number_goes_the_whole_way(number, other, start, simulator):
    seed(simulator, number)
    test = start("voice", other)
    finish(simulator)
    assert list(states(test).values()) == ["done"] * 7
    assert is_over(look(test))
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
    told = {hop.name: hop.words for hop in look(test)}
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
    check = f"/w/acme/numbers/{number.public_id}/check/"
    assert offers(last(test)) == {"Compare and set right": check}


def test_a_carrier_that_does_not_answer_says_nothing_of_the_number(number, other, start, simulator):
    seed(simulator, number)
    simulator.fault("server_error", method="GET", path_contains="IncomingPhoneNumbers")
    test = start("voice", other)
    finish(simulator)
    hops = look(test)
    assert (hops[0].state, hops[0].words) == (
        "unknown", "The carrier did not answer when it was asked.",
    )  # fmt: skip
    assert [hop.state for hop in hops[1:]] == ["done"] * 5


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"voice_url": ""}, "They go nowhere."),
        ({"voice_method": "GET"}, "/webhooks/twilio/voice/."),
    ],
)
def test_a_webhook_that_nobody_meant_is_put_right(number, other, start, simulator, fields, words):
    seed(simulator, number, **fields)
    test = start("voice", other)
    assert f"{words} It is being put right" in last(test).words
    assert list(offers(last(test))) == ["Test again"]
    number.refresh_from_db()
    assert number.webhooks_set_at is None  # the repair of webhooks takes it from here


@pytest.mark.parametrize(
    ("medium", "fields", "where"),
    [
        ("voice", {"voice_url": "https://x.example.com/voice"}, "https://x.example.com/voice"),
        ("message", {"sms_url": "https://x.example.com/sms"}, "https://x.example.com/sms"),
        ("voice", {"voice_application_sid": "AP" + "1" * 32}, "the application AP1111"),
        ("voice", {"trunk_sid": "TK" + "1" * 32}, "the trunk TK1111"),
        ("message", {"sms_application_sid": "AP" + "1" * 32}, "the application AP1111"),
    ],
)
def test_what_somebody_has_set_at_the_carrier_is_not_undone_without_a_word(
    number, other, start, simulator, medium, fields, where
):
    seed(simulator, number, **fields)
    test = start(medium, other)
    assert last(test).words.startswith(f"They are sent to {where}")
    assert "which somebody has set at the carrier. Compare it" in last(test).words
    check = f"/w/acme/numbers/{number.public_id}/check/"
    assert offers(last(test)) == {"Compare and set right": check}
    number.refresh_from_db()
    assert number.webhooks_set_at is not None


def test_a_messaging_service_that_takes_the_messages_is_said(number, other, start, simulator):
    seed(simulator, number)
    simulator.service(number.provider_sid, inbound_request_url="https://x.example.com/in")
    test = start("message", other)
    assert last(test).words.startswith("They are sent to the messaging service Marketing")
    assert list(offers(last(test))) == ["Compare and set right"]
    assert start("voice", other).points_here is True


BECAUSE = {
    "deactivated": ("the number is switched off", "Switch it on", "{number}activate/"),
    "suspended": ("monthly fee is overdue", "See what is overdue", "/w/acme/numbers/overdue/"),
    "parked": ("the number is being released", "Undo the release", "{number}release/undo/"),
    "vanished": ("the number was marked as gone", "Compare and set right", "{number}check/"),
}


@pytest.mark.parametrize("because", BECAUSE)
@pytest.mark.parametrize("medium", ["voice", "message"])
def test_what_was_turned_away_is_said_with_what_mends_it(
    number, other, start, simulator, because, medium
):
    seed(simulator, number)
    Number.objects.filter(pk=number.pk).update(**{f"{because}_at": timezone.now()})
    test = start(medium, other)
    finish(simulator)
    words, label, url = BECAUSE[because]
    assert words in last(test).words
    assert offers(last(test)) == {label: url.format(number=number.get_absolute_url())}


def test_who_may_not_mend_it_is_told_who_may(acme, member, number, other, start, simulator):
    seed(simulator, number)
    Number.objects.filter(pk=number.pk).update(parked_at=timezone.now())
    test = start("voice", other)
    finish(simulator)
    hop = look(test, member)[-1]
    assert "Ask Olivia to undo the release." in hop.words
    assert offers(hop) == {}


def test_another_medium_that_is_turned_away_says_nothing_of_this_one(number, start, simulator):
    seed(simulator, number)
    test = start("voice")
    Number.objects.filter(pk=number.pk).update(deactivated_at=timezone.now())
    simulator.text(sender="+14155550111", recipient=number.e164, body="Hello")
    simulator.run()
    assert ArrivedForNobody.objects.count() == 1
    assert last(test).state == "waiting"


def test_a_wrong_token_is_said(number, other, start, simulator):
    seed(simulator, number)
    simulator.app.postman.token = "another-token"
    test = start("voice", other)
    finish(simulator)
    assert "wrong signature" in last(test).words
    assert list(offers(last(test))) == ["Write to support"]


def test_nothing_within_a_minute_is_said(number, start, simulator):
    seed(simulator, number)
    test = start("voice")
    with time_machine.travel(timezone.now() + timedelta(seconds=90)):
        assert last(test).state == "failed"
        assert "Nothing has arrived within a minute. If you did use your phone" in last(test).words
        assert list(offers(last(test))) == ["Why isn’t it working?", "Test again"]


def test_a_call_whose_webhook_was_lost_is_said(number, start, simulator):
    """The caller heard the fallback, and the end of the call told us that there was one."""
    seed(simulator, number)
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/twilio/voice/", times=1)
    test = start("voice")
    simulator.call(caller="+14155550111", called=number.e164)
    finish(simulator)
    assert Call.objects.get(direction="in").found_late
    assert "did not arrive: it was found later" in last(test).words
    assert list(offers(last(test))) == ["Why isn’t it working?", "Test again"]


def test_a_message_whose_webhook_was_lost_is_said(number, other, start, simulator):
    seed(simulator, number)
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/twilio/message/", times=-1)
    test = start("message", other)
    finish(simulator)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        catch_up.catch_up()
    assert Message.objects.get(direction="in").found_late
    assert "did not arrive: it was found later" in last(test).words


def test_a_call_in_a_circle_is_said(number, other, owner, start, simulator):
    seed(simulator, number)
    set_route(number, owner, FORWARD.write(), minute_price="0.0270")
    test = start("voice", other)
    finish(simulator)
    Call.objects.filter(direction="in").update(is_loop=True)
    assert "The same caller was calling twice already" in last(test).words
    assert list(offers(last(test))) == ["Change who answers", "Test again"]


def test_money_that_is_promised_to_other_calls_is_said(number, other, owner, start, simulator):
    seed(simulator, number)
    set_route(number, owner, FORWARD.write(), minute_price="60")
    test = start("voice", other)
    Wallet.objects.update(credit_limit=Decimal(10))
    arrived = receive_call(
        IncomingCall(sid=sid(), caller=other.e164, called=number.e164, status="ringing",
                     forwarded_from="", is_fax=False)
    )  # fmt: skip
    Call.objects.filter(pk=arrived.id).update(limit_seconds=0)
    assert "all the money is promised to other calls" in last(test).words
    assert list(offers(last(test))) == ["Add funds", "Test again"]


def test_an_end_that_is_not_reported_is_said(number, other, start, simulator):
    seed(simulator, number)
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/voice/status/", times=-1)
    test = start("voice", other)
    finish(simulator)
    assert last(test).state == "waiting"
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert "The end of the call has not been reported" in last(test).words
        assert list(offers(last(test))) == ["Why isn’t it working?"]


def test_a_charge_that_could_not_be_paid_is_said_with_what_is_missing(
    acme, number, other, start, simulator
):
    seed(simulator, number)
    test = start("voice", other)
    simulator.run()
    spend(acme, "49.98")
    usage_charges.settle_due()
    Usage.objects.filter(kind="call_in").update(amount=Decimal("3.5"), state="due", entry=None,
                                                owed_since=timezone.now())  # fmt: skip
    assert last(test).name == "The charge was made"
    assert list(offers(last(test))) == ["Add funds"]
    assert "missing=3.50" in offers(last(test))["Add funds"]


def test_a_charge_that_nobody_makes_is_said(number, other, start, simulator):
    seed(simulator, number)
    test = start("message", other)
    simulator.run()
    Usage.objects.filter(kind="sms_in").delete()
    Message.objects.update(settled_at=None)
    assert last(test).state == "waiting"
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert "background work of this site may stand still" in last(test).words
        assert list(offers(last(test))) == ["Write to support"]


def test_what_has_no_rate_is_charged_once_the_carrier_says(number, other, start, simulator):
    seed(simulator, number)
    test = start("message", other)
    simulator.run()
    Usage.objects.filter(kind="sms_in").update(state="due", entry=None, amount=None)
    assert (last(test).state, list(offers(last(test)))) == ("unknown", ["See the rates"])


def test_a_forwarded_test_shows_and_charges_its_phone_too(
    as_owner, number, other, owner, start, simulator
):
    seed(simulator, number)
    set_route(number, owner, FORWARD.write(), minute_price="0.0270")
    page = as_owner.get(f"/w/acme/numbers/{number.public_id}/test/").content.decode()
    assert "Test for $0.0438 at most" in page  # 0.0168 out, 0.0102 in, 0.0168 on
    assert "What arrives costs $0.027 a minute at most, the phones" in page
    simulator.phone(FORWARD.answer.phones[0], picks_up_after=2, talks=5)
    test = start("voice", other)
    finish(simulator)
    assert (last(test).name, last(test).words) == ("The charge was made", "$0.027")


def test_too_little_money_is_said_before_anything_is_sent(acme, number, other, start, simulator):
    seed(simulator, number)
    spend(acme, "49.99")
    test = start("voice", other)
    assert "$0.01 is available and a test costs $0.027 at most. Add $0.02" in last(test).words
    assert offers(last(test)) == {"Add funds": add_funds("0.02", number)}
    assert not Call.objects.exists()
    ledger.credit(wallet=Wallet.objects.get(workspace=acme), amount=Decimal(1), contra="bank",
                  key="more", text="t")  # fmt: skip
    assert list(offers(last(test))) == ["Test again"]


def test_the_page_offers_what_is_missing_beside_the_price(
    as_owner, as_member, acme, number, other, simulator
):
    address = f"/w/acme/numbers/{number.public_id}/test/"
    spend(acme, "49.98")  # enough to send, and then nothing is left for what arrives
    page = as_owner.get(address).content.decode()
    assert page.count("$0.02 is available and a test costs $0.027 at most. Add $0.01 or more.") == 1
    assert escape(add_funds("0.01", number)) in page
    assert page.count("Test for") == 1, "a text costs less"
    spend(acme, "0.02", key="rest")
    page = as_owner.get(address).content.decode()
    assert "Test for" not in page
    assert "Use my own phone" not in page
    page = as_member.get(address).content.decode()
    assert "Ask Olivia to add funds." in page
    assert "/wallet/add/" not in page


def test_the_page_says_that_what_is_left_is_kept_for_rent(
    as_owner, acme, owner, number, other, simulator
):
    set_precautions(workspace=acme, by=owner, alert_below=None, keep_days=10)
    RentDue.objects.update(due_at=timezone.now() + timedelta(days=5), price=Decimal(50))
    page = as_owner.get(f"/w/acme/numbers/{number.public_id}/test/").content.decode()
    assert "of it is kept for the rent ahead, and a test costs $0.027 at most." in page
    assert 'href="/w/acme/wallet/precautions/">Keep fewer days of rent' in page
    assert "Use my own phone" in page, "what arrives may use it"


def test_on_credit_a_test_is_paid_as_far_as_what_arrives(acme, number, simulator):
    seed(simulator, number)
    spend(acme, "50")
    price = price_of_test(number, "voice")
    assert too_little(number, price, sends=False).missing == Decimal("0.0102")
    Wallet.objects.update(credit_limit=Decimal(1))
    assert too_little(number, price, sends=False) is None
    assert too_little(number, price, sends=True).missing == Decimal("0.0168")


def test_what_could_not_be_paid_is_missing_too(acme, number, other, start, simulator):
    seed(simulator, number)
    start("message", other)
    finish(simulator)
    usage = Usage.objects.filter(kind="sms_in")
    usage.update(state="due", entry=None, owed_since=timezone.now(), amount=Decimal(60))
    short = too_little(number, price_of_test(number, "message"), sends=False)
    assert short.sentence.startswith("$60.00 for what has arrived could not be paid")
    assert Decimal(10) < short.missing < Decimal(11)


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
