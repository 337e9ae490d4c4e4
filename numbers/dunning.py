"""The ladder: what happens, step by step, to numbers whose rent is not paid.

A step is taken under the lock of the wallet, and only where its money still does not cover
the month that would be paid next: whoever pays at the same moment is either seen here or
sees what was stopped and puts it back. Each step and each reminder is a row that exists
once, and the mails are made from these rows (numbers/rent_mails.py).
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from numbers import arrears, rent_mails, rent_runs
from numbers.ladder import SHORTEST_WARNING, TOLD_IN_TIME, ladder
from numbers.models import RentArrears, RentStep
from wallet import ledger
from wallet.ledger import LockedWallet
from workspaces import audit

log = logging.getLogger(__name__)

WORKSPACES = 50  # in a transaction
NUMBERS = 500  # in a statement: somebody may be waiting for one of the wallets

OVERDUE = """
WITH told AS (
    SELECT d.number_id FROM numbers_rentdue d
    JOIN numbers_rentarrears a ON a.workspace_id = d.workspace_id
    WHERE d.workspace_id = ANY(%(workspaces)s) AND d.billed AND d.overdue_since IS NULL
        AND d.due_at <= least(a.tried_at, %(at)s)
    ORDER BY d.due_at, d.number_id LIMIT %(limit)s
)
UPDATE numbers_rentdue d
    SET overdue_since = CASE WHEN d.due_at > %(at)s - %(in_time)s THEN d.due_at ELSE %(at)s END
    FROM told WHERE d.number_id = told.number_id
    RETURNING d.number_id, d.workspace_id, d.next_period, 0
"""

RUNGS = """
WITH rungs AS (
    SELECT n.id, n.public_id, n.e164, d.workspace_id, d.next_period,
        {days} + coalesce(g.extra_days, 0) AS day,
        d.overdue_since + make_interval(days => {days} + coalesce(g.extra_days, 0)) AS step_at
    FROM numbers_rentdue d
    JOIN numbers_number n ON n.id = d.number_id
    LEFT JOIN numbers_rentgrace g ON g.workspace_id = d.workspace_id AND g.ended_at IS NULL
    WHERE d.workspace_id = ANY(%(workspaces)s) AND d.billed AND d.due_at <= %(at)s
        AND d.overdue_since IS NOT NULL AND {waits}
), reminded AS (
    SELECT r.*, s.at AS reminded_at
    FROM rungs r
    LEFT JOIN numbers_rentstep s ON s.workspace_id = r.workspace_id AND s.number_id = r.id
        AND s.period = r.next_period AND s.step = '{reminder}' AND s.day = r.day
)
"""

REMIND = """
SELECT id, workspace_id, next_period, day FROM reminded
WHERE reminded_at IS NULL AND step_at <= %(at)s + make_interval(days => %(remind)s)
LIMIT %(limit)s
"""

TAKE = """
, now_due AS (
    SELECT * FROM reminded
    WHERE step_at <= %(at)s AND reminded_at <= %(at)s - %(warning)s LIMIT %(limit)s
)
UPDATE numbers_number n SET {column} = %(at)s
FROM now_due r WHERE n.id = r.id AND {waits}
RETURNING n.id, r.workspace_id, r.next_period, r.day, n.public_id, n.e164
"""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step, the reminder before it, and which numbers wait for it."""

    step: RentStep.Step
    reminder: RentStep.Step
    days: str
    column: str
    waits: str
    action: str
    words: str

    def sql(self, what: str) -> str:
        return (RUNGS + what).format(
            days=f"%({self.days})s", reminder=self.reminder, column=self.column, waits=self.waits
        )


RUNGS_UP = [
    Rung(
        RentStep.Step.OUTBOUND, RentStep.Step.REMIND_OUTBOUND, "outbound", "outbound_stopped_at",
        "n.outbound_stopped_at IS NULL",
        "number.outbound_stopped", "Its rent is overdue: nothing is sent or called from it.",
    ),
    Rung(
        RentStep.Step.INBOUND, RentStep.Step.REMIND_INBOUND, "inbound", "suspended_at",
        "n.outbound_stopped_at IS NOT NULL AND n.suspended_at IS NULL",
        "number.suspended", "Its rent is overdue: nothing is received.",
    ),
    Rung(
        RentStep.Step.RELEASE, RentStep.Step.REMIND_RELEASE, "release", "giving_back_at",
        "n.suspended_at IS NOT NULL AND n.giving_back_at IS NULL AND n.released_at IS NULL",
        "number.giving_back", "Its rent was not paid: it is given back to the carrier.",
    ),
]  # fmt: skip


def advance(now: datetime | None = None) -> int:
    """Take every step that is due in workspaces with arrears. Returns how many were taken.

    Safe to repeat and to kill. Raises ``RunInTheFuture``.
    """
    at = rent_runs.checked_time(now)
    arrears.forget_those_without_debt(at)
    taken = 0
    workspaces = list(RentArrears.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(workspaces), WORKSPACES):
        batch = workspaces[start : start + WORKSPACES]
        while steps := _advance_some(batch, at):
            taken += steps
        rent_mails.tell(batch, at)
    return taken


@transaction.atomic
def _advance_some(workspaces: Sequence[int], at: datetime) -> int:
    short = _still_short(ledger.lock_many(workspaces), at)
    if not short:
        return 0
    values: dict[str, Any] = {
        "workspaces": short, "at": at, "limit": NUMBERS, "in_time": TOLD_IN_TIME,
        "warning": SHORTEST_WARNING, **asdict(ladder()),
    }  # fmt: skip
    steps = _note(RentStep.Step.OVERDUE, _rows(OVERDUE, values), at)
    for rung in RUNGS_UP:
        taken = _rows(rung.sql(TAKE), values)
        steps += _note(rung.step, taken, at)
        audit.record_many(
            by=None, action=rung.action, subject_kind="number",
            events=[(row[1], row[4], row[5], rung.words) for row in taken],
        )  # fmt: skip
        steps += _note(rung.reminder, _rows(rung.sql(REMIND), values), at)
    return steps


def _still_short(locked: Sequence[LockedWallet], at: datetime) -> list[int]:
    """Those whose money does not cover the month that would be paid first.

    A wallet that has not moved since it was found short still is; of the others the first
    month is looked up.
    """
    tried = dict(
        RentArrears.objects.filter(pk__in=[w.wallet_id for w in locked]).values_list(
            "pk", "tried_version"
        )
    )
    moved = [w for w in locked if tried.get(w.wallet_id) != w.version]
    first = arrears.first_prices([w.wallet_id for w in moved], at)
    can_pay = {w.wallet_id for w in moved if w.available >= first.get(w.wallet_id, 0)}
    return [w.wallet_id for w in locked if w.wallet_id not in can_pay]


def _note(step: RentStep.Step, rows: Sequence[tuple], at: datetime) -> int:
    RentStep.objects.bulk_create(
        [
            RentStep(number_id=pk, workspace_id=workspace, period=period, step=step, day=day, at=at)
            for pk, workspace, period, day, *_ in rows
        ],
        ignore_conflicts=True,
    )
    return len(rows)


def _rows(sql: str, values: dict[str, Any]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
