"""What a caller meets: each kind of answer, step by step, by the hours, and in a repeat."""

import xml.etree.ElementTree as ET
from datetime import date, time

import pytest
import time_machine

from interactions.models import Call, CallLeg, Conversation
from interactions.plans import STANDARD_GREETING, Answer, Answers, Hours, VoicePlan
from interactions.tests.conftest import CALLER, sid
from telephony.twiml import Greeting

pytestmark = pytest.mark.django_db(transaction=True)

PHONES = ("+13105550101", "+13105550102")
SAY_CLOSED = Answer(kind=Answers.SAY, greeting=Greeting(text="We are closed."))
VOICEMAIL = Answer(kind=Answers.VOICEMAIL, greeting=Greeting(text="Speak now."), transcribe=True)


def forward(**facts) -> Answer:
    return Answer(kind=Answers.FORWARD, **{"phones": PHONES, "fallback": VOICEMAIL} | facts)


@pytest.fixture
def routed(owner, number, provider, route):
    """Sets the route of the number; returns how to call it and read the answer."""

    def set_and_call(plan: VoicePlan | Answer, **call):
        plan = plan if isinstance(plan, VoicePlan) else VoicePlan(plan)
        route(number, owner, plan.write())
        call_sid, response = provider.call(number.e164, **call)
        return call_sid, ET.fromstring(response.content)

    return set_and_call


def test_nobody_yet_is_answered_with_voicemail(number, provider):
    _sid, response = provider.call(number.e164)
    say, record, _hang_up = ET.fromstring(response.content)
    assert say.text == STANDARD_GREETING
    assert record.get("action") == "https://desk.test/webhooks/twilio/voice/recorded/"
    assert record.get("transcribe") is None


def test_all_phones_ring_at_once_and_show_the_caller(routed):
    _sid, answer = routed(forward(seconds=30))
    [dial] = answer
    assert [number.text for number in dial] == list(PHONES)
    assert (dial.get("timeout"), dial.get("callerId")) == ("30", CALLER)
    assert dial.get("answerOnBridge") == "true"
    assert dial.get("timeLimit") == "14398"


def test_the_number_itself_can_be_shown_and_is_for_an_anonymous_caller(routed, number):
    _sid, answer = routed(forward(caller_id="number"))
    assert answer[0].get("callerId") == number.e164
    _sid, answer = routed(forward(), caller="anonymous")
    assert answer[0].get("callerId") == number.e164


def test_phones_ring_in_turn_then_the_fallback(routed, provider, number):
    call_sid, answer = routed(forward(together=False))
    seen = [[phone.text for phone in answer[0]]]
    form = {"CallSid": call_sid, "DialCallStatus": "no-answer", "DialCallSid": sid("CA")}
    answer = ET.fromstring(provider.post(answer[0].get("action"), form).content)
    seen.append([phone.text for phone in answer[0]])
    action = answer[0].get("action")
    answer = ET.fromstring(provider.post(action, form).content)
    assert seen == [[PHONES[0]], [PHONES[1]]]
    assert [verb.tag for verb in answer] == ["Say", "Record", "Hangup"]
    assert answer[1].get("transcribe") == "true"
    # The same step asked for again, as after a lost answer, gets the same answer.
    assert provider.post(action, form).content == provider.post(action, form).content


def test_a_call_that_was_taken_ends_with_the_phones(routed, provider):
    call_sid, answer = routed(forward())
    form = {"CallSid": call_sid, "DialCallStatus": "completed", "DialCallDuration": "61"}
    done = ET.fromstring(provider.post(answer[0].get("action"), form).content)
    assert [verb.tag for verb in done] == ["Hangup"]
    assert Call.objects.get().outcome == Call.Outcome.ANSWERED


def test_a_whisper_is_accepted_with_a_key(routed, provider, number):
    call_sid, answer = routed(forward(whisper=True))
    phone = answer[0][0]
    leg = {"CallSid": sid("CA"), "ParentCallSid": call_sid, "From": CALLER, "To": PHONES[0]}
    heard = ET.fromstring(provider.post(phone.get("url"), leg).content)
    assert [verb.tag for verb in heard] == ["Gather", "Hangup"]
    assert "A call for Acme" in heard[0][0].text
    done = leg | {"CallStatus": "completed", "CallDuration": "9"}
    provider.post(phone.get("statusCallback"), done)
    assert Call.objects.get().outcome == ""  # picked up by a mailbox, say: nobody took it
    connected = ET.fromstring(provider.post(heard[0].get("action"), leg | {"Digits": "1"}).content)
    assert list(connected) == []
    call = Call.objects.get()
    assert (call.outcome, call.answered_by) == (Call.Outcome.ANSWERED, PHONES[0])


