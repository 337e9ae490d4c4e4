"""Collecting rent: each number's month exactly once, however many fall due at a time.

The wallets with something due are gone through in groups of some hundred numbers, each
group in one transaction under the locks of its wallets: lines, due dates and the wallets'
entries are written together or not at all. Whoever dies leaves whole transactions behind,
and the next run does the rest. Two runs at once work on different wallets.

Most wallets cover what they owe: their numbers are charged in one sweep. For the others
the months are listed, oldest due first, then oldest number, and paid in this order until
the money does not cover one (docs/rent.md).
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import TypeVar

from django.db import Error, OperationalError, connection, transaction

from lib import prepared
from numbers import arrears, rent_runs
from numbers.models import RentRun
from numbers.rent_runs import Tally
from numbers.restore import put_back
from wallet import ledger
from wallet.ledger import LedgerConflict, LockedCharge, LockedWallet
from wallet.models import Kind, Wallet
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)
ItemT = TypeVar("ItemT")

# Numbers in one transaction. With more, whoever else uses a wallet of the group waits longer;
# with fewer the run is slower. docs/rent.md has the figures.
GROUP = 1000
# Numbers in one statement. Whoever else uses the database may wait for a processor until it
# ends: with 700 the slowest hundredth of debits took half as long again as with so many. A
# month of the list takes twice the time.
AT_ONCE = 200
LISTED_AT_ONCE = AT_ONCE // 2
# Of one wallet only so many months at a time, and then a moment of nothing: whoever uses a
# wallet with very many numbers comes in between.
SLICE = 30
PAUSE_SECONDS = 0.001
# A second month may have begun only for those that were due so long ago.
SHORTEST_MONTH = timedelta(days=28)

DUE_WALLETS = """
SELECT due.workspace_id, due.numbers, due.owed, due.plain AND a.workspace_id IS NULL
FROM (
    SELECT workspace_id, count(*) AS numbers, sum(price) AS owed,
        bool_and(due_at > %(a_month_ago)s AND overdue_since IS NULL
            AND (next_price_from IS NULL OR next_price_from > next_period)) AS plain
    FROM numbers_rentdue
    WHERE billed AND due_at <= %(at)s
        AND (%(workspace)s::bigint IS NULL OR workspace_id = %(workspace)s)
    GROUP BY workspace_id
) AS due
LEFT JOIN numbers_rentarrears a ON a.workspace_id = due.workspace_id
ORDER BY due.workspace_id
"""

TAKE_COVERED = "SELECT * FROM numbers_rent_take_covered(%s, %s, %s, %s, %s)"
# And whether something was overdue before, which is put back.
TAKE_LISTED = """
SELECT taken.*, EXISTS (
    SELECT FROM numbers_rentarrears a WHERE a.workspace_id = taken.workspace_id
) FROM numbers_rent_take_listed(%s, %s, %s, %s, %s, %s, %s, %s) AS taken
"""


@dataclass(frozen=True, slots=True)
class DueWallet:
    """A wallet with numbers due.

    ``plain``: each owes one month at its usual price, and none was ever told as overdue.
    """

    workspace_id: int
    numbers: int
    owed: Decimal
    plain: bool


def collect_due(
    now: datetime | None = None, *, workspace: Workspace | None = None,
    cause: RentRun.Cause = RentRun.Cause.HOURLY, by: User | None = None,
) -> RentRun:  # fmt: skip
    """Charge every month that has begun by ``now``, of one workspace or of all.

    Returns the run with its counts. Raises ``RunInTheFuture`` for a time that has not come.
    Safe to repeat, to run twice at once, and to kill.
    """
    at = rent_runs.checked_time(now)
    tally = rent_runs.begin(at=at, cause=cause, workspace=workspace, by=by)
    try:
        with _durable_at_the_end():
            _collect(tally, workspace)
    except Exception as error:  # the run's row must say that it failed, whatever it was
        tally.end(f"{type(error).__name__}: {error}"[:500])
        raise
    return tally.end()


@contextmanager
def _durable_at_the_end() -> Iterator[None]:
    """No commit waits for the disk on its own: the first one afterwards waits for them all.

    Other users of a wallet wait that much less for its lock. Nothing is told before the run
    has ended, so what a crash of the server takes back is only done again by the next run.
    """
    before = _synchronous_commit("off")
    try:
        yield
    finally:
        try:
            _synchronous_commit(before)
        except Error:  # the connection is of no use, and what failed before is the cause
            connection.close()


def _synchronous_commit(value: str) -> str:
    """Set it for this connection; returns what it was."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        [before] = cursor.fetchone()
        cursor.execute("SELECT set_config('synchronous_commit', %s, false)", [value])
        return before


