"""Where the provider brings calls, messages and what becomes of them.

Each view checks who is asking, reads the form, hands over to one operation and answers with
TwiML. The answer is never a server error: what breaks here is logged and answered politely,
and the sweeps catch up on it. ``VIEWS`` is the whole map; ``numbers_project.middleware``
answers from it before sessions, logins and the rest, which the provider does not need.
"""

import logging
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from interactions import follow
from interactions.answering import after_dial, answer_call, answerers, whisper
from interactions.doorbell import ring
from interactions.models import RefusedWebhook
from interactions.receive import receive_call, receive_message
from interactions.refused_webhooks import note_refused
from telephony import payloads, twiml
from telephony.payloads import Fields, Malformed
from telephony.signature import is_genuine
from telephony.twiml import Greeting
from workspaces import access

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
SORRY = Greeting(
    text="We are sorry, your call cannot be connected at the moment. "
    "Please call again in a few minutes."
)
Because = RefusedWebhook.Because
REFUSED_WITH = {
    Because.UNSIGNED: 403,
    Because.FORGED: 403,
    Because.MALFORMED: 400,
    Because.TOO_LARGE: 413,
}
Handle = Callable[[HttpRequest, Fields], str]


def sorry() -> str:
    return twiml.say(SORRY)


def webhook(*, when_broken: Callable[[], str]) -> Callable[[Handle], Callable]:
    """Make a view of a function that turns a genuine form into TwiML."""

    def decorate(handle: Handle) -> Callable[[HttpRequest], HttpResponse]:
        @access.webhook
        @require_POST
        @wraps(handle)
        def view(request: HttpRequest) -> HttpResponse:
            fields, because = _read(request)
            if because is not None:
                return _refuse(request, because, fields)
            try:
                answer = handle(request, fields)
            except Malformed:
                return _refuse(request, Because.MALFORMED, fields)
            except Exception:  # the outermost edge: the provider must hear something it can do
                log.exception("%s could not be dealt with", request.path)
                answer = when_broken()
            return HttpResponse(answer, content_type=twiml.CONTENT_TYPE)

        return view

    return decorate


def _read(request: HttpRequest) -> tuple[Fields, Because | None]:
    """The form, and why it is not to be believed, if it is not."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return Fields(), Because.MALFORMED
    if length > LARGEST_BODY:
        return Fields(), Because.TOO_LARGE
    try:
        fields = Fields.read(request.read(LARGEST_BODY))
    except Malformed:
        return Fields(), Because.MALFORMED
    signature = request.META.get("HTTP_X_TWILIO_SIGNATURE")
    if not signature:
        return fields, Because.UNSIGNED
    query = request.META.get("QUERY_STRING")
    path = f"{request.path}?{query}" if query else request.path
    if not is_genuine(path=path, fields=fields, signature=signature):
        return fields, Because.FORGED
    return fields, None


def _refuse(request: HttpRequest, because: Because, fields: Fields) -> HttpResponse:
    note_refused(
        path=request.path, because=because, origin=request.META.get("REMOTE_ADDR", ""),
        called=fields.address("To"),
    )  # fmt: skip
    return HttpResponse(because.label, status=REFUSED_WITH[because], content_type="text/plain")


# --- Calls --------------------------------------------------------------------------------


@webhook(when_broken=sorry)
def voice(request: HttpRequest, fields: Fields) -> str:
    """A call has arrived."""
    call = payloads.IncomingCall.read(fields)
    return answer_call(receive_call(call, may_forward=not answerers()))


@webhook(when_broken=sorry)
def voice_fallback(request: HttpRequest, fields: Fields) -> str:
    """The provider could not use our answer. Needs no database."""
    log.error("call %s fell back: error %s at %s", fields.text("CallSid"),
              fields.text("ErrorCode"), fields.text("ErrorUrl"))  # fmt: skip
    return sorry()


@webhook(when_broken=twiml.nothing)
def voice_status(request: HttpRequest, fields: Fields) -> str:
    """How far a call has got, and its end."""
    follow.note_call_status(
        payloads.CallStatus.read(fields), payloads.IncomingCall.read(fields),
        reference=request.GET.get("ref", ""),
    )  # fmt: skip
    return twiml.nothing()


@webhook(when_broken=sorry)
def dialled(request: HttpRequest, fields: Fields) -> str:
    """A round of phones has ended."""
    result = payloads.DialResult.read(fields)
    call = follow.note_dial_result(result)
    if call is None or result.was_answered:
        return twiml.hang_up()
    return after_dial(call, round_done=int(request.GET.get("round", "0")))


@webhook(when_broken=twiml.nothing)
def leg(request: HttpRequest, fields: Fields) -> str:
    """One phone's part of a forwarded call is over."""
    follow.note_leg(payloads.CallStatus.read(fields), has_whisper="whisper" in request.GET)
    return twiml.nothing()


