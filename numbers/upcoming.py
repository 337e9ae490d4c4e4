"""What the wallet asks of the numbers: the rent ahead, and where an order is."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from numbers.rent_models import RentDue
from wallet.models import Entry
from wallet.upcoming import Charge, Day
from workspaces.models import Workspace

CHUNK = 1000  # charges that are named at once where the money does not reach
# Both in one question: the sums of the days, and the first charges by name.
DAYS = """
WITH due AS MATERIALIZED (
    SELECT number_id, due_at, price FROM numbers_rentdue
    WHERE workspace_id = %(workspace)s AND billed
        AND due_at < %(now)s + make_interval(days => %(days)s)
)
SELECT greatest(floor(extract(epoch FROM due_at - %(now)s) / 86400), 0)::integer,
    sum(price), count(*), min(price), NULL::timestamptz, NULL
FROM due GROUP BY 1
UNION ALL (
    SELECT NULL, first.price, NULL, NULL, first.due_at, number.e164 FROM (
        SELECT * FROM due ORDER BY due_at, number_id
        LIMIT CASE WHEN (SELECT sum(price) FROM due) > %(covered)s THEN %(chunk)s ELSE %(most)s END
    ) AS first JOIN numbers_number AS number ON number.id = first.number_id
)
ORDER BY 1, 5
"""

# The numbers are joined to the few rows that are left.
CHARGES = """
SELECT due.due_at, due.price, number.e164 FROM (
    SELECT number_id, due_at, price FROM numbers_rentdue
    WHERE workspace_id = %(workspace)s AND billed AND due_at <= %(until)s
        AND (due_at >= %(since)s OR %(since)s::timestamptz IS NULL)
    ORDER BY due_at, number_id LIMIT %(most)s OFFSET %(skip)s
) AS due JOIN numbers_number AS number ON number.id = due.number_id
ORDER BY due.due_at, due.number_id
"""


# By the key of a line, which the month leads. Digits that many numbers have find some of them.
MOST_FOUND = 50
RENT_ENTRIES = """
SELECT DISTINCT line.entry_seq FROM (
    SELECT id FROM numbers_number WHERE workspace_id = %s AND e164 LIKE %s ORDER BY id LIMIT %s
) AS number
JOIN numbers_rentdue AS due ON due.number_id = number.id
CROSS JOIN LATERAL generate_series(0, due.next_period - 1) AS month (period)
JOIN numbers_rentline AS line ON line.period = month.period AND line.number_id = number.id
WHERE line.entry_seq IS NOT NULL
"""


def rent_days(
    workspace: Workspace, *, now: datetime, days: int, most: int, covered: Decimal | None = None
) -> tuple[list[Day], list[Charge]]:
    """What falls due on each day of so many ahead, overdue rent on the first of them, and
    the first charges: ``most`` of them, or a thousand where their sum is not ``covered``.
    """
    asked: dict[str, Any] = {
        "workspace": workspace.pk, "now": now, "days": days, "most": most, "chunk": CHUNK,
        "covered": covered,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(DAYS, asked)
        rows = cursor.fetchall()
    sums = [Day(*row[:4]) for row in rows if row[0] is not None]
    return sums, [Charge(due, price, e164) for ahead, price, _, _, due, e164 in rows
                  if ahead is None]  # fmt: skip


def rent_charges(
    workspace: Workspace, *, since: datetime | None, until: datetime, most: int, skip: int
) -> list[Charge]:
    """The monthly fees that fall due up to then, number by number, overdue ones first."""
    asked: dict[str, Any] = {
        "workspace": workspace.pk, "since": since, "until": until, "most": most, "skip": skip,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(CHARGES, asked)
        return [Charge(*row) for row in cursor.fetchall()]


def rent_dates(workspace: Workspace, *, until: datetime) -> list[tuple[date, Decimal]]:
    """The sums by date where the workspace is; what is overdue stands on dates in the past."""
    due = RentDue.objects.for_workspace(workspace).filter(billed=True, due_at__lte=until)
    with timezone.override(workspace.time_zone):
        by_date = due.values_list(TruncDate("due_at")).annotate(sum=Sum("price"))
        return sorted(by_date)


def rent_due(*, until: datetime, workspace: Workspace | None = None) -> dict[int, Decimal]:
    """What falls due up to then, overdue rent too: the sum of each workspace, by its id."""
    due = RentDue.objects.filter(billed=True, due_at__lte=until)
    if workspace is not None:
        due = due.filter(workspace=workspace)
    return dict(due.values_list("workspace").annotate(sum=Sum("price")))


def rent_entries(workspace_id: int, digits: str) -> list[int]:
    """The seqs of the entries that paid a month of a number with these digits."""
    with connection.cursor() as cursor:
        cursor.execute(RENT_ENTRIES, [workspace_id, f"%{digits}%", MOST_FOUND])
        return [seq for (seq,) in cursor.fetchall()]


def statement_addresses(workspace: Workspace, entries: Iterable[Entry]) -> dict[int, str]:
    """Where the orders and the payments of rent among these entries are shown, by their seq."""
    found = {}
    for entry in entries:
        if entry.reference.startswith("ORD-"):
            found[entry.seq] = reverse("numbers:order", args=[workspace.slug, entry.reference])
        elif entry.reference.startswith("RENT-"):  # a payment, or what was given back of one
            paid = entry.refunds.seq if entry.refunds else entry.seq
            found[entry.seq] = reverse("numbers:rent_payment", args=[workspace.slug, paid])
    return found
