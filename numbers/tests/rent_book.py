"""What the tests of rent share: numbers bought on a date, and an auditor of their own.

The auditor reads tables with plain SQL and counts in Python, with its own calendar, so that
it does not believe what the product computes.
"""

import calendar
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from django.db import connection

from numbers.models import Number
from wallet import ledger
from wallet.models import Wallet
from workspaces.models import Workspace

_serial = count(1)


def at(text: str) -> datetime:
    """``2023-01-31`` or ``2023-01-31 10:30``, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def buy(workspace: Workspace, on: str | datetime, price: str = "1.38", **facts) -> Number:
    """A number that was bought then: its first month is paid, rent counts from there."""
    serial = next(_serial)
    return Number.objects.create(
        workspace=workspace, e164=facts.pop("e164", f"+1212555{serial:04d}"), country="US",
        number_type="local", area_code="212", capabilities=["sms", "voice"],
        monthly_price=Decimal(price), provider_monthly_price=Decimal("1.15"), currency="USD",
        provider_sid=f"PN{serial:032d}", friendly_name=f"Line {serial}",
        created_at=on if isinstance(on, datetime) else at(on), **facts,
    )  # fmt: skip


def put_in(workspace: Workspace, amount: str) -> None:
    wallet = Wallet.objects.get(workspace=workspace)
    key = f"funds:{next(_serial)}"
    ledger.credit(wallet=wallet, amount=Decimal(amount), contra="bank", key=key, text="Funds")


def balance(workspace: Workspace) -> Decimal:
    return Wallet.objects.get(workspace=workspace).balance


def due_on(number: Number) -> str:
    return f"{Number.objects.get(pk=number.pk).paid_until:%Y-%m-%d}"


def rows(query: str, *values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def lines(number: Number) -> list[tuple[int, Decimal]]:
    """(month, amount) of each line of a number, the oldest first."""
    return rows(
        "SELECT period, amount FROM numbers_rentline WHERE number_id = %s ORDER BY period",
        number.pk,
    )


def month_later(bought: datetime, months: int) -> datetime:
    """By counting days on the calendar, as a person would."""
    year, month = bought.year, bought.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return bought.replace(
        year=year, month=month, day=min(bought.day, calendar.monthrange(year, month)[1])
    )


def audit() -> list[str]:
    """Everything that is wrong with rent and money, in words; an empty list is a clean book."""
    wrong = []
    periods = defaultdict(list)
    # The statement finds the lines of an entry by its time.
    by_entry: dict[tuple[int, int, datetime], Decimal] = defaultdict(Decimal)
    for number, period, workspace, seq, amount, charged_at in rows(
        "SELECT number_id, period, workspace_id, entry_seq, amount, charged_at "
        "FROM numbers_rentline"
    ):
        periods[number].append(period)
        if amount:
            by_entry[workspace, seq, charged_at] += amount
    for number, bought, due, next_period in rows(
        "SELECT n.id, n.created_at, d.due_at, d.next_period "
        "FROM numbers_number n LEFT JOIN numbers_rentdue d ON d.number_id = n.id"
    ):
        if sorted(periods[number]) != list(range(1, (next_period or 0))):
            wrong.append(f"number {number}: months {sorted(periods[number])} before {next_period}")
        if due != month_later(bought, next_period or 0):
            wrong.append(f"number {number}: month {next_period} is due {due}")
    balances: dict[int, Decimal] = defaultdict(Decimal)
    seqs: dict[int, int] = defaultdict(int)
    for wallet, seq, kind, amount, after, written_at in rows(
        "SELECT wallet_id, seq, kind, amount, balance_after, created_at FROM wallet_entry "
        "ORDER BY wallet_id, seq"
    ):
        balances[wallet] += amount
        seqs[wallet] += 1
        if seq != seqs[wallet] or after != balances[wallet]:
            wrong.append(f"wallet {wallet}: entry {seq} says {after}, it is {balances[wallet]}")
        if kind == "rent" and -amount != by_entry.pop((wallet, seq, written_at), None):
            wrong.append(f"wallet {wallet}: entry {seq} of {amount} has other lines")
    wrong += [f"lines of {where} have no entry" for where in by_entry]
    for wallet, total, held in rows("SELECT workspace_id, balance, held FROM wallet_wallet"):
        if total != balances[wallet]:
            wrong.append(f"wallet {wallet} has {total}, its entries say {balances[wallet]}")
        if total < held:
            wrong.append(f"wallet {wallet} is overdrawn by rent")
    return wrong
