"""What the wallet asks of the numbers: the rent ahead, and where an order is."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from numbers.rent_models import RentDue
from wallet.upcoming import Charge, Day
from workspaces.models import Workspace

DAYS = """
SELECT greatest(floor(extract(epoch FROM due_at - %(now)s) / 86400), 0)::integer AS ahead,
    sum(price), count(*), min(price)
FROM numbers_rentdue
WHERE workspace_id = %(workspace)s AND billed AND due_at < %(now)s + make_interval(days => %(days)s)
GROUP BY 1 ORDER BY 1
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


def rent_days(workspace: Workspace, *, now: datetime, days: int) -> list[Day]:
    """What falls due on each day of so many ahead, overdue rent on the first."""
    with connection.cursor() as cursor:
        cursor.execute(DAYS, {"workspace": workspace.pk, "now": now, "days": days})
        return [Day(*row) for row in cursor.fetchall()]


def rent_charges(
    workspace: Workspace, *, since: datetime | None, until: datetime, most: int, skip: int
) -> list[Charge]:
    """The monthly fees that fall due up to then, number by number, overdue ones first."""
    asked = {"workspace": workspace.pk, "since": since, "until": until, "most": most, "skip": skip}
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


def order_addresses(workspace: Workspace, references: Iterable[str]) -> dict[str, str]:
    """Where the orders among these references of the workspace's statement are shown."""
    return {
        reference: reverse("numbers:order", args=[workspace.slug, reference])
        for reference in references
        if reference.startswith("ORD-")
    }
