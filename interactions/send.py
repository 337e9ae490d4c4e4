"""Sending a message: intent and hold committed, provider called, outcome committed.

Sending is not idempotent at the provider, so a message is handed over once. Whoever dies in
between leaves a row that says it was handed over; the sweep looks for it at the provider,
and gives it up only after a quiet time. The provider's reports carry our reference, so the
first of them settles it too.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from compliance.contact_rules import may_contact
from interactions import rates
from interactions.follow import note_message_status
from interactions.media import NotAPicture, keep_picture, picture_type
from interactions.models import Conversation, MediaFile, Message, Usage, UsageRate
from interactions.outgoing_media import public_address
from interactions.refusals import (
    CannotBeWrittenTo,
    NoRate,
    NothingToSend,
    NumberCannotSend,
    NumberIsInactive,
    PictureRefused,
    TextTooLong,
    refusal_for,
)
from lib import segments
from lib.errors import Refusal
from numbers.models import Number
from telephony import conversations
from telephony.conversations import LARGEST_PICTURE, ProviderMessage
from telephony.errors import ProviderError, ProviderUnavailable
from telephony.payloads import MessageStatus
from telephony.values import Capability
from telephony.webhook_urls import status_of_message
from wallet import ledger
from wallet.models import Wallet
from wallet.ring_fence import kept_for_rent
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)

Kind = UsageRate.Kind
AT_MOST = 100
FIRST_PRICE_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a message would cost at most; a picture message has one price whatever its text."""

    segments: segments.Segments
    rate: UsageRate
    quantity: int

    @property
    def amount(self) -> Decimal:
        return self.rate.price * self.quantity


def cost_of(*, conversation: Conversation, body: str, has_picture: bool) -> Cost:
    """Raises ``NoRate`` where the provider tells no price for the contact's country."""
    counted = segments.count(body)
    rate = rate_to(conversation.contact, has_picture=has_picture)
    return Cost(counted, rate, 1 if has_picture else max(counted.count, 1))


def rate_to(contact: str, *, has_picture: bool = False) -> UsageRate:
    """What a segment, or a picture message, to this contact costs. Raises ``NoRate``."""
    rate = rates.picture_rate_to(contact) if has_picture else rates.message_rate_to(contact)
    if rate is None:
        raise NoRate(contact)
    return rate


def check_sender(number: Number, *, has_picture: bool = False) -> None:
    """Raises a ``Refusal`` where nothing (or no picture) can be sent from this number."""
    if number.status != Number.Status.ACTIVE or number.outbound_stopped_at:
        raise NumberIsInactive(number)
    if not number.can(Capability.SMS):
        raise NumberCannotSend(number, "texts")
    if has_picture and not number.can(Capability.MMS):
        raise NumberCannotSend(number, "pictures")


def send_message(
    *, workspace: Workspace, by: User | None, conversation: Conversation, body: str,
    key: uuid.UUID, picture: bytes = b"",
) -> Message:  # fmt: skip
    """Send a message in a conversation; the same key again returns the same message.

    Raises a ``Refusal`` when it cannot be sent (opted out, money, number, content): then
    nobody was called and nothing is kept. A message that is returned may be on its way,
    refused by the provider (its hold is given back) or not yet acknowledged.
    """
    known = Message.objects.for_workspace(workspace).filter(key=key).first()
    if known is None:
        known = place_message(workspace=workspace, by=by, conversation=conversation, body=body,
                              key=key, picture=picture)  # fmt: skip
    hand_over(known)
    known.refresh_from_db()
    return known


def place_message(
    *, workspace: Workspace, by: User | None, conversation: Conversation, body: str,
    key: uuid.UUID, picture: bytes = b"",
) -> Message:  # fmt: skip
    """Commit the intent and hold the money. Calls nobody."""
    number = conversation.number
    body = body.replace("\r\n", "\n").strip()
    picture_kind = _check(conversation, body, picture)
    cost = cost_of(conversation=conversation, body=body, has_picture=bool(picture))
    try:
        with transaction.atomic():
            message = _write(conversation, by, body, key, cost)
            if picture:
                row = MediaFile.objects.create(
                    workspace=workspace, message=message, position=0, content_type=picture_kind,
                    next_try_at=message.at,
                )  # fmt: skip
                keep_picture(row, picture, picture_kind)
    except IntegrityError:
        same = Message.objects.for_workspace(workspace).filter(key=key).first()
        if same is None:
            raise
        return same  # the same form, sent twice at once
    log.info("message %s from %s placed", message.public_id, number)
    return message


def _check(conversation: Conversation, body: str, picture: bytes) -> str:
    """Every rule before money is touched. Returns the picture's type."""
    if not conversation.can_be_answered:
        raise CannotBeWrittenTo(conversation.contact)
    check_sender(conversation.number, has_picture=bool(picture))
    may_contact(workspace=conversation.workspace, contact=conversation.contact)
    if not body and not picture:
        raise NothingToSend
    if len(body) > segments.LONGEST_TEXT:
        raise TextTooLong(len(body), segments.LONGEST_TEXT)
    if not picture:
        return ""
    if len(picture) > LARGEST_PICTURE:
        raise PictureRefused
    try:
        return picture_type(picture)
    except NotAPicture:
        raise PictureRefused from None


