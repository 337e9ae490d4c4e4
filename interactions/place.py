"""Placing a call: intent and hold committed, provider called, outcome committed.

As with messages, a call is handed over once; whoever dies in between leaves a row that the
provider's reports, which carry our reference, or the sweep settle.
"""

import logging
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from interactions import rates
from interactions.follow import note_call_status
from interactions.models import Call, Conversation, Usage, UsageRate
from interactions.refusals import NoRate, NumberCannotSend, NumberIsInactive, refusal_for
from interactions.usage_charges import minutes_of
from lib.errors import Refusal
from numbers.models import Number
from telephony import conversations
from telephony.conversations import ProviderCall
from telephony.errors import ProviderError, ProviderUnavailable
from telephony.payloads import CallStatus
from telephony.values import Capability
from telephony.webhook_urls import status_of_call
from wallet import ledger
from wallet.models import Wallet
from wallet.ring_fence import kept_for_rent

log = logging.getLogger(__name__)

AT_MOST = 100
FIRST_LOOK_AFTER = timedelta(seconds=15)


def call_price(called: str, *, limit_seconds: int) -> tuple[UsageRate, Decimal]:
    """The rate, and what a call to this number costs at most. Raises ``NoRate``."""
    rate = rates.call_rate_to(called)
    if rate is None:
        raise NoRate(called)
    return rate, rate.price * minutes_of(limit_seconds)


def check_caller(number: Number) -> None:
    """Raises a ``Refusal`` where no call can be made from this number."""
    if number.status != Number.Status.ACTIVE or number.outbound_stopped_at:
        raise NumberIsInactive(number)
    if not number.can(Capability.VOICE):
        raise NumberCannotSend(number, "calls")


def write_call(*, number: Number, called: str, limit_seconds: int, text: str) -> Call:
    """Commit the intent and hold what it costs at most; calls nobody.

    To be used inside the transaction that has the reason for the call. Raises a ``Refusal``
    where there is no rate or too little money.
    """
    rate, most = call_price(called, limit_seconds=limit_seconds)
    now = timezone.now()
    conversation, _new = Conversation.objects.get_or_create(
        number=number, contact=called,
        defaults={"workspace_id": number.workspace_id, "last_at": now},
    )  # fmt: skip
    Conversation.objects.filter(pk=conversation.pk).update(last_at=now, last_text="Outgoing call")
    call = Call.objects.create(
        workspace_id=number.workspace_id, conversation=conversation, number=number,
        direction="out", status="asked", states={"asked": now.isoformat()}, at=now,
        limit_seconds=limit_seconds,
    )  # fmt: skip
    hold = ledger.hold(
        wallet=Wallet.objects.get(workspace_id=number.workspace_id), amount=most,
        currency=rate.currency, key=f"usage:{rate.kind}:{call.public_id}", text=text,
        reference=call.public_id, keep=kept_for_rent(number.workspace),
    )  # fmt: skip
    Usage.objects.create(
        workspace_id=number.workspace_id, kind=rate.kind, call=call, state=Usage.State.HELD,
        quantity=minutes_of(limit_seconds), unit_price=rate.price, amount=most,
        provider_unit_price=rate.provider_price, currency=rate.currency, hold=hold, at=now,
        next_try_at=now + FIRST_LOOK_AFTER,
    )  # fmt: skip
    return call


def hand_over(call: Call, *, twiml: str) -> None:
    """Call the provider for a written call, and commit what it answered."""
    try:
        placed = conversations.place_call(
            caller=call.number.e164, called=call.conversation.contact, twiml=twiml,
            status_url=status_of_call(call.public_id), limit_seconds=call.limit_seconds or 60,
        )  # fmt: skip
    except ProviderUnavailable as error:
        if error.outcome_unknown:
            log.warning("call %s: outcome unknown: %s", call.public_id, error)
        else:
            refuse(call, refusal_for(error))
    except ProviderError as error:
        log.info("call %s: the provider refused: %s", call.public_id, error)
        refuse(call, refusal_for(error))
    else:
        _acknowledge(call, placed)


def _acknowledge(call: Call, placed: ProviderCall) -> None:
    status = CallStatus(placed.sid, "", placed.caller, placed.called, placed.status,
                        placed.direction, placed.seconds, placed.answered_by)  # fmt: skip
    note_call_status(status, reference=call.public_id)


def refuse(call: Call, refusal: Refusal) -> None:
    """It was not placed: give the money back, once."""
    now = timezone.now()
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).get(pk=call.pk)
        if call.ended_at or call.sid:
            return
        usage = Usage.objects.select_related("hold").get(call=call)
        if usage.hold is not None and usage.state == Usage.State.HELD:
            ledger.void(hold=usage.hold)
            usage.state, usage.amount = Usage.State.FREE, Decimal(0)
            usage.save(update_fields=["state", "amount"])
        call.status, call.outcome = "failed", Call.Outcome.FAILED
        call.ended_at = call.settled_at = now
        call.answer = refusal.sentence
        call.save(update_fields=["status", "outcome", "ended_at", "settled_at", "answer"])


def settle_unacknowledged() -> None:
    """Find out what became of calls whose caller died or got no answer."""
    quiet = timezone.now() - timedelta(seconds=settings.PURCHASE_QUIET_SECONDS)
    rows = Call.objects.filter(direction="out", ended_at=None, sid=None, at__lt=quiet)
    for call in rows.select_related("number", "conversation").order_by("at")[:AT_MOST]:
        try:
            _settle(call)
        except ProviderError as error:
            log.warning("call %s stays unsettled: %s", call.public_id, error)
        except Exception:  # the sweep's outermost edge: the next call is someone else's
            log.exception("call %s could not be settled", call.public_id)


def _settle(call: Call) -> None:
    """There: adopt it. Not there after the quiet time: it was not placed."""
    found = conversations.find_placed(
        caller=call.number.e164, called=call.conversation.contact,
        since=call.at - timedelta(minutes=1),
    )  # fmt: skip
    sids = [placed.sid for placed in found]
    known = set(Call.objects.filter(sid__in=sids).values_list("sid", flat=True))
    placed = next((one for one in reversed(found) if one.sid not in known), None)
    if placed is not None:
        _acknowledge(call, placed)
    else:
        refuse(call, refusal_for(ProviderUnavailable("", outcome_unknown=False)))
