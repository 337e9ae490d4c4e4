"""What came in and what the provider took, month by month, for those who run the platform."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils import timezone

from interactions.models import Usage
from numbers.models import Number
from wallet.models import Entry

MONTHS = 6
Sums = dict[tuple[date, str], Decimal]

# The lines of rent name their numbers without a foreign key (numbers/rent_models.py).
RENT = """
SELECT date_trunc('month', line.charged_at AT TIME ZONE 'UTC')::date, number.currency,
    sum(number.provider_monthly_price)
FROM numbers_rentline AS line JOIN numbers_number AS number ON number.id = line.number_id
WHERE line.charged_at >= %s
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Month:
    """One month in one currency. ``income`` is net of refunds, ``cost`` is the provider's."""

    month: date
    currency: str
    income: Decimal
    cost: Decimal

    @property
    def margin(self) -> Decimal:
        return self.income - self.cost


def by_month(now: datetime | None = None) -> list[Month]:
    """The last months, the newest first, in UTC.

    Income is what the workspaces paid for numbers and use, less refunds. Cost counts each
    month of a number that was bought, assigned, paid or waived in it, at the provider's price
    of the number, and use at what the provider took, or at its rate until it says. Numbers
    whose rent is overdue and those that are nobody's cost too: they stand beside it.
    """
    since = _first_day(now or timezone.now())
    income, cost = _income(since), _cost(since)
    return [
        Month(month, currency, income[month, currency], cost[month, currency])
        for month, currency in sorted({*income, *cost}, key=lambda key: (-key[0].toordinal(), key))
    ]


def _first_day(now: datetime) -> datetime:
    months = now.year * 12 + now.month - MONTHS
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _income(since: datetime) -> Sums:
    rows = (
        Entry.objects.filter(contra="revenue", created_at__gte=since)
        .annotate(month=TruncMonth("created_at", tzinfo=UTC))
        .values_list("month", "wallet__currency")
        .annotate(sum=-Sum("amount"))
    )
    return _added([(month.date(), currency, amount) for month, currency, amount in rows])


def _cost(since: datetime) -> Sums:
    bought = (
        Number.objects.filter(created_at__gte=since)
        .annotate(month=TruncMonth("created_at", tzinfo=UTC))
        .values_list("month", "currency")
        .annotate(sum=Sum("provider_monthly_price"))
    )
    took = Coalesce(F("provider_price"), F("provider_unit_price") * F("quantity"), Decimal(0))
    used = (
        Usage.objects.filter(state=Usage.State.CHARGED, at__gte=since)
        .annotate(month=TruncMonth("at", tzinfo=UTC))
        .values_list("month", "currency")
        .annotate(sum=Sum(took))
    )
    with connection.cursor() as cursor:
        cursor.execute(RENT, [since])
        rent = cursor.fetchall()
    rows = [(month.date(), currency, amount) for month, currency, amount in [*bought, *used]]
    return _added([*rows, *rent])


def _added(rows: list[tuple[date, str, Decimal]]) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for month, currency, amount in rows:
        sums[month, currency] += amount
    return sums
