"""Collecting a million months of rent, against the same rows written by hand in SQL."""

import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from multiprocessing.synchronize import Event

from django.db import connection, connections, transaction
from django.utils import timezone
from psycopg import Cursor

from bench.harness import Figures, alternate, benchmark
from numbers.models import RentDue, RentLine
from numbers.rent_periods import period_start
from wallet import ledger
from wallet.models import Entry, Kind, Wallet

WALLETS = int(os.environ.get("BENCH_RENT_WALLETS", "10000"))
EACH = 100
NUMBERS = WALLETS * EACH
GIANT = WALLETS // 10  # wallets whose numbers one wallet gets in rent.giant
GROUP = 10  # wallets in a transaction of the floor: a thousand numbers
ROUNDS = int(os.environ.get("BENCH_RENT_ROUNDS", "3"))
NAIVE_SAMPLE = 300
BOUGHT = datetime(2024, 1, 15, 12, tzinfo=UTC)
DUE = period_start(BOUGHT, 1)
PRICE = Decimal("1.15")
DEBITS_A_SECOND = 150
IDLE_SECONDS = 8.0
CENT = Decimal("0.01")

# Every tenth wallet has money for half of its numbers. A hundredth falls due a day earlier,
# to see what a small run needs.
DATA = [
    """INSERT INTO workspaces_workspace (slug, name, time_zone, created_at)
        SELECT 'rent-' || i, 'Rent ' || i, 'UTC', now() FROM generate_series(1, %(wallets)s) i""",
    """CREATE TABLE bench_wallet AS
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM workspaces_workspace
        WHERE slug LIKE 'rent-%%'""",
    "CREATE UNIQUE INDEX ON bench_wallet (place)",
    """INSERT INTO numbers_number (
            workspace_id, e164, country, number_type, area_code, locality, region, capabilities,
            address_requirement, monthly_price, provider_monthly_price, currency, public_id,
            friendly_name, provider_sid, webhooks_set_at, created_at)
        SELECT w.id, '+1' || (2000000000 + n.i), 'US', 'local', '212', 'New York', 'NY',
            '{sms,voice}', 'none', %(price)s, 1.00, 'USD', 'bench' || n.i, 'Bench',
            'PN3' || lpad(n.i::text, 31, '0'), now(),
            CASE WHEN w.place <= %(wallets)s / 100 THEN %(bought)s - interval '1 day'
                ELSE %(bought)s END
        FROM generate_series(0, %(wallets)s * %(each)s - 1) AS n(i)
        JOIN bench_wallet w ON w.place = 1 + n.i / %(each)s ORDER BY n.i""",
    """CREATE TABLE bench_due AS SELECT d.*, w.place FROM numbers_rentdue d
        JOIN bench_wallet w ON w.id = d.workspace_id ORDER BY d.number_id""",
    "ANALYZE",
]

# The database lets nobody's fee be another workspace's, so the giant gets the numbers first.
MOVE = """
UPDATE numbers_number AS number SET workspace_id = owner.id FROM (
    SELECT number_id, CASE WHEN place <= %s THEN (SELECT id FROM bench_wallet WHERE place = 1)
        ELSE workspace_id END AS id FROM bench_due
) AS owner WHERE number.id = owner.number_id AND number.workspace_id <> owner.id
"""
FILL_DUE = """
INSERT INTO numbers_rentdue (workspace_id, number_id, bought_at, due_at, next_period, billed, price)
SELECT CASE WHEN place <= %s THEN (SELECT id FROM bench_wallet WHERE place = 1)
    ELSE workspace_id END, number_id, bought_at, due_at, next_period, billed, price
FROM bench_due ORDER BY number_id
"""

