"""Charging for what was used: minutes, segments, pictures.

What arrived has happened already and is charged from the rates that are shown, down to the
wallet's credit limit; what the wallet cannot pay stays due and is tried again. What is sent
was held before it was sent, and is captured when the provider says what it took, never
more than was held. A call that is forwarded does both: what its parts cost is taken from what
was set aside for it (see forwarding.py). Each charge has its key from the provider's SID.
"""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from interactions import forwarding, rates
from interactions.models import Call, CallLeg, Message, Usage, UsageRate
from interactions.models.usage import with_markup
from interactions.out_of_money import tell_the_owner
from lib import e164 as formats
from telephony import conversations
from telephony.errors import NotFound, ProviderError
from wallet import ledger
from wallet.ledger import InsufficientFunds
from wallet.models import Kind, Wallet

log = logging.getLogger(__name__)

State = Usage.State
AT_MOST = 200
# How long the next look at a price that is not there yet waits, from try to try.
WAITS = [timedelta(seconds=s) for s in (15, 30, 60, 300, 900, 3600)]
OWED_AGAIN_AFTER = timedelta(minutes=2)
# After this long without a price from the provider, our rate stands.
PRICE_WAITED_FOR = timedelta(hours=24)


def settle_due() -> None:
    """Charge for everything that is over, each on its own: one failure stops no other."""
    ended = Q(ended_at__isnull=False, settled_at=None)
    for call in Call.objects.filter(ended).select_related("number").order_by("ended_at")[:AT_MOST]:
        _guarded(settle_call, call)
    legs = CallLeg.objects.filter(settled_at=None).select_related("call").order_by("ended_at")
    for leg in legs[:AT_MOST]:
        _guarded(settle_leg, leg)
    messages = Message.objects.filter(ended).select_related("number").order_by("ended_at")
    for message in messages[:AT_MOST]:
        _guarded(settle_message, message)
    due = Usage.objects.filter(state__in=[State.HELD, State.DUE], next_try_at__lte=timezone.now())
    for usage in due.select_related("call", "leg", "message", "hold").order_by("next_try_at")[
        :AT_MOST
    ]:
        _guarded(settle_usage, usage)
    for call in forwarding.paid(most=AT_MOST):
        _guarded(forwarding.give_free, call)


def _guarded(settle, row) -> None:  # type: ignore[no-untyped-def]
    try:
        settle(row)
    except Exception:  # the sweep's outermost edge: the next row is someone else's money
        log.exception("%s %s could not be settled", type(row).__name__, row.pk)


def settle_call(call: Call) -> None:
    """A call is over: its minutes are due, if it was answered and came in."""
    minutes = minutes_of(call.seconds or 0) if call.is_incoming else 0
    rate = rates.incoming_rate(UsageRate.Kind.CALL_IN, call.number) if minutes else None
    _charge_once(call, UsageRate.Kind.CALL_IN, minutes, rate, call=call)


def settle_leg(leg: CallLeg) -> None:
    """A phone's part of a forwarded call is over: its minutes are due."""
    minutes = minutes_of(leg.seconds)
    rate = rates.call_rate_to(leg.e164) if minutes else None
    _charge_once(leg, UsageRate.Kind.CALL_OUT, minutes, rate, call=leg.call, leg=leg)


def settle_message(message: Message) -> None:
    """A message that came in is due at once; one that was sent has its hold."""
    if not message.is_incoming:
        _claim(message)
        return
    if message.pictures:
        kind, quantity = UsageRate.Kind.MMS_IN, 1
    else:
        kind, quantity = UsageRate.Kind.SMS_IN, message.segments
    rate = rates.incoming_rate(kind, message.number)
    _charge_once(message, kind, quantity, rate, message=message)