@webhook(when_broken=twiml.nothing)
def whisper_to(request: HttpRequest, fields: Fields) -> str:
    """Somebody picked up a forwarded call, and hears first what it is."""
    return whisper(request.GET.get("number", ""))


@webhook(when_broken=twiml.nothing)
def accepted(request: HttpRequest, fields: Fields) -> str:
    """A key was pressed: nothing more to say, so the two are connected."""
    follow.note_accepted(payloads.CallStatus.read(fields))
    return twiml.nothing()


@webhook(when_broken=twiml.hang_up)
def recorded(request: HttpRequest, fields: Fields) -> str:
    """The caller has finished speaking."""
    follow.note_recording(payloads.Recording.read(fields))
    return twiml.hang_up()


@webhook(when_broken=twiml.nothing)
def recording(request: HttpRequest, fields: Fields) -> str:
    """A recording can be fetched."""
    follow.note_recording(payloads.Recording.read(fields))
    return twiml.nothing()


@webhook(when_broken=twiml.nothing)
def transcribed(request: HttpRequest, fields: Fields) -> str:
    follow.note_transcription(payloads.Transcription.read(fields))
    return twiml.nothing()


# --- Messages -----------------------------------------------------------------------------


@webhook(when_broken=twiml.no_reply)
def message(request: HttpRequest, fields: Fields) -> str:
    """A message has arrived. Replies are sent as messages of their own, never in the answer."""
    received = receive_message(payloads.IncomingMessage.read(fields))
    if received.is_new:
        ring("handle_message", received.workspace_id, received.id)
    return twiml.no_reply()


@webhook(when_broken=twiml.no_reply)
def message_fallback(request: HttpRequest, fields: Fields) -> str:
    """The provider could not reach us with a message; the sweep will find it there."""
    log.error("message %s fell back: error %s at %s", fields.text("MessageSid"),
              fields.text("ErrorCode"), fields.text("ErrorUrl"))  # fmt: skip
    return twiml.no_reply()


@webhook(when_broken=twiml.no_reply)
def message_status(request: HttpRequest, fields: Fields) -> str:
    """How far a message of ours has got."""
    follow.note_message_status(
        payloads.MessageStatus.read(fields), reference=request.GET.get("ref", "")
    )
    return twiml.no_reply()


BASE = "/webhooks/twilio/"
VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    f"{BASE}voice/": voice,
    f"{BASE}voice/fallback/": voice_fallback,
    f"{BASE}voice/status/": voice_status,
    f"{BASE}voice/dialled/": dialled,
    f"{BASE}voice/leg/": leg,
    f"{BASE}voice/whisper/": whisper_to,
    f"{BASE}voice/accepted/": accepted,
    f"{BASE}voice/recorded/": recorded,
    f"{BASE}voice/recording/": recording,
    f"{BASE}voice/transcribed/": transcribed,
    f"{BASE}message/": message,
    f"{BASE}message/fallback/": message_fallback,
    f"{BASE}message/status/": message_status,
}
