"""The money of calls that are forwarded: what comes in is answered at our cost a second time.

Before a phone rings, what half an hour may cost is set aside, and the call gets a limit: half
of the money that is promised to no other call, four hours at most. So however many are
forwarded at once, together they cost what is there. What the parts of the call cost is taken
from what was set aside, and the rest is free again once it is known that no more will come.
"""

import logging

from django.db import connection
from django.db.models import Exists, OuterRef

from interactions.models import Call, CallLeg, Usage
from interactions.out_of_money import tell_that_inbound_was_refused
from interactions.parts import PARTS, are_known
from interactions.plans import Answer
from interactions.receive import ReceivedCall
from lib import e164 as formats
from wallet import ledger
from wallet.models import Entry, Hold, Kind, Wallet

log = logging.getLogger(__name__)


def allow(call: ReceivedCall, step: Answer) -> int:
    """How many seconds it may be forwarded for, with the money set aside; 0 where there is
    none, which the owner is told. Asked again, it says the same.
    """
    # With a whisper a mailbox may pick up, and costs a minute before the next phone rings.
    others = len(step.phones) if step.whisper else 0
    caller = formats.international(call.caller) if call.caller else "an unknown caller"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT interactions_forward_call(%s, %s, %s)",
            [call.id, others, f"Forwarded call from {caller}"],
        )
        [seconds] = cursor.fetchone()
    if not seconds:
        log.warning("call %s is not forwarded: the money is promised to others", call.id)
        tell_that_inbound_was_refused(workspace_id=call.workspace_id)
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
            ledger.void(hold=hold)
    return ledger.charge(
        wallet=wallet, kind=Kind.USAGE, amount=amount, key=key, text=text, reference=reference
    )


def give_free(call: Call) -> None:
    """Give back what was set aside for a call and not taken."""
    assert call.hold is not None, "only calls with a hold are given here"
    ledger.void(hold=call.hold)


def paid(*, most: int) -> list[Call]:
    """Calls with money set aside of which nothing more is to be paid: ended, and their parts
    are known and paid, or the carrier was asked for them. At most so many of either kind.
    """
    mine = {"call": OuterRef("pk")}
    unpaid = Exists(CallLeg.objects.filter(**mine, settled_at=None)) | Exists(
        Usage.objects.filter(**mine, state=Usage.State.DUE)
    )
    settled = (
        Call.objects.filter(hold__ended_at=None, hold__isnull=False, settled_at__isnull=False)
        .exclude(unpaid)
        .select_related("hold", "route", "workspace")
        .prefetch_related(*PARTS)
    )
    asked = settled.filter(asked_for_parts_at__isnull=False).order_by("ended_at")
    # The newest first: an older one waits until the carrier has been asked.
    others = settled.filter(asked_for_parts_at=None).order_by("-ended_at")
    return [*asked[:most], *filter(are_known, others[:most])]
