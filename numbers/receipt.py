"""What became of an order, counted for the person who reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from numbers.models import NumberOrder, OrderLine

State = OrderLine.State


@dataclass(frozen=True, slots=True)
class Receipt:
    """``charged`` is what the wallet has paid in the end, refunds taken off."""

    lines: Sequence[OrderLine]
    bought: Sequence[OrderLine]
    refused: Sequence[OrderLine]
    unsettled: Sequence[OrderLine]
    charged: Decimal
    every_month: Decimal

    @property
    def is_settled(self) -> bool:
        return not self.unsettled

    @property
    def is_due(self) -> bool:
        """Whether a line of it may be settled now by whoever comes."""
        now = timezone.now()
        return any(line.due_at and line.due_at <= now for line in self.unsettled)

    @property
    def is_checking(self) -> bool:
        return any(line.state == State.CHECKING for line in self.unsettled)

    @property
    def waits_for_webhooks(self) -> bool:
        """Whether something that was bought does not yet receive calls and messages."""
        return any(line.number and not line.number.webhooks_set_at for line in self.bought)


def receipt_of(order: NumberOrder) -> Receipt:
    """Two queries, whatever the number of lines."""
    lines = list(order.lines.select_related("number__rent").order_by("position"))
    bought = [line for line in lines if line.state in OrderLine.BOUGHT]
    kept = [line.monthly_price for line in bought if line.state == State.DONE]
    return Receipt(
        lines=lines,
        bought=bought,
        refused=[line for line in lines if line.state == State.REFUSED],
        unsettled=[line for line in lines if line.state in OrderLine.UNSETTLED],
        charged=sum(kept, Decimal(0)),
        every_month=sum((line.monthly_price for line in bought), Decimal(0)),
    )
