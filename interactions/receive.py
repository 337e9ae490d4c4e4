"""Taking in what has arrived: stored once, for the workspace that owns the called number.

Each function is one statement (``interactions/migrations``) and safe to repeat by the SID.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from compliance.keywords import keyword_in
from compliance.opt_outs import heed
from interactions.models import ArrivedForNobody, MediaFile
from interactions.out_of_money import tell_that_inbound_was_refused
from lib import e164 as formats
from lib import prepared
from numbers.models import new_public_id
from telephony.payloads import IncomingCall, IncomingMessage
from workspaces.models import Workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """A call as it was stored. ``refused_because`` is empty where it is to be answered.

    ``plan`` is the JSON of the route in force when it arrived, None where the number has none;
    ``limit_seconds`` how long it may be forwarded for, None where that was not yet asked.
    """

    outcome: str
    refused_because: str
    id: int
    workspace_id: int
    number_id: int
    at: datetime
    time_zone: str
    plan: str | None
    limit_seconds: int | None
    is_loop: bool
    answer: str
    caller: str
    called: str
    is_fax: bool

    @property
    def is_new(self) -> bool:
        return self.outcome == "new"


RECEIVE_CALL = (
    "SELECT outcome, because, call_id, workspace_id, number_id, arrived_at, time_zone, "
    "plan::text, limit_seconds, is_loop, answer "
    "FROM interactions_receive_call(%s, %s, %s, %s, %s, %s, %s, %s)"
)
RECEIVE_MESSAGE = (
    "SELECT outcome, because, coalesce(message_id, 0), coalesce(workspace_id, 0) FROM "
    "interactions_receive_message(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def receive_call(call: IncomingCall, *, may_forward: bool = False) -> ReceivedCall:
    """Store the call, once; a repeat returns what was stored the first time.

    ``may_forward`` where the route is what will answer it: if that forwards it at any hour,
    the money is set aside in the same round trip.
    """
    [row] = prepared.fetch(
        RECEIVE_CALL,
        [call.sid, call.caller, call.called, call.is_fax, timezone.now(), new_public_id(),
         new_public_id(), forwarded_text(call.caller) if may_forward else None],
    )  # fmt: skip
    facts = [*row, call.caller, call.called, call.is_fax]
    received = ReceivedCall(*facts)
    if received.outcome == "refused":
        _turned_away("call", call.sid, call.called, received)
    return received


def forwarded_text(caller: str) -> str:
    """What the statement says of money that is set aside for a call."""
    shown = formats.international(caller) if caller else "an unknown caller"
    return f"Forwarded call from {shown}"


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """``outcome`` is new, repeat, refused or repeat_refused; the ids are 0 if refused."""

    outcome: str
    refused_because: str
    id: int
    workspace_id: int

    @property
    def is_new(self) -> bool:
        return self.outcome == "new"


def receive_message(message: IncomingMessage) -> ReceivedMessage:
    """Store the message and the names of its pictures, once, and heed STOP and START."""
    now = timezone.now()
    keyword = keyword_in(message.body, reported=message.opt_out)
    with transaction.atomic():
        [row] = prepared.fetch(
            RECEIVE_MESSAGE,
            [message.sid, message.sender, message.recipient, message.body, message.segments,
             len(message.media), keyword or "", now, new_public_id(), uuid.uuid4(),
             new_public_id()],
        )  # fmt: skip
        received = ReceivedMessage(*row)
        if received.is_new and message.media:
            _note_media(received, message, now)
        if received.is_new and keyword:
            heed(
                keyword, workspace=Workspace(pk=received.workspace_id), contact=message.sender,
                said=message.body, said_to=message.recipient, at=now,
            )  # fmt: skip
    if received.outcome == "refused":
        _turned_away("message", message.sid, message.recipient, received)
    return received


def _turned_away(
    what: str, sid: str, called: str, received: ReceivedCall | ReceivedMessage
) -> None:
    because = received.refused_because
    log.warning("%s %s to %s arrived for nobody: %s", what, sid, called, because)
    if because == ArrivedForNobody.Because.NO_MONEY and received.workspace_id:
        tell_that_inbound_was_refused(workspace_id=received.workspace_id)


def _note_media(received: ReceivedMessage, message: IncomingMessage, now: datetime) -> None:
    MediaFile.objects.bulk_create(
        MediaFile(
            workspace_id=received.workspace_id, message_id=received.id, position=position,
            sid=medium.sid, content_type=medium.content_type, next_try_at=now,
        )
        for position, medium in enumerate(message.media)
    )  # fmt: skip