def _write(
    conversation: Conversation, by: User | None, body: str, key: uuid.UUID, cost: Cost
) -> Message:
    now = timezone.now()
    number, has_picture = conversation.number, cost.rate.kind == Kind.MMS_OUT
    message = Message.objects.create(
        workspace_id=conversation.workspace_id, conversation=conversation, number=number,
        direction="out", status="asked", states={"asked": now.isoformat()}, at=now, body=body,
        segments=max(cost.segments.count, 1), pictures=int(has_picture), sent_by=by, key=key,
    )  # fmt: skip
    hold = ledger.hold(
        wallet=Wallet.objects.get(workspace_id=conversation.workspace_id),
        amount=cost.amount,
        currency=cost.rate.currency,
        key=f"usage:{cost.rate.kind}:{message.public_id}",
        text=f"Message to {conversation.contact_shown}",
        reference=message.public_id,
        keep=kept_for_rent(conversation.workspace),
    )
    Usage.objects.create(
        workspace_id=conversation.workspace_id, kind=cost.rate.kind, message=message,
        state=Usage.State.HELD, quantity=cost.quantity, unit_price=cost.rate.price,
        provider_unit_price=cost.rate.provider_price, amount=cost.amount,
        currency=cost.rate.currency, hold=hold, at=now, next_try_at=now + FIRST_PRICE_AFTER,
    )  # fmt: skip
    shown = body or "Picture"
    Conversation.objects.filter(pk=conversation.pk).update(last_at=now, last_text=shown[:160])
    return message


def hand_over(message: Message) -> None:
    """Call the provider for a placed message, once, and commit what it answered."""
    claimed = Message.objects.filter(pk=message.pk, called_at=None).update(called_at=timezone.now())
    if not claimed:
        return
    try:
        sent = conversations.send_message(
            sender=message.number.e164,
            recipient=message.conversation.contact,
            body=message.body,
            media_urls=[public_address(row) for row in message.media.all()],
            status_url=status_of_message(message.public_id),
        )
    except ProviderUnavailable as error:
        if error.outcome_unknown:
            log.warning("message %s: outcome unknown: %s", message.public_id, error)
        else:
            refuse(message, refusal_for(error))
    except ProviderError as error:
        log.info("message %s: the provider refused: %s", message.public_id, error)
        refuse(message, refusal_for(error))
    else:
        _acknowledge(message, sent)


def _acknowledge(message: Message, sent: ProviderMessage) -> None:
    status = MessageStatus(sent.sid, sent.status, sent.error_code)
    note_message_status(status, reference=message.public_id)


def refuse(message: Message, refusal: Refusal) -> None:
    """It was not sent: give the money back and keep the reason, once."""
    now = timezone.now()
    with transaction.atomic():
        message = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
        if message.ended_at or message.sid:
            return
        usage = Usage.objects.select_related("hold").get(message=message)
        if usage.hold is not None and usage.state == Usage.State.HELD:
            ledger.void(hold=usage.hold)
            usage.state, usage.amount = Usage.State.FREE, Decimal(0)
            usage.save(update_fields=["state", "amount"])
        message.status, message.ended_at, message.settled_at = "failed", now, now
        message.states["failed"] = now.isoformat()
        message.refusal_sentence = refusal.sentence
        message.save(
            update_fields=["status", "states", "ended_at", "settled_at", "refusal_sentence"]
        )


def settle_unacknowledged() -> None:
    """Find out what became of messages whose sender died or got no answer."""
    grace = timezone.now() - timedelta(seconds=settings.TWILIO_TIMEOUT_SECONDS + 2)
    rows = Message.objects.filter(direction="out", ended_at=None, sid=None, at__lt=grace)
    for message in rows.select_related("number", "conversation").order_by("at")[:AT_MOST]:
        try:
            _settle(message)
        except ProviderError as error:
            log.warning("message %s stays unsettled: %s", message.public_id, error)
        except Exception:  # the sweep's outermost edge: the next message is someone else's
            log.exception("message %s could not be settled", message.public_id)


def _settle(message: Message) -> None:
    if message.called_at is None:  # nobody ever called for it
        hand_over(message)
        return
    sent = _look_for(message)
    if sent is not None:
        _acknowledge(message, sent)
    elif timezone.now() - message.called_at > timedelta(seconds=settings.PURCHASE_QUIET_SECONDS):
        refuse(message, refusal_for(ProviderUnavailable("", outcome_unknown=False)))


def _look_for(message: Message) -> ProviderMessage | None:
    """The message at the provider: same way, same text, sent since, and not another of ours."""
    assert message.called_at is not None, "only what was handed over can be there"
    found = conversations.find_sent(
        sender=message.number.e164,
        recipient=message.conversation.contact,
        since=message.called_at - timedelta(minutes=1),
    )
    theirs = [sent for sent in found if sent.body.strip() == message.body]
    known = set(
        Message.objects.filter(sid__in=[sent.sid for sent in theirs]).values_list("sid", flat=True)
    )
    return next((sent for sent in reversed(theirs) if sent.sid not in known), None)
