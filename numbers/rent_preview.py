"""What a collection would do, without doing it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from numbers import rent, rent_runs
from workspaces.models import Workspace

PREVIEW = """
WITH owed AS (
    SELECT o.workspace_id, o.price, w.currency, w.balance - w.held AS available,
        sum(o.price) OVER (
            PARTITION BY o.workspace_id ORDER BY o.due_at, o.bought_at, o.number_id, o.period
            ROWS UNBOUNDED PRECEDING
        ) AS running
    FROM numbers_rent_owed(%s, %s) o JOIN wallet_wallet w ON w.workspace_id = o.workspace_id
)
SELECT s.slug, owed.currency, owed.available,
    count(*) FILTER (WHERE running <= owed.available),
    coalesce(sum(price) FILTER (WHERE running <= owed.available), 0),
    count(*) FILTER (WHERE running > owed.available),
    coalesce(sum(price) FILTER (WHERE running > owed.available), 0)
FROM owed JOIN workspaces_workspace s ON s.id = owed.workspace_id
GROUP BY s.slug, owed.currency, owed.available ORDER BY s.slug
"""


@dataclass(frozen=True, slots=True)
class WouldPay:
    """For one workspace: the months that would be paid and those that would be left."""

    slug: str
    currency: str
    available: Decimal
    months: int
    amount: Decimal
    left_months: int
    left_amount: Decimal


def preview(now: datetime | None, *, workspace: Workspace | None = None) -> Iterator[WouldPay]:
    """In the order of collection, with the money as it is now. Raises ``RunInTheFuture``."""
    at = rent_runs.checked_time(now)
    for group in rent.groups(rent.due_wallets(at, workspace)):
        with connection.cursor() as cursor:
            cursor.execute(PREVIEW, [[wallet.workspace_id for wallet in group], at])
            rows = cursor.fetchall()
        yield from (WouldPay(*row) for row in rows)
