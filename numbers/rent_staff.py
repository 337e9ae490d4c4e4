"""What support staff may do about rent: give more time, waive a month."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from lib.errors import Refusal
from numbers.models import Number, RentDue, RentGrace, RentLine
from numbers.rent_periods import period_start
from numbers.restore import put_back
from wallet import ledger
from workspaces import audit
from workspaces.models import User, Workspace


class ReasonMissing(Refusal):
    code = "reason_missing"
    title = "A reason is missing"
    money = ""

    def __init__(self) -> None:
        super().__init__("Say why: the reason stays with it and is shown to whoever asks later.")


class NotBilled(Refusal):
    code = "not_billed"
    title = "This number is not billed"

    def __init__(self, number: Number) -> None:
        super().__init__(
            f"{number.international} is released or parked: there is nothing to waive."
        )


def extend_grace(
    *, workspace: Workspace, extra_days: int, reason: str, by: User, now: datetime | None = None
) -> RentGrace:
    """Let every step of the ladder come ``extra_days`` later, until ``end_grace``.

    Replaces an earlier extension. What had stopped and now has more time works again.
    Raises ``ReasonMissing``.
    """
    if not reason.strip():
        raise ReasonMissing
    now = now or timezone.now()
    with transaction.atomic():
        ledger.lock_many([workspace.pk], wait=True)
        RentGrace.objects.for_workspace(workspace).filter(ended_at=None).update(ended_at=now)
        grace = RentGrace.objects.create(
            workspace=workspace, extra_days=extra_days, reason=reason.strip(), by=by,
            granted_at=now,
        )  # fmt: skip
        stopped = Number.objects.for_workspace(workspace).stopped_by_rent()
        put_back(
            workspaces=[workspace.pk], numbers=list(stopped.values_list("pk", flat=True)), at=now
        )
        audit.record(
            workspace=workspace, by=by, action="rent.grace", text=f"Rent: {grace}",
            details={"days": extra_days, "reason": grace.reason},
        )  # fmt: skip
    return grace


def end_grace(*, workspace: Workspace, reason: str, by: User) -> None:
    """Back to the usual days. What is due by them is done in the next round, so numbers may
    stop then: the reason stays in the audit trail. Raises ``ReasonMissing``.
    """
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        ended = (
            RentGrace.objects.for_workspace(workspace)
            .filter(ended_at=None)
            .update(ended_at=timezone.now())
        )
        if ended:
            audit.record(
                workspace=workspace, by=by, action="rent.grace_ended",
                text="Rent: no more days than usual", details={"reason": reason.strip()},
            )  # fmt: skip


def waive_month(*, number: Number, reason: str, by: User, now: datetime | None = None) -> RentLine:
    """The month that would be paid next costs nothing; the reason stays on its line.

    Raises ``ReasonMissing``, ``NotBilled``.
    """
    if not reason.strip():
        raise ReasonMissing
    now = now or timezone.now()
    with transaction.atomic():
        ledger.lock_many([number.workspace_id], wait=True)
        due = RentDue.objects.select_for_update(no_key=True).get(pk=number.pk)
        if not due.billed:
            raise NotBilled(number)
        begins = due.due_at
        line = RentLine.objects.create(
            number_id=number.pk, workspace_id=number.workspace_id, charged_at=now,
            period=due.next_period, amount=0, waived_because=reason.strip(),
        )  # fmt: skip
        _move_on(due, now)
        put_back(workspaces=[number.workspace_id], numbers=[number.pk], at=now)
        audit.record(
            workspace=number.workspace, by=by, action="rent.waived", subject=number,
            text=f"Waived the month from {_day(begins, number.workspace)}",
            details={"period": line.period, "reason": line.waived_because},
        )  # fmt: skip
    return line


def _move_on(due: RentDue, now: datetime) -> None:
    """What ``numbers_rent_take_listed`` does to a row that was paid, for one that was not."""
    period = due.next_period
    due.next_period = period + 1
    due.due_at = period_start(due.bought_at, due.next_period)
    if due.overdue_since is not None:
        due.overdue_since = max(due.overdue_since, due.due_at) if due.due_at <= now else None
    new_price = None
    if due.next_price_from is not None and period >= due.next_price_from:
        new_price, due.next_price, due.next_price_from = due.next_price, None, None
    due.save(
        update_fields=["next_period", "due_at", "overdue_since", "next_price", "next_price_from"]
    )
    if new_price is not None:  # and the rent row's with it
        Number.objects.filter(pk=due.pk).update(monthly_price=new_price)


def _day(moment: datetime, workspace: Workspace) -> str:
    return f"{moment.astimezone(ZoneInfo(workspace.time_zone)):%-d %b %Y}"
