"""Money: one debit against a bare commit, and eight clients on one hot wallet."""

import multiprocessing
import os
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from uuid import uuid4

from django.db import connection, connections, transaction
from django.utils import timezone
from psycopg import Cursor

from bench._hordak import DATABASE, transfers
from bench.harness import Figures, alternate, benchmark, per_second
from wallet import ledger
from wallet.models import Entry, Kind, Wallet
from workspaces.models import Workspace

# Many short rounds: on a shared machine a slow second then falls on ours and the floor alike.
DEBITS = 100
ROUNDS = 21
CLIENTS = 8
SECONDS = 2.0
CENT = Decimal("0.01")
_keys = count()

Debit = Callable[[int], object]


def new_wallet() -> int:
    workspace = Workspace.objects.create(slug=f"bench-{uuid4().hex[:12]}", name="Bench")
    wallet = Wallet.objects.create(workspace=workspace)
    ledger.credit(
        wallet=wallet, amount=Decimal(100_000_000), contra="bank", key="funds", text="Funds"
    )
    return wallet.pk


def ours(wallet: Wallet) -> Debit:
    run = uuid4().hex

    def debit(index: int) -> None:
        ledger.charge(
            wallet=wallet, kind=Kind.USAGE, amount=CENT, key=f"{run}:{index}",
            text="Call to +12125550123", reference="CA0123456789",
        )  # fmt: skip

    return debit


def bare(wallet: Wallet) -> Debit:
    """One row changed and committed: the least that a debit can be, in a prepared statement."""
    driver = connection.connection  # psycopg's own connection, without Django around it
    query = "UPDATE bench_floor SET balance = balance - 0.01 WHERE id = %s"
    driver.execute("INSERT INTO bench_floor VALUES (%s, 0) ON CONFLICT DO NOTHING", [wallet.pk])

    def debit(index: int) -> None:
        Cursor(driver).execute(query, [wallet.pk], prepare=True)

    return debit


def naive(wallet: Wallet) -> Debit:
    """What a newcomer writes, done right: lock, insert, update, in one transaction."""
    run = uuid4().hex

    def debit(index: int) -> None:
        with transaction.atomic():
            row = Wallet.objects.select_for_update().get(pk=wallet.pk)
            if row.available < CENT:
                raise ValueError
            row.balance -= CENT
            row.last_seq += 1
            row.version += 1
            Entry.objects.create(
                wallet=row, seq=row.last_seq, kind=Kind.USAGE, amount=-CENT, contra="revenue",
                balance_after=row.balance, available_after=row.available,
                key=f"{run}:{index}", text="Call to +12125550123", reference="CA0123456789",
                created_at=timezone.now(),
            )  # fmt: skip
            row.save(update_fields=["balance", "last_seq", "version"])

    return debit


def prepare() -> Wallet:
    connection.ensure_connection()
    connection.connection.execute(
        "CREATE TABLE IF NOT EXISTS bench_floor (id bigint PRIMARY KEY, balance numeric(18, 6))"
    )
    return Wallet.objects.get(pk=new_wallet())


@benchmark("wallet.debit", unit="per second", goal=0.6)
def debit() -> Figures:
    """One client, one commit per debit."""
    wallet = prepare()
    rounds = [lambda m=make: per_second(m(wallet), DEBITS) for make in (ours, bare, naive)]
    return Figures(*alternate(*rounds, times=ROUNDS))


@benchmark("wallet.hordak", unit="per second", goal=1)
def hordak() -> Figures:
    """One client, one commit per debit, against a transfer of django-hordak's (two legs and
    their balance check, without our key, our limits and our running balance).
    """
    wallet = prepare()
    info = connection.connection.info
    database = {
        "ENGINE": "django.db.backends.postgresql", "NAME": DATABASE, "HOST": info.host,
        "PORT": info.port, "USER": info.user, "PASSWORD": info.password,
    }  # fmt: skip
    connection.connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    connection.connection.execute(f"CREATE DATABASE {DATABASE}")
    home = Path(os.environ.get("VAR_DIR") or "var") / "hordak"
    with transfers(database, home) as theirs:
        rounds = [
            lambda: per_second(ours(wallet), DEBITS), lambda: theirs.per_second(DEBITS),
        ]  # fmt: skip
        return Figures(*alternate(*rounds, times=ROUNDS))


@benchmark("wallet.hot", unit="per second", goal=0.5)
def hot() -> Figures:
    """Eight processes on one wallet, against eight on one bare row."""
    wallet = prepare()
    rounds = [lambda m=make: together(m, wallet) for make in (ours, bare, naive)]
    return Figures(*alternate(*rounds, times=3))


def together(make: Callable[[Wallet], Debit], wallet: Wallet) -> float:
    """Debits per second of all clients together, each on a connection of its own."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier, done = context.Barrier(CLIENTS), context.Queue()

    def client() -> None:
        connection.ensure_connection()
        work, finished = make(wallet), 0
        work(-1)
        barrier.wait()
        began = time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            work(finished)
            finished += 1
        done.put(finished / (time.perf_counter() - began))

    clients = [context.Process(target=client) for _ in range(CLIENTS)]
    for process in clients:
        process.start()
    rates = [done.get(timeout=60) for _ in clients]
    for process in clients:
        process.join()
    return sum(rates)