def _collect(tally: Tally, workspace: Workspace | None) -> None:
    listed: list[int] = []
    for group in groups(due_wallets(tally.run.at, workspace)):
        listed += _take_covered(tally, group)
        if len(listed) >= GROUP // 10:
            _take_listed(tally, listed)
            listed = []
        tally.sign_of_life()
    _take_listed(tally, listed)
    for busy in sorted(tally.busy):
        tally.busy.discard(busy)
        _take_listed(tally, [busy])
    there = Wallet.objects.filter(pk__in=tally.busy).values_list("pk", flat=True)
    for missing in tally.busy - set(there):
        tally.run.problems.append(f"Workspace {missing} has numbers and no wallet.")


def due_wallets(at: datetime, workspace: Workspace | None) -> Iterator[DueWallet]:
    """One pass over the due rows, read in chunks so that memory stays flat."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(DUE_WALLETS, {
            "at": at, "a_month_ago": at - SHORTEST_MONTH,
            "workspace": workspace.pk if workspace else None,
        })  # fmt: skip
        while rows := cursor.fetchmany(GROUP):
            yield from (DueWallet(*row) for row in rows)


def groups(wallets: Iterable[DueWallet]) -> Iterator[list[DueWallet]]:
    """Wallets together until they make a transaction's worth of numbers."""
    return batched_by(attrgetter("numbers"), GROUP, wallets)


def batched_by(
    size: Callable[[ItemT], int], most: int, items: Iterable[ItemT]
) -> Iterator[list[ItemT]]:
    """Items together until their sizes make ``most``; a larger one is alone."""
    batch: list[ItemT] = []
    total = 0
    for item in items:
        if batch and total + size(item) > most:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size(item)
    if batch:
        yield batch


def _take_covered(tally: Tally, group: Sequence[DueWallet]) -> list[int]:
    """Charge the wallets that cover all they owe; returns those that need the list."""
    simple = {w.workspace_id: w for w in group if w.plain and w.numbers <= GROUP}
    listed = [w.workspace_id for w in group if w.workspace_id not in simple]
    if not simple:
        return listed
    try:
        with transaction.atomic():
            locked = ledger.lock_many(list(simple))
            covered = [w for w in locked if simple[w.wallet_id].owed <= w.available]
            rows: list[tuple] = []
            for part in batched_by(lambda w: simple[w.wallet_id].numbers, AT_ONCE, covered):
                rows += prepared.fetch(TAKE_COVERED, [
                    tally.run.pk, tally.run.at,
                    [w.wallet_id for w in part], [w.last_seq + 1 for w in part], _time_of(rows),
                ])  # fmt: skip
            _charge(tally, covered, rows)
    except (LedgerConflict, OperationalError) as error:  # a due row changed under our hands
        log.warning("run %s: a group is charged one by one: %s", tally.run.pk, error)
        return listed + list(simple)
    _count(tally, covered, rows)
    done = {w.wallet_id for w in covered}
    tally.busy.update(simple.keys() - {w.wallet_id for w in locked})
    return listed + [w.wallet_id for w in locked if w.wallet_id not in done]


