"""Eight processes at once, each with a connection of its own.

Every race has a control: the same work on a bare table, read, then decided, then written,
which is what the ledger's lock is there to prevent. If a control saw no loss, the race would
not have happened and the test beside it would prove nothing.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.db import connection, connections

from wallet import ledger
from wallet.models import Entry, Hold, Kind, Wallet
from wallet.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 8
EACH = 25
CONTROL = "CREATE TABLE race_control (balance numeric, entries integer)"


def at_once(work: Callable[[int], object]) -> list[str]:
    """``work(number of the client)`` in eight processes that start together: what each said,
    or the name of what it raised.
    """
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier, said = context.Barrier(CLIENTS), context.Queue()

    def client(number: int) -> None:
        connection.ensure_connection()
        barrier.wait(30)
        try:
            said.put(str(work(number)))
        except Exception as error:  # told to the parent, whatever it is
            said.put(type(error).__name__)
        connections.close_all()

    clients = [context.Process(target=client, args=(number,)) for number in range(CLIENTS)]
    for process in clients:
        process.start()
    answers = [said.get(timeout=60) for _ in clients]
    for process in clients:
        process.join(30)
    return answers


@pytest.fixture
def wallet(acme) -> Wallet:
    return Wallet.objects.get(workspace=acme)


@pytest.fixture
def control() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(CONTROL)
        cursor.execute("INSERT INTO race_control VALUES (50, 0)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE race_control")


def without_a_lock(amount: Decimal) -> str:
    """Read, decide, write."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT balance FROM race_control")
        [balance] = cursor.fetchone()
        if balance < amount:
            return "refused"
        cursor.execute("SELECT pg_sleep(0.02)")
        cursor.execute(
            "UPDATE race_control SET balance = %s, entries = entries + 1", [balance - amount]
        )
    return "done"


def control_says() -> tuple[Decimal, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT balance, entries FROM race_control")
        return cursor.fetchone()


def charge(wallet: Wallet, amount: str, key: str) -> str:
    ledger.charge(wallet=wallet, kind=Kind.PURCHASE, amount=Decimal(amount), key=key, text="Number")
    return "done"


def test_no_debit_is_lost_when_eight_draw_on_one_wallet(wallet):
    def draw(number: int) -> str:
        for index in range(EACH):
            charge(wallet, "0.10", f"{number}:{index}")
        return "done"

    assert at_once(draw) == ["done"] * CLIENTS
    wallet.refresh_from_db()
    assert wallet.balance == Decimal(50) - CLIENTS * EACH * Decimal("0.10")
    assert wallet.last_seq == CLIENTS * EACH + 1
    assert list(verify()) == []


def test_control_without_the_lock_debits_are_lost(control):
    def draw(_number: int) -> str:
        return [without_a_lock(Decimal("0.10")) for _ in range(5)][-1]

    at_once(draw)
    balance, entries = control_says()
    assert entries == CLIENTS * 5
    assert balance > Decimal(50) - entries * Decimal("0.10")


def test_money_for_one_buyer_buys_once(wallet):
    answers = at_once(lambda number: charge(wallet, "30.00", f"buyer:{number}"))
    assert sorted(answers) == ["InsufficientFunds"] * (CLIENTS - 1) + ["done"]
    wallet.refresh_from_db()
    assert wallet.balance == Decimal(20)


def test_money_for_one_hold_is_held_once(wallet):
    def set_aside(number: int) -> str:
        ledger.hold(
            wallet=wallet, amount=Decimal(30), currency="USD", key=f"h:{number}", text="Hold",
            reference="o",
        )  # fmt: skip
        return "done"

    answers = at_once(set_aside)
    assert answers.count("done") == 1
    assert Hold.objects.count() == 1


def test_control_without_the_lock_several_buy_with_the_same_money(control):
    answers = at_once(lambda _number: without_a_lock(Decimal(30)))
    assert answers.count("done") > 1


def test_the_same_key_from_eight_is_one_entry(wallet):
    answers = at_once(lambda _number: charge(wallet, "1.00", "the-same"))
    assert answers == ["done"] * CLIENTS
    assert Entry.objects.filter(key="the-same").count() == 1
    wallet.refresh_from_db()
    assert wallet.balance == Decimal(49)


def test_control_without_the_key_a_retry_is_charged_again(wallet):
    at_once(lambda number: charge(wallet, "1.00", f"not-the-same:{number}"))
    wallet.refresh_from_db()
    assert wallet.balance == Decimal(50) - CLIENTS


def test_a_hold_is_captured_or_voided_and_never_both(wallet):
    hold = ledger.hold(
        wallet=wallet, amount=Decimal(5), currency="USD", key="h", text="Hold", reference="o"
    )

    def end(number: int) -> str:
        if number % 2:
            ledger.void(hold=hold)
        else:
            ledger.capture(
                hold=hold, amount=Decimal(5), kind=Kind.PURCHASE, key="o:1", text="Number",
                reference="o",
            )  # fmt: skip
        return "done"

    assert set(at_once(end)) == {"done", "LedgerConflict"}
    wallet.refresh_from_db()
    assert (wallet.held, wallet.balance) in {(0, Decimal(50)), (0, Decimal(45))}
    assert list(verify()) == []


def test_refunds_at_once_never_give_back_more_than_was_charged(wallet):
    entry = ledger.charge(
        wallet=wallet, kind=Kind.USAGE, amount=Decimal(1), key="call", text="Call"
    )

    def refund(number: int) -> str:
        ledger.refund(
            wallet=wallet, entry=entry, amount=Decimal("0.60"), key=f"r:{number}", text="Refund"
        )
        return "done"

    assert at_once(refund).count("done") == 1
    wallet.refresh_from_db()
    assert wallet.balance == Decimal("49.60")
