"""Reports of what becomes of calls and messages: late, twice, in any order."""

import itertools

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interactions.models import Call, Conversation, Message, Voicemail
from interactions.tests.conftest import CALLER, sid

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(acme, number) -> Message:
    """A message of ours whose SID we do not know yet."""
    conversation = Conversation.objects.create(
        workspace=acme, number=number, contact=CALLER, last_at=timezone.now()
    )
    return Message.objects.create(
        workspace=acme, conversation=conversation, number=number, direction="out", status="asked",
        at=timezone.now(), body="Hello",
    )  # fmt: skip


def report(provider, message: Message, message_sid: str, status: str, **fields: str):
    form = {"MessageSid": message_sid, "MessageStatus": status} | fields
    return provider.post(f"message/status/?ref={message.public_id}", form)


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["queued", "sent", "delivered"])), ids=" ".join
)
def test_a_message_ends_delivered_whatever_the_order_of_reports(provider, sent, order):
    message_sid = sid("SM")
    for status in (*order, order[0]):
        assert report(provider, sent, message_sid, status).status_code == 200
    sent.refresh_from_db()
    assert (sent.status, sent.sid) == ("delivered", message_sid)
    assert set(sent.states) == {"queued", "sent", "delivered"}
    assert sent.ended_at is not None


def test_a_failure_keeps_its_cause(provider, sent):
    report(provider, sent, sid("SM"), "undelivered", ErrorCode="30003")
    sent.refresh_from_db()
    assert (sent.status, sent.error_code) == ("undelivered", 30003)


def test_a_report_for_another_message_of_ours_changes_nothing(provider, sent):
    first = sid("SM")
    report(provider, sent, first, "sent")
    report(provider, sent, sid("SM"), "failed")
    sent.refresh_from_db()
    assert (sent.sid, sent.status) == (first, "sent")


def test_a_status_that_we_do_not_know_changes_nothing(provider, sent):
    report(provider, sent, sid("SM"), "teleported")
    sent.refresh_from_db()
    assert (sent.status, sent.states) == ("asked", {})


@pytest.mark.parametrize(
    "order",
    list(itertools.permutations(["in-progress", "completed"])),
    ids=" ".join,
)
def test_a_call_ends_once_whatever_the_order_of_reports(provider, number, order):
    call_sid, _response = provider.call(number.e164)
    for status in (*order, "completed"):
        provider.status(call_sid, status, seconds=65 if status == "completed" else None)
    call = Call.objects.get()
    assert (call.status, call.seconds, call.outcome) == ("completed", 65, "missed")
    assert Conversation.objects.get().unread == 1
    assert call.ended_at is not None


def test_a_call_known_only_from_its_end_is_stored(provider, acme, number):
    call_sid = sid("CA")
    provider.status(call_sid, "completed", seconds=0, From=CALLER, To=number.e164)
    call = Call.objects.get()
    assert (call.sid, call.workspace, call.outcome) == (call_sid, acme, "missed")
    # The webhook that had been late is answered and changes nothing.
    assert provider.call(number.e164, call_sid=call_sid)[1].status_code == 200
    assert Call.objects.get().status == "completed"


def test_the_end_of_a_call_that_was_turned_away_stores_none(provider, number):
    call_sid, _response = provider.call("+12125559999")
    provider.status(call_sid, "completed", From=CALLER, To="+12125559999")
    assert not Call.objects.exists()


def leave_voicemail(provider, call_sid: str, recording: str, path: str = "recording/") -> None:
    form = {
        "CallSid": call_sid, "RecordingSid": recording, "RecordingDuration": "7",
        "RecordingStatus": "completed",
        "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/{recording}",
    }  # fmt: skip
    provider.post(f"voice/{path}", form)


STEPS = ("recorded", "recording", "transcribed", "completed")


@settings(max_examples=24, suppress_health_check=[HealthCheck.function_scoped_fixture],
          deadline=None)  # fmt: skip
@given(order=st.permutations(STEPS), repeated=st.sampled_from(STEPS))
def test_a_voicemail_is_one_unread_voicemail_in_any_order(provider, number, order, repeated):
    contact = f"+1415{next(counter):07d}"
    call_sid, _response = provider.call(number.e164, caller=contact)
    recording = sid("RE")
    for step in (*order, repeated):
        if step == "completed":
            provider.status(call_sid, "completed", seconds=12)
        elif step == "transcribed":
            provider.post(
                "voice/transcribed/",
                {"CallSid": call_sid, "RecordingSid": recording,
                 "TranscriptionStatus": "completed", "TranscriptionText": "Please call back"},
            )  # fmt: skip
        else:
            leave_voicemail(provider, call_sid, recording, f"{step}/")
    call = Call.objects.get(sid=call_sid)
    voicemail = Voicemail.objects.get(call=call)
    assert (call.outcome, voicemail.seconds) == ("voicemail", 7)
    assert voicemail.transcription == "Please call back"
    assert Conversation.objects.get(contact=contact).unread == 1


counter = itertools.count(2_000_000)


def test_a_silent_recording_is_no_voicemail(provider, number):
    call_sid, _response = provider.call(number.e164)
    form = {"CallSid": call_sid, "RecordingSid": sid("RE"), "RecordingDuration": "0"}
    provider.post("voice/recorded/", form)
    provider.status(call_sid, "completed", seconds=8)
    assert Call.objects.get().outcome == "missed"
    assert not Voicemail.objects.exists()


def test_a_call_counted_as_missed_is_not_unread_once_its_answer_is_known(provider, number):
    call_sid, _response = provider.call(number.e164)
    provider.status(call_sid, "completed", seconds=30)
    assert Conversation.objects.get().unread == 1
    leg = {"CallSid": sid("CA"), "ParentCallSid": call_sid, "From": CALLER, "To": "+13105550101",
           "CallStatus": "completed", "CallDuration": "22"}  # fmt: skip
    provider.post("voice/leg/", leg)
    assert Call.objects.get().outcome == "answered"
    assert Conversation.objects.get().unread == 0