def _charge_once(
    row: Call | CallLeg | Message, kind: UsageRate.Kind, quantity: int, rate: UsageRate | None,
    **subject: Any,
) -> None:  # fmt: skip
    """Whoever settles the row makes what is due of it, and charges it afterwards."""
    with transaction.atomic():
        if not _claim(row) or not quantity:
            return
        usage = _due(kind, quantity, rate, workspace_id=row.workspace_id, **subject)
    charge(usage)


def minutes_of(seconds: int) -> int:
    """Every minute that has begun counts, as the provider counts them."""
    return -(-seconds // 60)


def _claim(row: Call | CallLeg | Message) -> bool:
    rows = type(row).objects.filter(pk=row.pk, settled_at=None)
    return bool(rows.update(settled_at=timezone.now()))


def _due(
    kind: UsageRate.Kind, quantity: int, rate: UsageRate | None, **subject: Any
) -> Usage:  # fmt: skip
    """A row for what has happened. Without a rate, the provider's own price will decide."""
    now = timezone.now()
    return Usage.objects.create(
        kind=kind, state=State.DUE, quantity=quantity, at=now, next_try_at=now,
        unit_price=rate and rate.price, provider_unit_price=rate and rate.provider_price,
        amount=rate and rate.price * quantity, currency=rate.currency if rate else "", **subject,
    )  # fmt: skip


def settle_usage(usage: Usage) -> None:
    """One more try at a row that is held or due."""
    if usage.state == State.HELD:
        settle_held(usage)
    else:
        charge(usage)


def charge(usage: Usage) -> None:
    """Charge for what has happened. Where the wallet cannot pay it stays due, the owner is
    told, and what comes in is refused until it is paid.
    """
    if usage.amount is None and not _priced_by_provider(usage):
        return
    with transaction.atomic():
        usage = Usage.objects.select_for_update(of=("self",)).get(pk=usage.pk)
        if usage.state != State.DUE:
            return
        if not usage.amount:
            usage.state = State.FREE
            usage.save(update_fields=["state"])
            return
        wallet = Wallet.objects.select_related("workspace").get(workspace_id=usage.workspace_id)
        if wallet.currency != usage.currency:
            log.error("usage %s is in %s and the wallet is not", usage.pk, usage.currency)
            _later(usage, timedelta(hours=1))
            return
        try:
            entry = forwarding.pay(
                usage, wallet, key=key_of(usage), text=text_of(usage),
                reference=reference_of(usage),
            )  # fmt: skip
        except InsufficientFunds as refusal:
            usage.owed_since = usage.owed_since or timezone.now()
            usage.save(update_fields=["owed_since"])
            _later(usage, OWED_AGAIN_AFTER)
            tell_the_owner(wallet, missing=refusal.missing, owed=usage.amount)
            return
        usage.entry, usage.state, usage.owed_since = entry, State.CHARGED, None
        usage.save(update_fields=["entry", "state", "owed_since"])


def _priced_by_provider(usage: Usage) -> bool:
    """Take the price from what the provider charged, where our rates know none."""
    price, currency = _provider_price(usage)
    if price is None:
        _later(usage, _wait(usage))
        return False
    usage.amount, usage.currency, usage.provider_price = with_markup(price), currency, price
    usage.save(update_fields=["amount", "currency", "provider_price"])
    return True


def settle_held(usage: Usage) -> None:
    """Capture or give back what was held for a message or a call of ours, once it is known
    what the provider took for it; it is asked for as long as it does not say.
    """
    subject = usage.message or usage.call
    assert subject is not None, "the database keeps such rows out"
    if isinstance(subject, Call):
        if subject.ended_at:
            minutes = minutes_of(subject.seconds or 0)
            _end_hold(usage, (usage.unit_price or Decimal(0)) * minutes)
        else:
            _later(usage, _wait(usage))
        return
    if subject.status in ("failed", "canceled"):
        _end_hold(usage, Decimal(0))
        return
    if subject.sid is None:  # not acknowledged yet: the sweep of sending finds out
        _later(usage, _wait(usage))
        return
    price, _currency = _provider_price(usage)
    if price is not None:
        usage.provider_price = price
        usage.save(update_fields=["provider_price"])
        _end_hold(usage, with_markup(price))
    elif timezone.now() - usage.at > PRICE_WAITED_FOR:
        assert usage.amount is not None, "a hold is never made without an amount"
        _end_hold(usage, Decimal(0) if subject.status == "undelivered" else usage.amount)
    else:
        _later(usage, _wait(usage))


def _end_hold(usage: Usage, amount: Decimal) -> None:
    with transaction.atomic():
        usage = (
            Usage.objects.select_for_update(of=("self",)).select_related("hold").get(pk=usage.pk)
        )
        if usage.state != State.HELD or usage.hold is None:
            return
        amount = min(amount, usage.hold.amount)
        if not amount:
            ledger.void(hold=usage.hold)
            usage.state, usage.amount = State.FREE, Decimal(0)
            usage.save(update_fields=["state", "amount"])
            return
        usage.entry = ledger.capture(
            hold=usage.hold, amount=amount, kind=Kind.USAGE, key=key_of(usage),
            text=text_of(usage), reference=reference_of(usage),
        )  # fmt: skip
        usage.state, usage.amount = State.CHARGED, amount
        usage.save(update_fields=["state", "amount", "entry"])


def _provider_price(usage: Usage) -> tuple[Decimal | None, str]:
    """What the provider took, if it says so already."""
    try:
        if usage.message is not None:
            message = conversations.fetch_message(sid=usage.message.sid or "")
            return message.price, message.currency
        sid = usage.leg.sid if usage.leg else usage.call.sid if usage.call else None
        call = conversations.fetch_call(sid=sid or "")
    except NotFound:
        return Decimal(0), "USD"  # there is no such thing any more: nothing to pay for
    except ProviderError as error:
        log.warning("the price of usage %s could not be asked for: %s", usage.pk, error)
        return None, ""
    return call.price, call.currency


def _later(usage: Usage, wait: timedelta) -> None:
    usage.tries += 1
    usage.next_try_at = timezone.now() + wait
    usage.save(update_fields=["tries", "next_try_at"])


def _wait(usage: Usage) -> timedelta:
    return WAITS[min(usage.tries, len(WAITS) - 1)]


def key_of(usage: Usage) -> str:
    """From the provider's SID, or our own reference where we made it: the same fact can
    never be charged twice.
    """
    subject = usage.leg or usage.message or usage.call
    assert subject is not None, "the database keeps such rows out"
    if isinstance(subject, CallLeg) or subject.is_incoming:
        return f"usage:{usage.kind}:{subject.sid}"
    return f"usage:{usage.kind}:{subject.public_id}"


def reference_of(usage: Usage) -> str:
    subject = usage.message or usage.call
    return subject.public_id if subject else ""


def text_of(usage: Usage) -> str:
    """The line on the statement: ``Incoming call from +1 212-555-0123, 3 minutes``."""
    subject = usage.message or usage.call
    assert subject is not None, "the database keeps such rows out"
    contact = usage.leg.e164 if usage.leg else subject.conversation.contact
    who = formats.international(contact) if contact else "an unknown caller"
    what, unit = {
        UsageRate.Kind.CALL_IN: ("Incoming call from", "minute"),
        UsageRate.Kind.CALL_OUT: (
            "Call forwarded to" if usage.leg else "Call to", "minute"
        ),
        UsageRate.Kind.SMS_IN: ("Text from", "segment"),
        UsageRate.Kind.SMS_OUT: ("Text to", "segment"),
        UsageRate.Kind.MMS_IN: ("Picture message from", ""),
        UsageRate.Kind.MMS_OUT: ("Picture message to", ""),
    }[UsageRate.Kind(usage.kind)]  # fmt: skip
    plural = "" if usage.quantity == 1 else "s"
    return f"{what} {who}" + (f", {usage.quantity} {unit}{plural}" if unit else "")
