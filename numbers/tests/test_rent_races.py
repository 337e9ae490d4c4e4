"""Several runs at once, and runs that are killed: real processes, real SIGKILL.

What must come out is what a book kept by hand says (rent_model), as if one run had done all
of it in peace. The controls show that the races happen where the guards are off.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import count
from multiprocessing.process import BaseProcess

import pytest
from django.db import connection, connections, transaction

from conftest import make_workspace
from numbers import rent
from numbers.models import Number, RentDue, RentRun
from numbers.rent import collect_due
from numbers.tests.rent_book import at, audit, balance, buy, lines, month_later, put_in, rows
from numbers.tests.rent_model import PlainBook, PlainNumber
from wallet import ledger
from wallet.ledger import LockedWallet
from wallet.models import Kind, Wallet
from wallet.verify import verify
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)

BOUGHT = at("2015-01-31 10:00")
FORK = multiprocessing.get_context("fork")
ONE_MORE = Decimal(1)


class Desk:
    """Six workspaces with five numbers each; two of them are short every month."""

    def __init__(self) -> None:
        self.month = 0
        self.books: dict[Workspace, PlainBook] = {}
        self.bought: dict[PlainNumber, Number] = {}
        for place in range(6):
            funds = "5.50" if place % 3 == 2 else "9000"
            workspace = make_workspace(f"desk{place}", f"Desk {place}", funds)
            numbers = [PlainNumber(BOUGHT, ONE_MORE + place) for _ in range(5)]
            self.books[workspace] = PlainBook(money=Decimal(funds), numbers=numbers)
            for number in numbers:
                self.bought[number] = buy(workspace, BOUGHT, str(number.price))

    def next_month(self) -> datetime:
        """The next day of payment; whoever is short gets money for one or two numbers."""
        self.month += 1
        for workspace in list(self.books)[2::3]:
            put_in(workspace, "9.00")
            self.books[workspace].money += 9
        return month_later(BOUGHT, self.month)

    def is_as_by_hand(self, now: datetime) -> None:
        for book in self.books.values():
            book.collect(now)
        paid: dict[int, list] = {number.pk: [] for number in self.bought.values()}
        for number, period, amount in rows(
            "SELECT number_id, period, amount FROM numbers_rentline ORDER BY 1, 2"
        ):
            paid[number].append((period, amount))
        assert paid == {number.pk: plain.paid for plain, number in self.bought.items()}
        assert [balance(ws) for ws in self.books] == [book.money for book in self.books.values()]
        assert audit() == []
        assert list(verify()) == []


@pytest.fixture
def desk(monkeypatch, settings) -> Desk:
    settings.AFTER_FUNDS_ADDED = []  # the bell pays until today, and these books are of 2015
    monkeypatch.setattr(rent, "GROUP", 7)  # several transactions for a few numbers
    return Desk()


def in_processes(*works: Callable[[], object]) -> list[int]:
    """Each in a process and on a connection of its own, started together: their exit codes."""
    connections.close_all()
    barrier = FORK.Barrier(len(works))
    processes = [FORK.Process(target=_together, args=(barrier, work)) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def _together(barrier, work: Callable[[], object]) -> None:
    connection.ensure_connection()
    barrier.wait(30)
    work()
    connections.close_all()


def test_four_runs_at_once_pay_each_month_once(desk):
    for _ in range(6):
        now = desk.next_month()
        assert in_processes(*[partial(collect_due, now)] * 4) == [0] * 4
        collect_due(now)  # what was locked by another
        desk.is_as_by_hand(now)
    counted = sum(RentRun.objects.values_list("payments", flat=True))
    assert counted == sum(len(number.paid) for number in desk.bought)


def test_runs_of_one_workspace_wait_for_each_other(desk):
    now = desk.next_month()
    workspace = next(iter(desk.books))
    pay = partial(collect_due, now, workspace=workspace)
    assert in_processes(pay, pay, pay) == [0] * 3
    assert all(len(lines(desk.bought[number])) == 1 for number in desk.books[workspace].numbers)
    assert audit() == []


def test_numbers_released_and_topped_up_while_it_runs(desk):
    now = desk.next_month()
    leaving = list(desk.bought.values())[::4]

    def release() -> None:
        for number in leaving:
            Number.objects.filter(pk=number.pk).update(
                parked_at=now, giving_back_at=now, released_at=now
            )

    def top_up() -> None:
        for workspace in desk.books:
            put_in(workspace, "100")

    for _ in range(2):
        assert in_processes(partial(collect_due, now), release, top_up) == [0] * 3
    collect_due(now)
    assert audit() == []
    assert list(verify()) == []
    gone = {number.pk for number in leaving}
    for number in desk.bought.values():
        assert len(lines(number)) == 1 or (number.pk in gone and not lines(number))
    before = {number.pk: lines(number) for number in leaving}
    collect_due(desk.next_month())
    assert {number.pk: lines(number) for number in leaving} == before


@pytest.fixture
def unguarded_lines() -> Iterator[None]:
    """The table of lines as it would be without its key."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE race_control (LIKE numbers_rentline)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE race_control")


def without_guards(now: datetime) -> None:
    """What a newcomer writes: what is due is read, then charged one by one, then moved on."""
    due = list(RentDue.objects.filter(due_at__lte=now).order_by("pk"))
    time.sleep(0.2)
    for row in due:
        with transaction.atomic():
            entry = ledger.charge(
                wallet=Wallet.objects.get(pk=row.workspace_id), kind=Kind.RENT, amount=row.price,
                key=f"rent:{os.getpid()}:{row.pk}", text="Monthly fee",
            )  # fmt: skip
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO race_control VALUES (%s, %s, 1, %s, %s, %s, %s, '')",
                    [row.pk, row.workspace_id, entry.seq, now, row.next_period, row.price],
                )
            row.next_period += 1
            row.due_at = month_later(row.bought_at, row.next_period)
            row.save(update_fields=["next_period", "due_at"])


