"""What a workspace owes: how much, for which numbers, and in which order it will be paid."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from lib import e164 as formats
from numbers.ladder import Ladder, LadderDates, ladder
from numbers.models import RentGrace
from workspaces.models import Workspace

TOTAL = """
SELECT count(DISTINCT number_id), count(*), coalesce(sum(price), 0) FROM numbers_rent_owed(%s, %s)
"""

# The order of payment is that of each number's oldest unpaid month.
NUMBERS = """
WITH owed AS (
    SELECT number_id, min(due_at) AS due_at, min(bought_at) AS bought_at, count(*) AS months,
        sum(price) AS amount, (array_agg(price ORDER BY period))[1] AS first_month
    FROM numbers_rent_owed(%s, %s) GROUP BY number_id
), first AS (
    SELECT *, count(*) OVER () AS all_numbers, sum(months) OVER () AS all_months,
        sum(amount) OVER () AS all_amount
    FROM owed ORDER BY due_at, bought_at, number_id LIMIT %s
)
SELECT first.all_numbers, first.all_months::bigint, first.all_amount,
    coalesce(g.extra_days, 0), coalesce(d.overdue_since, d.due_at), n.public_id, n.e164,
    n.friendly_name, first.due_at, first.months, first.amount, first.first_month,
    n.outbound_stopped_at, n.suspended_at
FROM first
JOIN numbers_number n ON n.id = first.number_id
JOIN numbers_rentdue d ON d.number_id = first.number_id
LEFT JOIN numbers_rentgrace g ON g.workspace_id = d.workspace_id AND g.ended_at IS NULL
ORDER BY first.due_at, first.bought_at, first.number_id
"""


@dataclass(frozen=True, slots=True)
class Total:
    """Over all numbers: months that have begun and are not paid, in the wallet's currency."""

    numbers: int
    months: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OwingNumber:
    """One number, with its place in the order, what is stopped, and what will be when."""

    dates: LadderDates
    public_id: str
    e164: str
    friendly_name: str
    due_at: datetime
    months: int
    amount: Decimal
    first_month: Decimal
    outbound_stopped_at: datetime | None
    suspended_at: datetime | None

    @property
    def international(self) -> str:
        return formats.international(self.e164)


def total(workspace: Workspace, at: datetime) -> Total:
    with connection.cursor() as cursor:
        cursor.execute(TOTAL, [[workspace.pk], at])
        return Total(*cursor.fetchone())


def numbers(workspace: Workspace, at: datetime, *, most: int) -> tuple[Total, list[OwingNumber]]:
    """The sums over all, and the numbers that are paid next, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, [[workspace.pk], at, most])
        rows = cursor.fetchall()
    if not rows:
        return Total(0, 0, Decimal(0)), []
    return Total(*rows[0][:3]), [
        OwingNumber(ladder(row[3]).dates(row[4]), *row[5:]) for row in rows
    ]


def ladder_of(workspace: Workspace) -> Ladder:
    """With what support has added for the workspace."""
    grace = RentGrace.objects.for_workspace(workspace).filter(ended_at=None).first()
    return ladder(grace.extra_days if grace else 0)
