"""Every move of an order's line, with its time and cause, in the commit that made it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from numbers.models import NumberOrder, OrderLine
from workspaces.models import WorkspaceOwned


class OrderStep(WorkspaceOwned):
    """One move of one line. Triggers forbid changing or deleting it, and a move without it."""

    line = models.ForeignKey(
        OrderLine, on_delete=models.PROTECT, related_name="steps", db_index=False
    )
    from_state = models.CharField(max_length=8, blank=True, choices=OrderLine.State)
    to_state = models.CharField(max_length=8, choices=OrderLine.State)
    at = models.DateTimeField()
    # A code for staff and tests, and a sentence for people.
    cause = models.CharField(max_length=40)
    text = models.CharField(max_length=400)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "line", "id"], name="order_step_of_line"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.get_to_state_display()}: {self.text}"


def steps_of(order: NumberOrder) -> list[OrderStep]:
    """All that happened to its lines, the oldest first."""
    steps = OrderStep.objects.for_workspace(order.workspace).filter(line__order=order)
    return list(steps.select_related("line").order_by("pk"))


@dataclass(frozen=True, slots=True)
class Told:
    """A step for people; ``number`` is empty where it is about all of the order."""

    at: datetime
    number: str
    text: str


def story_of(order: NumberOrder) -> list[Told]:
    """The steps as people read them: that the order was placed is told once."""
    steps = steps_of(order)
    placed = [step for step in steps if not step.from_state]
    later = [step for step in steps if step.from_state]
    several = len(placed) > 1
    return [
        *(Told(step.at, "", step.text) for step in placed[:1]),
        *(Told(step.at, _which(step) if several else "", step.text) for step in later),
    ]


def _which(step: OrderStep) -> str:
    """Its number, unless the text names it."""
    number = step.line.international
    return "" if number in step.text else number


def first_steps(lines: list[OrderLine], *, at: datetime, text: str) -> None:
    """Log that these lines were placed. Called in the transaction that writes them."""
    OrderStep.objects.bulk_create(
        OrderStep(
            workspace_id=line.workspace_id, line=line, to_state=OrderLine.State.PLACED, at=at,
            cause="placed", text=text,
        )
        for line in lines
    )  # fmt: skip


def advance(line: OrderLine, *, to: OrderLine.State, cause: str, text: str, **facts: Any) -> bool:
    """Move a line that is still as we saw it, with its step, in one commit.

    Returns whether it was. "As we saw it" means in the same state and after the same call of
    the provider: whoever acts on an older answer changes nothing.
    """
    with transaction.atomic(savepoint=False):  # two round trips less; whoever fails, all fails
        still = OrderLine.objects.filter(
            pk=line.pk, state=line.state, called_at=line.called_at, calls=line.calls
        )
        if not still.update(state=to, **facts):
            return False
        OrderStep.objects.create(
            workspace_id=line.workspace_id, line=line, from_state=line.state, to_state=to,
            at=timezone.now(), cause=cause, text=text,
        )  # fmt: skip
    line.state = to
    for name, value in facts.items():
        setattr(line, name, value)
    return True
