"""Until when the money lasts, and which renewals it does not cover."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from wallet.upcoming import Charge

AHEAD = timedelta(days=30)
FARTHEST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Runway:
    """``lasts_until`` None: for a year and more. ``uncovered`` are renewals within 30 days."""

    lasts_until: datetime | None
    uncovered: list[Charge]
    rent: Decimal
    use_a_day: Decimal


def runway(
    *, available: Decimal, charges: list[Charge], use_a_day: Decimal, now: datetime
) -> Runway:
    """Spend day by day what is used a day, and the rent on its dates.

    ``charges`` are those of the next 30 days; they are taken to come again every 30 days.
    The earliest is paid first, as rent is collected: one that is not covered does not keep
    a cheaper one after it from being paid, and it ends the runway.
    """
    return Runway(
        lasts_until=_lasts_until(available, charges, use_a_day, now),
        uncovered=_uncovered(available, charges, use_a_day, now),
        rent=sum((charge.amount for charge in charges), Decimal(0)),
        use_a_day=use_a_day,
    )


def _uncovered(
    available: Decimal, charges: Iterable[Charge], use_a_day: Decimal, now: datetime
) -> list[Charge]:
    uncovered, paid = [], Decimal(0)
    for charge in charges:
        left = available - paid - use_a_day * max((charge.due_at - now).days, 0)
        if charge.amount > left:
            uncovered.append(charge)
        else:
            paid += charge.amount
    return uncovered


def _lasts_until(
    available: Decimal, charges: list[Charge], use_a_day: Decimal, now: datetime
) -> datetime | None:
    due_in = [(max((charge.due_at - now).days, 0), charge.amount) for charge in charges]
    left = available
    for day in range(FARTHEST_DAYS):
        left -= sum(amount for due, amount in due_in if due == day % AHEAD.days)
        if left < 0:
            return now + timedelta(days=day)
        left -= use_a_day
    return None
