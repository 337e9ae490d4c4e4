"""How a number stands with its rent, for pages: what it costs, until when, and what if not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from numbers.ladder import LadderDates, ladder
from numbers.models import Number, RentDue, RentGrace
from numbers.rent_periods import period_start


@dataclass(frozen=True, slots=True)
class RentState:
    """Facts and dates; ``templates/numbers/_rent_state.html`` has the words.

    ``kind``: paid, due (falls due now, not collected yet), overdue (told, nothing stopped
    yet), outbound_stopped, suspended, giving_back, released, paused (parked or vanished).
    """

    kind: str
    due_at: datetime
    price: Decimal
    currency: str
    next_price: Decimal | None
    next_price_at: datetime | None
    released_at: datetime | None
    dates: LadderDates | None

    @property
    def is_overdue(self) -> bool:
        return self.kind in ("overdue", "outbound_stopped", "suspended")


def rent_state(number: Number) -> RentState:
    """Two queries. For a list, take ``rent_states``."""
    return rent_states([number])[number.pk]


def rent_states(numbers: Sequence[Number]) -> dict[int, RentState]:
    """By number id, for the rows of a list: two queries however many there are."""
    now = timezone.now()
    dues = RentDue.objects.in_bulk([number.pk for number in numbers])
    workspaces = {number.workspace_id for number in numbers}
    extra = dict(
        RentGrace.objects.filter(workspace__in=workspaces, ended_at=None).values_list(
            "workspace", "extra_days"
        )
    )
    return {
        number.pk: _state(number, dues[number.pk], extra.get(number.workspace_id, 0), now)
        for number in numbers
    }


def _state(number: Number, due: RentDue, extra: int, now: datetime) -> RentState:
    kind = _kind(number, due, now)
    overdue = kind in ("overdue", "outbound_stopped", "suspended")
    return RentState(
        kind=kind, due_at=due.due_at, price=due.price, currency=number.currency,
        next_price=due.next_price,
        next_price_at=period_start(due.bought_at, due.next_price_from)
        if due.next_price_from is not None
        else None,
        released_at=number.released_at,
        dates=ladder(extra).dates(due.overdue_since or due.due_at) if overdue else None,
    )  # fmt: skip


def _kind(number: Number, due: RentDue, now: datetime) -> str:
    if number.released_at:
        return "released"
    if number.giving_back_at:
        return "giving_back"
    if not due.billed:
        return "paused"
    if due.due_at > now:
        return "paid"
    if number.suspended_at:
        return "suspended"
    if number.outbound_stopped_at:
        return "outbound_stopped"
    return "overdue" if due.overdue_since else "due"
