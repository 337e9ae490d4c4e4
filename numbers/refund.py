"""Giving back what a number cost: by support staff, once, with a reason that stays."""

from django.db import transaction
from django.utils import timezone

from lib import money
from lib.errors import Refusal
from numbers.models import OrderLine
from numbers.order_log import advance
from numbers.purchase import locked_line
from wallet import ledger
from wallet.models import Entry
from workspaces import audit, notices
from workspaces.models import User


class NothingToRefund(Refusal):
    code = "nothing_to_refund"
    title = "There is nothing to give back"

    def __init__(self, line: OrderLine) -> None:
        super().__init__(
            f"{line.international} was not charged: its line is {line.get_state_display().lower()}."
        )


class ReasonMissing(Refusal):
    code = "reason_missing"
    title = "Say why it is refunded"

    def __init__(self) -> None:
        super().__init__("The reason is shown on the order and stays on the statement.")


def refund_line(*, line: OrderLine, by: User, reason: str) -> OrderLine:
    """Give the first month back to the wallet; a line that was refunded stays as it is.

    The number stays where it is: releasing it is another decision. Raises ``NothingToRefund``
    for a line that was not charged, and what the ledger raises.
    """
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        line = locked_line(line)
        if line.state == OrderLine.State.REFUNDED:
            return line
        if line.state != OrderLine.State.DONE:
            raise NothingToRefund(line)
        _give_back(line, by, reason.strip())
    return line


def _give_back(line: OrderLine, by: User, reason: str) -> None:
    order, amount = line.order, money.show(line.monthly_price, line.currency)
    charge = Entry.objects.select_related("wallet").get(
        wallet=order.workspace_id, key=line.entry_key
    )
    ledger.refund(
        wallet=charge.wallet, entry=charge, amount=line.monthly_price,
        key=f"{line.entry_key}:refund", text=f"{line.international}, refunded", by=by,
        reason=reason[:300],
    )  # fmt: skip
    advance(
        line, to=OrderLine.State.REFUNDED, cause="refunded", settled_at=timezone.now(),
        text=f"{amount} was given back by support: {reason}"[:400],
    )  # fmt: skip
    audit.record(
        workspace=order.workspace, by=by, action="order.refunded", subject=order,
        subject_id=order.reference, text=f"Gave back {amount} for {line.international}: {reason}",
        details={"number": line.e164, "amount": str(line.monthly_price), "reason": reason},
    )  # fmt: skip
    notices.notify(
        workspace=order.workspace, key=f"{line.entry_key}:refund", recipient=order.placed_by,
        subject=f"{amount} was given back for {line.international}",
        body=f"{amount} is back in the wallet of {order.workspace}.\n\nThe reason: {reason}\n"
             f"The order: {order.reference}\n",
    )  # fmt: skip
