"""Putting back what an unpaid month had stopped, as soon as it is paid."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection

from numbers.ladder import ladder
from numbers.models import RentStep
from workspaces import audit

# A number is put back where it owes nothing any more, and where more time was given to it.
# A month that is still owed keeps what its own date has stopped.
PUT_BACK = """
WITH rungs AS (
    SELECT n.id, d.workspace_id, d.next_period, coalesce(g.extra_days, 0) AS extra,
        NOT (d.billed AND d.due_at <= %(at)s) AS is_paid,
        d.overdue_since + make_interval(days => %(outbound)s + coalesce(g.extra_days, 0))
            AS outbound_at,
        d.overdue_since + make_interval(days => %(inbound)s + coalesce(g.extra_days, 0))
            AS inbound_at
    FROM numbers_number n
    JOIN numbers_rentdue d ON d.number_id = n.id
    LEFT JOIN numbers_rentgrace g ON g.workspace_id = d.workspace_id AND g.ended_at IS NULL
    WHERE n.id = ANY(%(numbers)s) AND n.giving_back_at IS NULL AND n.released_at IS NULL
        AND (n.outbound_stopped_at IS NOT NULL OR n.suspended_at IS NOT NULL)
), back AS (
    SELECT r.*, r.is_paid OR coalesce(r.outbound_at > %(at)s, true) AS outbound,
        r.is_paid OR coalesce(r.inbound_at > %(at)s, true) AS inbound
    FROM rungs r
)
UPDATE numbers_number n SET
    outbound_stopped_at = CASE WHEN b.outbound THEN NULL ELSE n.outbound_stopped_at END,
    suspended_at = CASE WHEN b.inbound THEN NULL ELSE n.suspended_at END
FROM back b
WHERE n.id = b.id
    AND (b.outbound AND n.outbound_stopped_at IS NOT NULL
        OR b.inbound AND n.suspended_at IS NOT NULL)
RETURNING n.id, b.workspace_id, b.next_period - CASE WHEN b.is_paid THEN 1 ELSE 0 END,
    CASE WHEN b.is_paid THEN 0 ELSE b.extra END, n.public_id, n.e164
"""

# Told that it was overdue, and paid before anything had stopped.
ONLY_PAID = """
SELECT DISTINCT s.number_id, s.workspace_id, d.next_period - 1
FROM numbers_rentstep s
JOIN numbers_rentdue d ON d.number_id = s.number_id
WHERE s.workspace_id = ANY(%(workspaces)s) AND s.number_id = ANY(%(numbers)s)
    AND s.step = 'overdue' AND s.period < d.next_period AND d.due_at > %(at)s
    AND NOT EXISTS (
        SELECT 1 FROM numbers_rentstep later
        WHERE later.workspace_id = s.workspace_id AND later.number_id = s.number_id
            AND later.period >= s.period AND later.step IN ('paid', 'restored')
    )
"""


def put_back(*, workspaces: Sequence[int], numbers: Sequence[int], at: datetime) -> None:
    """Let these numbers work again as far as they are paid, and note what came back.

    Call it under the lock of their wallets, in the transaction that paid.
    """
    values: dict[str, Any] = {
        "workspaces": list(workspaces), "numbers": list(numbers), "at": at, **asdict(ladder()),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(PUT_BACK, values)
        restored = cursor.fetchall()
        _note(RentStep.Step.RESTORED, [row[:4] for row in restored], at)
        cursor.execute(ONLY_PAID, values)
        _note(RentStep.Step.PAID, [(*row, 0) for row in cursor.fetchall()], at)
    audit.record_many(
        by=None, action="number.restored", subject_kind="number",
        events=[
            (workspace_id, public_id, e164, "Works again: its rent is paid or has more time.")
            for _pk, workspace_id, _period, _day, public_id, e164 in restored
        ],
    )  # fmt: skip


def _note(step: RentStep.Step, rows: Sequence[tuple], at: datetime) -> None:
    RentStep.objects.bulk_create(
        [
            RentStep(number_id=pk, workspace_id=workspace, period=period, step=step, day=day, at=at)
            for pk, workspace, period, day in rows
        ],
        ignore_conflicts=True,
    )
