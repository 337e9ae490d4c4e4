"""verify_ledger names whatever does not follow from the entries."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from wallet import ledger
from wallet.models import Kind, Wallet
from wallet.verify import verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(acme) -> Wallet:
    """50.00, of which 1.00 was charged, 0.40 of it refunded, and 3.00 is held."""
    wallet = Wallet.objects.get(workspace=acme)
    charged = ledger.charge(
        wallet=wallet, kind=Kind.USAGE, amount=Decimal(1), key="call:1", text="Call"
    )
    ledger.refund(wallet=wallet, entry=charged, amount=Decimal("0.40"), key="r", text="Refund")
    hold = ledger.hold(
        wallet=wallet, amount=Decimal(5), currency="USD", key="h", text="Hold", reference="o"
    )
    ledger.capture(
        hold=hold, amount=Decimal(2), kind=Kind.PURCHASE, key="o:1", text="Number", reference="o",
        final=False,
    )  # fmt: skip
    return wallet


def by_hand(statement: str) -> None:
    """What only somebody with the database's password could do, past every trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_right_ledger_has_nothing_to_say(wallet, globex):
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "5 entries, all figures right" in out.getvalue()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE wallet_wallet SET balance = balance + 1",
         "wallet acme: balance is 48.400000, and should be 47.400000"),
        ("UPDATE wallet_wallet SET held = held - 1", "wallet acme: held is 2.000000"),
        ("UPDATE wallet_wallet SET last_seq = 9", "wallet acme: last_seq is 9, and should be 4"),
        ("UPDATE wallet_entry SET amount = -3 WHERE seq = 2",
         "wallet acme, entry 2: balance_after is 49.000000, and should be 47.000000"),
        ("UPDATE wallet_entry SET balance_after = 7 WHERE seq = 3", "entry 3: balance_after is 7"),
        ("DELETE FROM wallet_entry WHERE seq = 3", "entry 4: seq is 4, and should be 3"),
        ("UPDATE wallet_entry SET available_after = balance_after + 1 WHERE seq = 1",
         "available_after, at most is"),
        ("UPDATE wallet_hold SET captured = 1", "captured is 1.000000, and should be 2.000000"),
        ("UPDATE wallet_entry SET amount = 1.4 WHERE refunds_id IS NOT NULL",
         "entry 2: refunded, at most is 1.400000, and should be 1.000000"),
    ],
)  # fmt: skip
def test_each_kind_of_damage_is_named(wallet, statement, said):
    by_hand(statement)
    assert any(said in str(discrepancy) for discrepancy in verify())


def test_damage_ends_the_command_with_an_error(wallet):
    by_hand("UPDATE wallet_wallet SET held = 0")
    with pytest.raises(CommandError, match="1 figures are wrong"):
        call_command("verify_ledger", stdout=StringIO())


def test_one_workspace_alone_can_be_looked_at(wallet, globex):
    by_hand(f"UPDATE wallet_wallet SET held = 1 WHERE workspace_id = {globex.pk}")
    call_command("verify_ledger", "--workspace", "acme", stdout=StringIO())
    with pytest.raises(CommandError):
        call_command("verify_ledger", "--workspace", "globex", stdout=StringIO())


def test_an_unknown_workspace_is_told():
    with pytest.raises(CommandError, match="no workspace nowhere"):
        call_command("verify_ledger", "--workspace", "nowhere")


def test_the_number_of_queries_does_not_grow_with_the_wallets(
    wallet, globex, django_assert_num_queries
):
    with django_assert_num_queries(4):
        assert list(verify()) == []