def _take_listed(tally: Tally, workspace_ids: Sequence[int]) -> None:
    """Charge month by month in the published order, a slice in a transaction."""
    short: dict[int, LockedWallet] = {}
    for months in _listed_months(tally.run.at, workspace_ids):
        skipped = short.keys() | tally.busy
        months = [month for month in months if month[0] not in skipped]
        if months:
            short |= _take_slice(tally, months)
        tally.sign_of_life()
    done = [pk for pk in workspace_ids if pk not in tally.busy]
    arrears.note(done, short, tally.run.at)


def _listed_months(at: datetime, workspace_ids: Sequence[int]) -> Iterator[list[tuple]]:
    """(workspace, number, month) by workspace, oldest due first, then oldest number, in slices."""
    if not workspace_ids:
        return
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT workspace_id, number_id, period FROM numbers_rent_owed(%s, %s) "
            "ORDER BY workspace_id, due_at, bought_at, number_id",
            [list(workspace_ids), at],
        )
        while rows := cursor.fetchmany(GROUP):
            of_one_wallet = rows[0][0] == rows[-1][0]
            size = SLICE if of_one_wallet else GROUP
            for start in range(0, len(rows), size):
                yield rows[start : start + size]
                if of_one_wallet:
                    time.sleep(PAUSE_SECONDS)


def _take_slice(tally: Tally, months: Sequence[tuple]) -> dict[int, LockedWallet]:
    """One transaction; returns the wallets whose money ended in it."""
    listed: defaultdict[int, list[tuple]] = defaultdict(list)
    for month in months:
        listed[month[0]].append(month)
    wanted = sorted(listed)
    try:
        with transaction.atomic():
            # Alone, a wallet is waited for: nothing else is held meanwhile.
            locked = ledger.lock_many(wanted, wait=len(wanted) == 1)
            rows: list[tuple] = []
            for part in batched_by(lambda w: len(listed[w.wallet_id]), LISTED_AT_ONCE, locked):
                due = [month for w in part for month in listed[w.wallet_id]]
                rows += prepared.fetch(TAKE_LISTED, [
                    tally.run.pk, tally.run.at,
                    [w.wallet_id for w in part], [w.last_seq + 1 for w in part],
                    [w.available for w in part],
                    [month[1] for month in due], [month[2] for month in due], _time_of(rows),
                ])  # fmt: skip
            _charge(tally, locked, rows)
            if late := {row[0] for row in rows if row[1] and row[6]}:
                numbers = [month[1] for month in months if month[0] in late]
                put_back(workspaces=list(late), numbers=numbers, at=tally.run.at)
    except (LedgerConflict, OperationalError) as error:
        log.warning("run %s: wallets are left for later: %s", tally.run.pk, error)
        tally.busy.update(wanted)
        return {}
    tally.busy.update(set(wanted) - {w.wallet_id for w in locked})
    _count(tally, locked, rows)
    wallets = {w.wallet_id: w for w in locked}
    for row in rows:
        if row[4]:
            tally.left(wallets[row[0]].currency, row[4], row[5])
    return {row[0]: wallets[row[0]] for row in rows if row[4]}


def _time_of(rows: Sequence[tuple]) -> datetime | None:
    """The time that all lines of this transaction have, once there are some: their entry's."""
    return rows[0][3] if rows else None


def _charge(tally: Tally, locked: Sequence[LockedWallet], rows: Sequence[tuple]) -> None:
    """One entry per wallet for what was taken in this transaction."""
    wallets = {w.wallet_id: w for w in locked}
    charges = [LockedCharge(wallets[row[0]], row[2], _words(row[1])) for row in rows if row[2]]
    if charges:
        ledger.charge_many(
            charges, kind=Kind.RENT, key=tally.next_key(), reference=f"RENT-{tally.run.pk}",
            at=rows[0][3],
        )  # fmt: skip


def _words(payments: int) -> str:
    return "Monthly fee" if payments == 1 else f"Monthly fees, {payments} payments"


def _count(tally: Tally, locked: Sequence[LockedWallet], rows: Sequence[tuple]) -> None:
    wallets = {w.wallet_id: w for w in locked}
    for row in rows:
        if row[1]:
            tally.run.wallets += 1
            tally.paid(wallets[row[0]].currency, row[1], row[2])
