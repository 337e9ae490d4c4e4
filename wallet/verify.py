"""Recompute every balance, hold and running balance from the entries, set-based."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One figure that is not what the rows say. ``where`` names the wallet, entry or hold."""

    where: str
    what: str
    expected: Decimal | None
    found: Decimal | None

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is {self.found}, and should be {self.expected}"


# Each query gives (where, what, expected, found) for rows that are wrong, and nothing else.
# {wallets} is a condition on wallet_id.
CHECKS = {
    # One pass over the entries in the order of their seq: the sum so far, and how many there are.
    "running balances": """
        SELECT 'wallet ' || s.slug || ', entry ' || e.seq, e.what, e.expected, e.found FROM (
            SELECT wallet_id, seq, 'balance_after' AS what, total AS expected,
                   balance_after AS found
                FROM running WHERE balance_after <> total
            UNION ALL
            SELECT wallet_id, seq, 'seq', place, seq FROM running WHERE seq <> place
            UNION ALL
            SELECT wallet_id, seq, 'available_after, at most', balance_after, available_after
                FROM running WHERE available_after > balance_after
        ) e JOIN workspaces_workspace s ON s.id = e.wallet_id
    """,
    "balances": """
        SELECT 'wallet ' || s.slug, c.what, c.expected, c.found FROM wallet_wallet w
        JOIN workspaces_workspace s ON s.id = w.workspace_id
        LEFT JOIN (
            SELECT wallet_id, sum(amount) AS total, count(*) AS entries
            FROM wallet_entry WHERE {wallets} GROUP BY wallet_id
        ) e ON e.wallet_id = w.workspace_id
        LEFT JOIN (
            SELECT wallet_id, sum(amount - captured - released) AS open
            FROM wallet_hold WHERE ended_at IS NULL AND {wallets} GROUP BY wallet_id
        ) h ON h.wallet_id = w.workspace_id
        CROSS JOIN LATERAL (VALUES
            ('balance', coalesce(e.total, 0), w.balance),
            ('last_seq', coalesce(e.entries, 0), w.last_seq),
            ('held', coalesce(h.open, 0), w.held)
        ) AS c (what, expected, found)
        WHERE c.expected <> c.found AND {of_wallet}
    """,
    "holds": """
        SELECT 'wallet ' || s.slug || ', hold ' || h.id, 'captured', coalesce(e.total, 0),
               h.captured
        FROM wallet_hold h
        JOIN workspaces_workspace s ON s.id = h.wallet_id
        LEFT JOIN (
            SELECT hold_id, -sum(amount) AS total FROM wallet_entry
            WHERE hold_id IS NOT NULL AND {wallets} GROUP BY hold_id
        ) e ON e.hold_id = h.id
        WHERE h.captured <> coalesce(e.total, 0) AND {of_hold}
    """,
    "refunds": """
        SELECT 'wallet ' || s.slug || ', entry ' || c.seq, 'refunded, at most', -c.amount, r.total
        FROM (
            SELECT wallet_id, refunds_id, sum(amount) AS total FROM wallet_entry
            WHERE refunds_id IS NOT NULL AND {wallets} GROUP BY wallet_id, refunds_id
        ) r
        JOIN wallet_entry c ON c.id = r.refunds_id AND c.wallet_id = r.wallet_id
        JOIN workspaces_workspace s ON s.id = r.wallet_id
        WHERE r.total > -c.amount
    """,
}
RUNNING = """
    WITH running AS (
        SELECT wallet_id, seq, balance_after, available_after,
               sum(amount) OVER in_order AS total, row_number() OVER in_order AS place
        FROM wallet_entry WHERE {wallets}
        WINDOW in_order AS (PARTITION BY wallet_id ORDER BY seq)
    )
"""


def verify(workspace: Workspace | None = None) -> Iterator[Discrepancy]:
    """Every figure of one wallet, or of all, that does not follow from the rows."""
    ours = "= %(wallet)s" if workspace else "IS NOT NULL"
    conditions = {
        "wallets": f"wallet_id {ours}",
        "of_wallet": f"w.workspace_id {ours}",
        "of_hold": f"h.wallet_id {ours}",
    }
    with connection.cursor() as cursor:
        for name, query in CHECKS.items():
            head = RUNNING if name == "running balances" else ""
            cursor.execute(
                (head + query).format(**conditions), {"wallet": workspace.pk if workspace else None}
            )
            while rows := cursor.fetchmany(1000):
                yield from (Discrepancy(*row) for row in rows)
