"""The money of calls that are forwarded: what comes in is answered at our cost a second time.

Before a phone rings, what half an hour may cost is set aside, and the call gets a limit: half
of the money that is promised to no other call, four hours at most. So however many are
forwarded at once, together they cost what is there. What the parts of the call cost is taken
from what was set aside, and the rest is free again once it is known that no more will come.
"""

import logging

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from interactions.models import Call, CallLeg, Usage
from interactions.out_of_money import tell_that_inbound_was_refused
from interactions.parts import PARTS, are_known
from interactions.plans import Answer
from interactions.receive import ReceivedCall, forwarded_text
from lib import prepared
from wallet import ledger
from wallet.models import Entry, Hold, Kind, Wallet

log = logging.getLogger(__name__)

LOCK_NOT_AVAILABLE = "55P03"


class WalletIsBusy(Exception):
    """Somebody else has locked the wallet for longer than a caller can wait."""


def allow(call: ReceivedCall, step: Answer) -> int:
    """How many seconds it may be forwarded for, with the money set aside; 0 where there is
    none, which the owner is told. Asked again, it says the same. Raises ``WalletIsBusy``.
    """
    seconds = call.limit_seconds
    if seconds is None:
        seconds = _set_aside(call, step)
    if not seconds:
        log.warning("call %s is not forwarded: the money is promised to others", call.id)
        tell_that_inbound_was_refused(workspace_id=call.workspace_id)
    return seconds


def _set_aside(call: ReceivedCall, step: Answer) -> int:
    """What was not done as the call was stored: it depends on the hour, or had to wait."""
    # With a whisper a mailbox may pick up, and costs a minute before the next phone rings.
    others = len(step.phones) if step.whisper else 0
    try:
        [[seconds]] = prepared.fetch(
            "SELECT interactions_forward_call(%s, %s, %s)",
            [call.id, others, forwarded_text(call.caller)],
        )
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        raise WalletIsBusy from error
    return seconds


def pay(usage: Usage, wallet: Wallet, *, key: str, text: str, reference: str) -> Entry:
    """Charge from what was set aside for the call, where that is enough; else from the wallet.

    To be used inside a transaction. Raises ``InsufficientFunds``.
    """
    assert usage.amount is not None, "only what has a price is paid"
    amount = usage.amount
    if usage.call is not None and usage.call.hold_id is not None:
        ledger.lock_many([wallet.pk], wait=True)  # another part of the call may be paid as well
        hold = Hold.objects.get(pk=usage.call.hold_id)
        if hold.remaining >= amount:
            return ledger.capture(hold=hold, amount=amount, kind=Kind.USAGE, key=key, text=text,
                                  reference=reference, final=False)  # fmt: skip
        if hold.remaining:
            return _charge_with(hold, usage, wallet, key=key, text=text, reference=reference)
    return ledger.charge(
        wallet=wallet, kind=Kind.USAGE, amount=amount, key=key, text=text, reference=reference
    )


@transaction.atomic
def _charge_with(
    hold: Hold, usage: Usage, wallet: Wallet, *, key: str, text: str, reference: str
) -> Entry:
    """Charge more than was set aside; where all the money does not reach, it stays set aside."""
    assert usage.amount is not None, "only what has a price is paid"
    ledger.void(hold=hold)
    return ledger.charge(wallet=wallet, kind=Kind.USAGE, amount=usage.amount, key=key, text=text,
                         reference=reference)  # fmt: skip


def give_free(call: Call) -> None:
    """Give back what was set aside for a call and not taken, and end what it was promised."""
    with transaction.atomic():
        if call.hold_id is not None:
            ledger.lock_many([call.workspace_id], wait=True)  # a part may be paid this moment
            hold = Hold.objects.get(pk=call.hold_id)
            if hold.ended_at is None:
                ledger.void(hold=hold)
        Call.objects.filter(pk=call.pk, paid_at=None).update(paid_at=timezone.now())


def paid(*, most: int) -> list[Call]:
    """Forwarded calls of which nothing more is to be paid, and that is not noted: ended, and
    their parts are known and paid, or the carrier was asked for them. At most so many of
    either kind.
    """
    mine = {"call": OuterRef("pk")}
    unpaid = Exists(CallLeg.objects.filter(**mine, settled_at=None)) | Exists(
        Usage.objects.filter(**mine, state=Usage.State.DUE)
    )
    settled = (
        Call.objects.filter(may_cost__isnull=False, paid_at=None, settled_at__isnull=False)
        .exclude(unpaid)
        .select_related("route", "workspace")
        .prefetch_related(*PARTS)
    )
    asked = settled.filter(asked_for_parts_at__isnull=False).order_by("ended_at")
    # The newest first: an older one waits until the carrier has been asked.
    others = settled.filter(asked_for_parts_at=None).order_by("-ended_at")
    return [*asked[:most], *filter(are_known, others[:most])]
