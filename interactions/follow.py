"""Noting what becomes of a call or message: reports that come late, twice, in any order.

Each report is noted once per state, and none takes a status backwards; a report about a
call that we never heard of stands for the webhook that was lost, and stores the call.
"""

import logging

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from interactions.doorbell import ring
from interactions.models import Call, CallLeg, Conversation, Voicemail
from interactions.receive import receive_call
from lib import prepared
from telephony.payloads import (
    CallStatus,
    DialResult,
    IncomingCall,
    MessageStatus,
    Recording,
    Transcription,
)

log = logging.getLogger(__name__)

Outcome = Call.Outcome


def note_call_status(
    status: CallStatus, incoming: IncomingCall | None = None, *, reference: str = ""
) -> str:
    """Returns noted, ended, repeat or unknown. ``reference`` names a call of ours."""
    noted = _call_status(status, reference)
    if noted == "unknown" and not reference and status.direction == "inbound" and incoming:
        received = receive_call(incoming)
        if not received.refused_because:
            log.warning("call %s is known only from its status", status.sid)
            if received.is_new:
                Call.objects.filter(pk=received.id).update(found_late=True)
            noted = _call_status(status, reference)
    elif noted == "unknown":
        log.warning("status %s of call %s, which is not ours", status.status, status.sid)
    return noted


def _call_status(status: CallStatus, reference: str) -> str:
    [[noted]] = prepared.fetch(
        "SELECT interactions_call_status(%s, %s, %s, %s, %s, %s)",
        [status.sid, reference, status.status, status.seconds, status.answered_by == "fax",
         timezone.now()],
    )  # fmt: skip
    return noted


def note_message_status(status: MessageStatus, *, reference: str = "") -> str:
    """Returns noted, ended, repeat or unknown. ``reference`` finds a message whose SID we
    have not been told yet, and tells it.
    """
    [[noted]] = prepared.fetch(
        "SELECT interactions_message_status(%s, %s, %s, %s, %s)",
        [status.sid, reference, status.status, status.error_code, timezone.now()],
    )
    if noted == "unknown":
        log.warning("status %s of message %s, which is not ours", status.status, status.sid)
    return noted


def note_dial_result(result: DialResult) -> Call | None:
    """The call whose round of phones has ended; None for one that we do not know."""
    call = (
        Call.objects.select_related("route", "workspace", "number", "conversation")
        .filter(sid=result.sid)
        .first()
    )
    if call is not None and result.was_answered:
        _answered(result.sid, by="")
    return call


def note_leg(status: CallStatus, *, has_whisper: bool) -> None:
    """One phone's part is over; what it cost is due. Stored once by the leg's own SID."""
    call = Call.objects.filter(sid=status.parent_sid).first()
    if call is None:
        log.warning("leg %s of call %s, which is not ours", status.sid, status.parent_sid)
        return
    CallLeg.objects.bulk_create(
        [CallLeg(workspace_id=call.workspace_id, call=call, sid=status.sid, e164=status.called,
                 status=status.status, seconds=status.seconds or 0, ended_at=timezone.now())],
        ignore_conflicts=True,
    )  # fmt: skip
    # With a whisper, picking up is not yet taking the call: a key must be pressed.
    if status.status == "completed" and status.seconds and not has_whisper:
        _answered(status.parent_sid, by=status.called)


def note_accepted(status: CallStatus) -> None:
    _answered(status.parent_sid, by=status.called)


def _answered(sid: str, *, by: str) -> None:
    """Somebody took the call. One that was counted as missed before is not unread any more."""
    with transaction.atomic():
        call = Call.objects.select_for_update(no_key=True).filter(sid=sid).first()
        if call is None:
            return
        was_missed = call.outcome == Outcome.MISSED
        if call.outcome in (Outcome.UNDER_WAY, Outcome.MISSED):
            call.outcome = Outcome.ANSWERED
        call.answered_by = call.answered_by or by
        call.save(update_fields=["outcome", "answered_by"])
        if was_missed:
            Conversation.objects.filter(pk=call.conversation_id, unread__gt=0).update(
                unread=F("unread") - 1, last_text="Incoming call"
            )


def note_recording(recording: Recording) -> None:
    """A voicemail, once by its SID; its audio is to be fetched when it is complete."""
    if not recording.sid or not recording.seconds or recording.status in ("absent", "failed"):
        return
    voicemail = _voicemail(recording.call_sid, recording.sid)
    if voicemail is None:
        return
    if not voicemail.seconds:
        Voicemail.objects.filter(pk=voicemail.pk).update(seconds=recording.seconds)
    if recording.status == "completed" and voicemail.state == Voicemail.State.DUE:
        ring("fetch_voicemail", voicemail.workspace_id, voicemail.pk)


def note_transcription(transcription: Transcription) -> None:
    """What a machine heard. It may come before the word that there is a recording."""
    voicemail = _voicemail(transcription.call_sid, transcription.recording_sid)
    if voicemail is not None and transcription.status == "completed":
        Voicemail.objects.filter(pk=voicemail.pk).update(transcription=transcription.text)


def _voicemail(call_sid: str, sid: str) -> Voicemail | None:
    """The row of a recording, made when it is first heard of; None for a call not ours."""
    now = timezone.now()
    with transaction.atomic():
        call = Call.objects.select_for_update(no_key=True).filter(sid=call_sid).first()
        if call is None:
            log.warning("recording %s of call %s, which is not ours", sid, call_sid)
            return None
        voicemail, is_new = Voicemail.objects.get_or_create(
            sid=sid,
            defaults={"workspace_id": call.workspace_id, "call": call, "at": now, "seconds": 0,
                      "next_try_at": now},
        )  # fmt: skip
        if is_new:
            _left_a_voicemail(call)
    return voicemail


def _left_a_voicemail(call: Call) -> None:
    counted_already = call.outcome == Outcome.MISSED
    call.outcome = Outcome.VOICEMAIL
    call.save(update_fields=["outcome"])
    Conversation.objects.filter(pk=call.conversation_id).update(
        unread=F("unread") + (0 if counted_already else 1), last_text="Voicemail",
    )  # fmt: skip
