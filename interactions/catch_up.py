"""Finding what the webhooks did not tell: the provider's own lists are the last word.

A message whose webhook was lost, and its retries too, is at the provider all the same; so
is the end of a call that nobody reported.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from interactions import follow
from interactions.handling import handle
from interactions.models import (
    ArrivedForNobody,
    Call,
    Message,
)
from interactions.parts import PARTS, are_known
from interactions.receive import receive_call, receive_message
from interactions.routing import step_of
from telephony import conversations
from telephony.conversations import ProviderCall, ProviderMessage
from telephony.errors import NotFound, ProviderError
from telephony.payloads import (
    CallStatus,
    IncomingCall,
    IncomingMessage,
    Medium,
    MessageStatus,
    Recording,
)

log = logging.getLogger(__name__)

# A webhook gets this long to arrive before the list is believed instead of it.
GRACE = timedelta(minutes=2)
# How far back a look goes beyond the last one; and the first one, when none is known.
OVERLAP = timedelta(minutes=30)
FIRST_LOOK = timedelta(hours=24)
LAST_LOOK = "interactions:caught-up-until"
KEEP_SECONDS = 30 * 86400
# When a call's or message's end is asked for, because nobody has told it.
ASK_AFTER = timedelta(minutes=10)
AT_MOST = 100
# The parts of a call are reported within seconds of its end.
PARTS_AFTER = timedelta(minutes=3)
ENDS = ("completed", "busy", "no-answer", "failed", "canceled")


def catch_up() -> int:
    """Store what arrived at the provider and not here. Returns how many there were.

    A failure leaves the mark where it was, so that the next look begins at the same place.
    """
    now = timezone.now()
    since = (cache.get(LAST_LOOK) or now - FIRST_LOOK) - OVERLAP
    found = _messages(since, now - GRACE) + _calls(since, now - GRACE)
    cache.set(LAST_LOOK, now, KEEP_SECONDS)
    if found:
        log.warning("%s calls and messages were found that no webhook told of", found)
    return found


def _messages(since: datetime, until: datetime) -> int:
    rows = [
        row
        for row in conversations.messages_since(since)
        if row.is_incoming and row.created_at and row.created_at < until
    ]
    return sum(_take_message(row) for row in _unknown(rows, Message))


def _calls(since: datetime, until: datetime) -> int:
    rows = [
        row
        for row in conversations.calls_since(since)
        if row.is_incoming and row.created_at and row.created_at < until
    ]
    return sum(_take_call(row) for row in _unknown(rows, Call))


def _unknown(rows: list, model: type[Message] | type[Call]) -> list:
    sids = [row.sid for row in rows]
    known = set(model.objects.filter(sid__in=sids).values_list("sid", flat=True))
    known |= set(ArrivedForNobody.objects.filter(sid__in=sids).values_list("sid", flat=True))
    return [row for row in rows if row.sid not in known]


def _take_message(row: ProviderMessage) -> bool:
    media = conversations.media_of(message_sid=row.sid) if row.media else []
    received = receive_message(
        IncomingMessage(
            sid=row.sid, sender=row.sender, recipient=row.recipient, body=row.body,
            segments=row.segments, media=tuple(Medium(*one) for one in media), opt_out="",
        )
    )  # fmt: skip
    if received.is_new:
        Message.objects.filter(pk=received.id).update(found_late=True)
    if received.id:
        handle(Message.objects.select_related("conversation", "number").get(pk=received.id))
    return received.is_new


def _take_call(row: ProviderCall) -> bool:
    received = receive_call(
        IncomingCall(sid=row.sid, caller=row.caller, called=row.called, status=row.status,
                     forwarded_from="", is_fax=False)
    )  # fmt: skip
    if received.is_new:
        Call.objects.filter(pk=received.id).update(found_late=True)
        follow.note_call_status(_status(row))
    return received.is_new


def ask_about_the_silent() -> None:
    """Ask what became of calls and messages whose end has not been reported in time."""
    now = timezone.now()
    calls = Call.objects.filter(ended_at=None, sid__isnull=False, at__lt=now - ASK_AFTER)
    for call in calls.order_by("at")[:AT_MOST]:
        _ask(call.sid or "", _ask_about_call)
    messages = Message.objects.filter(direction="out", ended_at=None, sid__isnull=False)
    for message in messages.filter(at__lt=now - ASK_AFTER).order_by("at")[:AT_MOST]:
        _ask(message.sid or "", _ask_about_message)


def ask_for_lost_parts() -> None:
    """Find the legs and recordings of ended calls whose report was lost.

    Without its leg a forwarded minute is never charged, without its recording a voicemail is
    never heard. Of a call whose parts are all known nobody is asked, so those are noted however
    many there are; the carrier is asked for so many a round, and not again once it fails.
    """
    asked = 0
    for calls in _whose_parts_are_due():
        unknown = [call for call in calls if not are_known(call)]
        _note_asked([call for call in calls if call not in unknown])
        for call in unknown:
            if asked == AT_MOST or not _ask_for_parts(call):
                return
            asked += 1


def _whose_parts_are_due() -> Iterator[list[Call]]:
    """Calls that ended a while ago, a hundred at a time, until none is left."""
    ended = Call.objects.filter(ended_at__lt=timezone.now() - PARTS_AFTER, asked_for_parts_at=None)
    due = ended.select_related("route", "workspace").prefetch_related(*PARTS)
    while calls := list(due.order_by("ended_at")[:AT_MOST]):
        yield calls


def _note_asked(calls: list[Call]) -> None:
    Call.objects.filter(pk__in=[call.pk for call in calls]).update(
        asked_for_parts_at=timezone.now()
    )


def _ask_for_parts(call: Call) -> bool:
    """Returns whether the carrier answered."""
    try:
        _take_parts(call)
    except NotFound:
        log.warning("call %s is not at the provider any more", call.sid)
    except ProviderError as error:
        log.warning("%s could not be asked for its parts: %s", call.sid, error)
        return False
    _note_asked([call])
    return True


def _take_parts(call: Call) -> None:
    sid = call.sid or ""
    for row in conversations.children_of(sid=sid):
        if row.status in ENDS:
            follow.note_leg(_status(row), has_whisper=step_of(call).whisper)
    for recording in conversations.recordings_of(sid=sid):
        follow.note_recording(Recording(sid, recording.sid, recording.status, recording.seconds))


def _ask(sid: str, ask: Callable[[str], None]) -> None:
    try:
        ask(sid)
    except ProviderError as error:
        log.warning("%s could not be asked about: %s", sid, error)


def _ask_about_call(sid: str) -> None:
    try:
        status = _status(conversations.fetch_call(sid=sid))
    except NotFound:
        status = CallStatus(sid, "", "", "", "failed", "", None, "")
    follow.note_call_status(status)


def _ask_about_message(sid: str) -> None:
    try:
        row = conversations.fetch_message(sid=sid)
        status = MessageStatus(sid, row.status, row.error_code)
    except NotFound:
        status = MessageStatus(sid, "failed", None)
    follow.note_message_status(status)


def _status(row: ProviderCall) -> CallStatus:
    return CallStatus(row.sid, row.parent_sid, row.caller, row.called, row.status, row.direction,
                      row.seconds, row.answered_by)  # fmt: skip