def test_a_phone_that_took_the_call_is_kept_with_its_leg_once(routed, provider):
    call_sid, answer = routed(forward())
    callback = answer[0][1].get("statusCallback")
    leg = {
        "CallSid": sid("CA"), "ParentCallSid": call_sid, "From": CALLER, "To": PHONES[1],
        "CallStatus": "completed", "CallDuration": "75", "Direction": "outbound-dial",
    }  # fmt: skip
    provider.post(callback, leg)
    provider.post(callback, leg)
    kept = CallLeg.objects.get()
    assert (kept.e164, kept.seconds, kept.call.sid) == (PHONES[1], 75, call_sid)
    assert Call.objects.get().answered_by == PHONES[1]


def test_money_that_lasts_for_less_limits_the_call(owner, number, provider, route):
    route(number, owner, VoicePlan(forward()).write(), minute_price="5.00")
    _sid, response = provider.call(number.e164)
    assert ET.fromstring(response.content)[0].get("timeLimit") == "598"  # 50.00 at 5.00


def test_an_announcement_is_said_and_the_call_ends(routed, provider):
    call_sid, answer = routed(SAY_CLOSED)
    assert [verb.tag for verb in answer] == ["Say", "Hangup"]
    provider.status(call_sid, "completed", seconds=4)
    assert Call.objects.get().outcome == Call.Outcome.ANNOUNCED
    assert Conversation.objects.get().unread == 0


def test_a_recording_is_played_as_greeting(routed):
    greeting = Greeting(recording_url="https://acme.test/hello.mp3")
    _sid, answer = routed(Answer(kind=Answers.VOICEMAIL, greeting=greeting))
    assert (answer[0].tag, answer[0].text) == ("Play", "https://acme.test/hello.mp3")


NINE_TO_FIVE = ((time(9), time(17)),)
HOURS = Hours(
    days=(NINE_TO_FIVE,) * 4 + (((time(9), time(12)), (time(13), time(0))), (), ()),
    holidays=frozenset({date(2026, 12, 24)}),
)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-12-21 13:59:00Z", False),  # Monday 08:59 in New York
        ("2026-12-21 14:00:00Z", True),
        ("2026-12-21 21:59:00Z", True),
        ("2026-12-21 22:00:00Z", False),
        ("2026-12-24 15:00:00Z", False),  # a holiday
        ("2026-12-25 17:30:00Z", False),  # Friday, lunch
        ("2026-12-26 04:30:00Z", True),  # still Friday in New York, 23:30
        ("2026-12-26 15:00:00Z", False),  # Saturday
        ("2026-06-22 13:00:00Z", True),  # Monday 09:00, in summer time
    ],
)
def test_hours_are_those_of_the_workspace(routed, moment, is_open):
    with time_machine.travel(moment, tick=False):
        _sid, answer = routed(VoicePlan(forward(), hours=HOURS, closed=SAY_CLOSED))
    assert answer[0].tag == ("Dial" if is_open else "Say")


def test_a_call_that_arrived_when_open_is_followed_by_that_answer_after_closing(routed, provider):
    with time_machine.travel("2026-12-21 21:59:50Z", tick=False):
        call_sid, answer = routed(VoicePlan(forward(), hours=HOURS, closed=SAY_CLOSED))
    form = {"CallSid": call_sid, "DialCallStatus": "no-answer"}
    with time_machine.travel("2026-12-21 22:00:30Z", tick=False):
        after = ET.fromstring(provider.post(answer[0].get("action"), form).content)
    assert after[0].text == "Speak now."


def test_a_plan_is_read_as_it_was_written():
    plan = VoicePlan(forward(whisper=True, together=False), hours=HOURS, closed=SAY_CLOSED)
    assert VoicePlan.read(plan.write()) == plan


class Assistant:
    """An answerer as an assistant would be: it takes some calls and leaves the others."""

    def voice(self, call):
        words = "Hello, this is the assistant."
        return f"<Response><Say>{words}</Say></Response>" if call.caller == CALLER else None

    def message(self, message):
        return False


def test_an_answerer_answers_before_the_route_and_a_repeat_the_same(number, provider, settings):
    settings.INBOUND_ANSWERERS = ["interactions.tests.test_answering.Assistant"]
    call_sid, response = provider.call(number.e164)
    assert b"this is the assistant" in response.content
    settings.INBOUND_ANSWERERS = []
    assert provider.call(number.e164, call_sid=call_sid)[1].content == response.content


def test_a_call_that_no_answerer_takes_goes_by_its_route(number, provider, settings):
    settings.INBOUND_ANSWERERS = ["interactions.tests.test_answering.Assistant"]
    _sid, response = provider.call(number.e164, caller="+14155550188")
    assert b"<Record" in response.content


def test_what_xml_cannot_carry_is_left_out(routed):
    _sid, answer = routed(Answer(kind=Answers.SAY, greeting=Greeting(text="a\x0bb & <c>")))
    assert answer[0].text == "ab & <c>"
