"""When a number's months begin."""

import calendar
from datetime import datetime


def period_start(bought_at: datetime, period: int) -> datetime:
    """The start of period n (the first month is 0), in the zone of ``bought_at``.

    Computed in one step from the purchase: 31 January → 28 February → 31 March. Adding
    month to month would drift to the 28th for good.
    """
    months = bought_at.month - 1 + period
    year, month = bought_at.year + months // 12, months % 12 + 1
    last_day = calendar.monthrange(year, month)[1]
    return bought_at.replace(year=year, month=month, day=min(bought_at.day, last_day))


def period_at(bought_at: datetime, moment: datetime) -> int:
    """The period that ``moment`` lies in; -1 or less before the purchase."""
    period = 12 * (moment.year - bought_at.year) + moment.month - bought_at.month
    return period if period_start(bought_at, period) <= moment else period - 1