def test_control_without_the_guards_two_runs_charge_each_month_twice(acme, unguarded_lines):
    buy(acme, BOUGHT, "1.00")
    now = month_later(BOUGHT, 1)
    assert in_processes(partial(without_guards, now), partial(without_guards, now)) == [0, 0]
    assert rows("SELECT count(*) FROM race_control GROUP BY number_id, period") == [(2,)]
    assert balance(acme) == 48


def test_without_the_lock_the_database_still_refuses_a_second_charge(desk):
    """Two more guards stand behind it: the key of the line, and the seq of the entry."""

    def lock_nothing(wallet_ids, *, wait: bool = False) -> list[LockedWallet]:
        wallets = Wallet.objects.filter(pk__in=wallet_ids).order_by("pk")
        found = [
            LockedWallet(w.pk, w.currency, w.available, w.last_seq, w.version) for w in wallets
        ]
        time.sleep(0.05)
        return found

    def run() -> None:
        ledger.lock_many = lock_nothing  # in this process only
        collect_due(now)

    now = desk.next_month()
    in_processes(run, run, run)
    assert audit() == []
    collect_due(now)
    assert audit() == []
    assert sum(RentRun.objects.values_list("payments", flat=True)) == len(
        rows("SELECT 1 FROM numbers_rentline")
    )


# A statement whose text has this in it, and which of them in the order of the run.
WRITES = ["wallet_lock_many", "numbers_rent_take_covered", "numbers_rent_take_listed",
          "wallet_charge_many"]  # fmt: skip
OTHERS = ['INSERT INTO "numbers_rentrun"', "numbers_rent_owed", "numbers_rentarrears",
          'UPDATE "numbers_rentrun"']  # fmt: skip
STATEMENTS = [(text, 1) for text in WRITES + OTHERS] + [(text, 2) for text in WRITES]


class DiesAt:
    """Before or after the nth statement with this text: at once, as SIGKILL does it."""

    def __init__(self, text: str, nth: int, *, after: bool) -> None:
        self.text, self.nth, self.after = text, nth, after

    def __call__(self, execute, sql, params, many, context):
        if self.text in str(sql):
            self.nth -= 1
            if self.nth == 0 and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
        result = execute(sql, params, many, context)
        if self.text in str(sql) and self.nth == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def collect_and_die(now: datetime, where: DiesAt) -> None:
    with connection.execute_wrapper(where):
        collect_due(now)


def test_killed_at_any_statement_the_next_run_does_the_rest(desk):
    killed = set()
    for text, nth in STATEMENTS:
        for after in (False, True):
            now = desk.next_month()
            [code] = in_processes(partial(collect_and_die, now, DiesAt(text, nth, after=after)))
            assert code in (0, -signal.SIGKILL)
            if code:
                killed.add((text, after))
            assert audit() == []  # what a dead run leaves is whole already
            collect_due(now)
            desk.is_as_by_hand(now)
    assert killed == {(text, after) for text, _nth in STATEMENTS for after in (False, True)}


def test_the_run_is_durable_when_it_ends_and_its_parts_need_not_be(desk):
    def setting() -> str:
        return rows("SHOW synchronous_commit")[0][0]

    def look(execute, sql, params, many, context):
        if "numbers_rent_take_" in sql:
            seen.add(setting())
        if sql.startswith('UPDATE "numbers_rentrun"'):
            ends.append(setting())
        return execute(sql, params, many, context)

    seen: set[str] = set()
    ends: list[str] = []
    rows("SELECT set_config('synchronous_commit', 'on', false)")  # tests begin without
    with connection.execute_wrapper(look):
        collect_due(desk.next_month())
    assert (seen, ends[-1], setting()) == ({"off"}, "on", "on")


@contextmanager
def collecting(now: datetime) -> Iterator[BaseProcess]:
    """A process with a run that has just begun."""
    connections.close_all()
    barrier = FORK.Barrier(2)
    process = FORK.Process(target=_together, args=(barrier, partial(collect_due, now)))
    process.start()
    barrier.wait(30)
    yield process
    process.join(30)


def test_killed_at_random_the_next_run_does_the_rest(desk):
    now, began = desk.next_month(), time.monotonic()
    with collecting(now):
        pass
    usual = time.monotonic() - began
    desk.is_as_by_hand(now)
    chance, killed = random.Random(5), 0
    ends = time.monotonic() + 6
    for trial in count():
        if time.monotonic() > ends or trial == 30:
            break
        now = desk.next_month()
        with collecting(now) as process:
            time.sleep(chance.uniform(0, usual))
            process.kill()
        killed += process.exitcode == -signal.SIGKILL
        collect_due(now)
        desk.is_as_by_hand(now)
    assert killed > 0


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM numbers_rentline WHERE period = 1",
        "UPDATE numbers_rentdue SET due_at = numbers_period_start(bought_at, 1), next_period = 1",
        "UPDATE numbers_rentline SET amount = amount + 1",
        "UPDATE wallet_wallet SET balance = balance + 1",
    ],
    ids=["charged without lines", "not moved on", "lines of another sum", "money not taken"],
)
def test_the_auditor_sees_what_half_a_payment_would_leave(desk, damage):
    collect_due(desk.next_month())
    assert audit() == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(damage)
        cursor.execute("SET session_replication_role = origin")
    assert audit() != []