FILL_WALLETS = """
SELECT count(wallet_post(w.workspace_id, 'USD', 'top_up', t.amount - w.balance, 'bank',
    %s || ':' || w.workspace_id, 'Funds', '', NULL, NULL, '', NULL))
FROM wallet_wallet w
JOIN bench_wallet b ON b.id = w.workspace_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN b.place %% 10 = 0 THEN %s ELSE 1000000 END::numeric AS amount
) t
WHERE t.amount > w.balance
"""

_fillings = count()


def _execute(query: str, values: object = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall() if cursor.description else []


@cache
def prepare() -> None:
    """Wallets, numbers and their rent rows, as the product's own triggers make them."""
    began = time.perf_counter()
    values = {"wallets": WALLETS, "each": EACH, "price": PRICE, "bought": BOUGHT}
    for query in DATA:
        _execute(query, values)
    ids = [row[0] for row in _execute("SELECT id FROM bench_wallet ORDER BY place")]
    Wallet.objects.bulk_create([Wallet(workspace_id=pk) for pk in ids], batch_size=1000)
    print(f"  {NUMBERS:,} numbers made in {time.perf_counter() - began:.0f} s", flush=True)


def fill(*, giant: bool = False) -> None:
    """Everything is due, nothing is paid. ``giant``: the first wallet owns a tenth of it."""
    prepare()
    _execute("TRUNCATE numbers_rentline, numbers_rentarrears, numbers_rentdue")
    _execute("SET session_replication_role = replica")
    _execute(MOVE, [GIANT if giant else 0])
    _execute("SET session_replication_role = origin")
    _execute(FILL_DUE, [GIANT if giant else 0])
    _execute(FILL_WALLETS, [f"fill:{os.getpid()}:{next(_fillings)}", PRICE * EACH / 2])
    _execute("VACUUM ANALYZE numbers_rentdue")
    _execute("CHECKPOINT")


# --- ours: in a process of its own, which tells its time and how much memory it took


OURS = """
import bench, json, sys, time
from datetime import datetime
from django.db import connection
from numbers.rent import collect_due
connection.ensure_connection()
print("ready", flush=True)
sys.stdin.readline()
began = time.perf_counter()
run = collect_due(datetime.fromisoformat(sys.argv[1]))
seconds = time.perf_counter() - began
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([seconds, run.payments, run.left, len(run.problems) + run.busy, int(peak)]))
"""


@contextmanager
def worker(at: datetime) -> Iterator[subprocess.Popen]:
    """A process that has started, as Celery's worker has long before, and waits to be told."""
    arguments = [sys.executable, "-c", OURS, at.isoformat()]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None, "it has a pipe"
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the worker did not start")
        yield process


def collect(at: datetime) -> tuple[float, int, int, float]:
    """(seconds, months paid, months left, MB at the peak)."""
    with worker(at) as process:
        return run_by(process)


def run_by(process: subprocess.Popen) -> tuple[float, int, int, float]:
    told, _ = process.communicate("go\n")
    seconds, paid, left, problems, peak = json.loads(told)
    if problems:
        raise RuntimeError(f"{problems} wallets were left out")
    return seconds, paid, left, peak / 1024


# --- the floor: nothing but SQL, which is told nothing that it would not have to find


FIND = """
SELECT d.workspace_id, sum(d.price) <= min(w.balance - w.held) FROM numbers_rentdue d
JOIN wallet_wallet w ON w.workspace_id = d.workspace_id
WHERE d.billed AND d.due_at <= %s GROUP BY d.workspace_id ORDER BY d.workspace_id
"""
LOCK = """
SELECT workspace_id FROM wallet_wallet WHERE workspace_id = ANY(%s) ORDER BY workspace_id
FOR NO KEY UPDATE
"""
PAY = """
WITH moved AS (
    UPDATE numbers_rentdue d SET next_period = next_period + 1,
        due_at = ((bought_at AT TIME ZONE 'UTC') + make_interval(months => next_period + 1))
            AT TIME ZONE 'UTC'
    {which}
    RETURNING d.number_id, d.workspace_id, d.next_period - 1 AS period, d.price
), sums AS (
    SELECT workspace_id, sum(price) AS amount FROM moved GROUP BY workspace_id
), paid AS (
    UPDATE wallet_wallet w SET balance = balance - s.amount, last_seq = last_seq + 1,
        version = version + 1
    FROM sums s WHERE w.workspace_id = s.workspace_id
    RETURNING w.workspace_id, w.last_seq, s.amount, w.balance, w.held
), entries AS (
    INSERT INTO wallet_entry (wallet_id, seq, kind, amount, contra, balance_after,
        available_after, key, text, reference, reason, created_at)
    SELECT workspace_id, last_seq, 'rent', -amount, 'revenue', balance, balance - held,
        %(key)s, 'Monthly fees', 'RENT-0', '', now() FROM paid
)
INSERT INTO numbers_rentline (number_id, workspace_id, run_id, entry_seq, charged_at, period,
    amount, waived_because)
SELECT m.number_id, m.workspace_id, 0, p.last_seq, now(), m.period, m.price, ''
FROM moved m JOIN paid p ON p.workspace_id = m.workspace_id
"""
PAY_ALL = PAY.format(which="WHERE workspace_id = ANY(%(wallets)s) AND billed AND due_at <= %(at)s")
PAY_SOME = PAY.format(
    which="""
    FROM (
        SELECT d.number_id, w.balance - w.held AS available, sum(d.price) OVER (
            PARTITION BY d.workspace_id ORDER BY d.due_at, d.bought_at, d.number_id
        ) AS running
        FROM numbers_rentdue d JOIN wallet_wallet w ON w.workspace_id = d.workspace_id
        WHERE d.workspace_id = ANY(%(wallets)s) AND d.billed AND d.due_at <= %(at)s
    ) AS owed WHERE owed.number_id = d.number_id AND owed.running <= owed.available
"""
)


def floor(at: datetime) -> tuple[float, int]:
    """(seconds, months paid)."""
    connection.ensure_connection()
    cursor, paid, key = Cursor(connection.connection), 0, time.time_ns()
    began = time.perf_counter()
    found = cursor.execute(FIND, [at]).fetchall()
    for covered, query in ((True, PAY_ALL), (False, PAY_SOME)):
        wallets = [row[0] for row in found if row[1] == covered]
        for start in range(0, len(wallets), GROUP):
            group = wallets[start : start + GROUP]
            with transaction.atomic():
                cursor.execute(LOCK, [group], prepare=True)
                values = {"wallets": group, "at": at, "key": f"floor:{key}:{covered}:{start}"}
                paid += cursor.execute(query, values, prepare=True).rowcount
    return time.perf_counter() - began, paid


# --- the naive version: what a newcomer writes, done right


def naive(at: datetime) -> float:
    """Months a second, over a sample."""
    sample = RentDue.objects.filter(due_at__lte=at, billed=True).order_by("due_at", "pk")
    began = time.perf_counter()
    for due in sample[:NAIVE_SAMPLE]:
        with transaction.atomic():
            wallet = Wallet.objects.select_for_update().get(pk=due.workspace_id)
            if wallet.available < due.price:
                continue
            wallet.balance -= due.price
            wallet.last_seq += 1
            wallet.version += 1
            entry = Entry.objects.create(
                wallet=wallet, seq=wallet.last_seq, kind=Kind.RENT, amount=-due.price,
                contra="revenue", balance_after=wallet.balance, available_after=wallet.available,
                key=f"naive:{due.pk}:{due.next_period}:{began}", text="Monthly fee",
                created_at=timezone.now(),
            )  # fmt: skip
            RentLine.objects.create(
                number_id=due.pk, workspace_id=due.workspace_id, entry_seq=entry.seq,
                charged_at=entry.created_at, period=due.next_period, amount=due.price,
            )  # fmt: skip
            due.next_period += 1
            due.due_at = period_start(due.bought_at, due.next_period)
            due.save(update_fields=["next_period", "due_at"])
            wallet.save(update_fields=["balance", "last_seq", "version"])
    return NAIVE_SAMPLE / (time.perf_counter() - began)


@benchmark("rent.collect", unit="per second", goal=0.7)
def rent_collect() -> Figures:
    """A million numbers over ten thousand wallets, one in ten short of money."""
    outcomes = set()
    peaks = []

    def ours() -> float:
        fill()
        seconds, paid, _left, peak = collect(DUE)
        outcomes.add(paid)
        peaks.append(peak)
        return paid / seconds

    def by_hand() -> float:
        fill()
        seconds, paid = floor(DUE)
        outcomes.add(paid)
        return paid / seconds

    value, least = alternate(ours, by_hand, times=ROUNDS, warm_up=False)
    fill()
    *_, small = collect(DUE - timedelta(days=1))
    slow = naive(DUE)
    if len(outcomes) != 1:
        raise RuntimeError(f"ours and the floor paid different months: {outcomes}")
    print(
        f"  {value / slow:,.0f} times the naive loop (goal 400); memory {small:.0f} MB for "
        f"{NUMBERS // 100:,} numbers, {max(peaks):.0f} MB for {NUMBERS:,} (goal 150)"
    )
    return Figures(value=value, floor=least, naive=slow)


# --- somebody else's debit beside the run


@benchmark("rent.beside", unit="ms", goal=0.5)
def rent_beside() -> Figures:
    """The 99th percentile of a debit on any of the wallets: beside the run, and idle."""
    return _beside(giant=False)


@benchmark("rent.giant", unit="ms", goal=0.5)
def rent_giant() -> Figures:
    """The same where one wallet owns a tenth of the numbers and gets half of the debits."""
    return _beside(giant=True)


def _beside(*, giant: bool) -> Figures:
    seen: list[tuple[float, ...]] = []
    for _ in range(ROUNDS):
        fill(giant=giant)
        with _debits(giant=giant) as idle:
            time.sleep(IDLE_SECONDS)
        with worker(DUE) as process, _debits(giant=giant) as beside:
            run_by(process)
        seen.append((_percentile(beside), _percentile(idle), max(beside), max(idle)))
    busy, quiet, longest, longest_idle = sorted(seen, key=lambda figures: figures[0] / figures[1])[
        ROUNDS // 2
    ]
    print(f"  the longest debit took {longest:.0f} ms (goal 50), idle {longest_idle:.0f} ms")
    return Figures(value=busy, floor=quiet)


def _percentile(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


@contextmanager
def _debits(*, giant: bool) -> Iterator[list[float]]:
    """Another process debits wallets; afterwards the list has how long each took, in ms."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    begun, stop, times = context.Event(), context.Event(), context.Queue()
    process = context.Process(target=_debit_until, args=(begun, stop.is_set, giant, times.put))
    process.start()
    begun.wait(60)
    taken: list[float] = []
    yield taken
    stop.set()
    taken += times.get(timeout=60)
    process.join()


def _debit_until(
    begun: Event, stopped: Callable[[], bool], giant: bool, tell: Callable[[list[float]], None]
) -> None:
    chance, taken, run = random.Random(1), [], time.time_ns()
    wallets = list(Wallet.objects.filter(balance__gte=1000).order_by("pk"))
    begun.set()
    while not stopped():
        wallet = wallets[0] if giant and chance.random() < 0.5 else chance.choice(wallets)
        began = time.perf_counter()
        ledger.charge(
            wallet=wallet, kind=Kind.USAGE, amount=CENT, key=f"beside:{run}:{len(taken)}",
            text="Call to +12125550123",
        )  # fmt: skip
        took = time.perf_counter() - began
        taken.append(1000 * took)
        time.sleep(max(0.0, 1 / DEBITS_A_SECOND - took))
    tell(taken)
