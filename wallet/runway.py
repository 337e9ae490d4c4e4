"""Until when the money lasts, and which renewals it does not cover."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from wallet.upcoming import Charge, Day

AHEAD = timedelta(days=30)
FARTHEST_DAYS = 365
CHUNK = 1000

# (since, skip, most) → charges in order; ``since`` None begins with the overdue ones.
Read = Callable[[datetime | None, int, int], Sequence[Charge]]


@dataclass(slots=True)
class Uncovered:
    """How many renewals are not covered, and the first of them."""

    count: int = 0
    charges: list[Charge] = field(default_factory=list)


def lasts_until(
    *, available: Decimal, days: Sequence[Day], use_a_day: Decimal, now: datetime
) -> datetime | None:
    """Spend day by day what is used a day, and the rent on its dates. None: a year and more.

    ``days`` are the next 30; they are taken to come again every 30 days.
    """
    due = {day.ahead: day.amount for day in days}
    left = available
    for day in range(FARTHEST_DAYS):
        left -= due.get(day % AHEAD.days, Decimal(0))
        if left < 0:
            return now + timedelta(days=day)
        left -= use_a_day
    return None


def not_covered(
    *, available: Decimal, days: Sequence[Day], use_a_day: Decimal, now: datetime, read: Read,
    most: int,
) -> Uncovered:  # fmt: skip
    """The renewals that the money does not reach, at most ``most`` of them by name.

    The earliest is paid first, as rent is collected: one that is not covered does not keep a
    cheaper one after it from being paid. Rows are read only from the first day on that the
    money does not last for, and only as long as it could still pay one of them.
    """
    left, coming = available, list(days)
    while coming and left - coming[0].amount - use_a_day * coming[0].ahead >= 0:
        left -= coming.pop(0).amount
    found = Uncovered()
    if not coming:
        return found
    since = now + timedelta(days=coming[0].ahead) if coming[0].ahead else None
    rest, cheapest = sum(day.count for day in coming), min(day.cheapest for day in coming)
    seen = 0
    while seen < rest:
        chunk = read(since, seen, CHUNK)
        for charge in chunk:
            now_left = left - use_a_day * max((charge.due_at - now).days, 0)
            if charge.amount <= now_left:
                left -= charge.amount
            else:
                found.count += 1
                found.charges += [charge] if len(found.charges) < most else []
            seen += 1
            if now_left < cheapest and len(found.charges) == most:
                found.count += rest - seen  # nor is any after it
                return found
        if not chunk:  # paid or released since the days were summed
            break
    return found
