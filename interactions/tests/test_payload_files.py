"""Forms as Twilio documents them (``payloads/``), each through the whole of Django."""

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator

from compliance.models import OptOut
from interactions.models import Call, Conversation, MediaFile, Message, Voicemail

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(__file__).parent / "payloads"


@pytest.fixture
def bring(provider, settings, number):
    """Post a file as it is, signed by the SDK over what it says."""

    def post(name: str, path: str):
        body = (FOLDER / f"{name}.form").read_text().strip()
        address = f"/webhooks/twilio/{path}"
        signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(
            settings.PUBLIC_BASE_URL + address, dict(parse_qsl(body, keep_blank_values=True))
        )
        return provider.client.post(
            address, body, content_type="application/x-www-form-urlencoded; charset=UTF-8",
            HTTP_X_TWILIO_SIGNATURE=signature,
        )  # fmt: skip

    return post


def test_a_call_arrives_and_ends(bring):
    assert b"<Record" in bring("incoming_call", "voice/").content
    assert bring("call_completed", "voice/status/").status_code == 200
    call = Call.objects.get()
    assert (call.status, call.seconds, call.outcome) == ("completed", 75, "missed")
    assert call.conversation.contact == "+14155550123"


def test_a_caller_who_hides_is_a_conversation_too(bring):
    assert bring("anonymous_call", "voice/").status_code == 200
    assert Conversation.objects.get().contact == "+266696687"


def test_a_round_of_phones_ends_and_a_voicemail_is_complete(bring):
    bring("incoming_call", "voice/")
    assert bring("dial_ended", "voice/dialled/?round=0").status_code == 200
    assert bring("recording_completed", "voice/recording/").status_code == 200
    assert Voicemail.objects.get().seconds == 7


def test_a_message_keeps_its_signs(bring):
    bring("incoming_message", "message/")
    assert Message.objects.get().body == "Café at 5? 😀"


def test_pictures_are_noted_by_their_sids(bring):
    bring("incoming_pictures", "message/")
    assert [media.content_type for media in MediaFile.objects.order_by("position")] == [
        "image/jpeg", "image/png",
    ]  # fmt: skip


def test_what_the_provider_reads_as_stop_opts_out(bring):
    bring("opt_out", "message/")
    assert OptOut.objects.get().contact == "+14155550123"


@pytest.mark.parametrize("first", ["message_delivered", "message_undelivered"])
def test_delivered_is_the_last_word_in_either_order(bring, number, acme, first):
    bring("incoming_message", "message/")  # makes the conversation
    message = Message.objects.get()
    message.direction, message.status, message.states = "out", "sent", {}
    message.ended_at = message.settled_at = None
    message.save()
    second = {"message_delivered", "message_undelivered"} - {first}
    bring(first, "message/status/")
    bring(second.pop(), "message/status/")
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("delivered", 30003)
