"""The ledger: each operation, each refusal, each repeat."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from wallet import ledger
from wallet.models import Entry, Kind, Wallet
from workspaces.models import User, Workspace

USD = "USD"


@pytest.fixture
def wallet(acme: Workspace) -> Wallet:
    """A wallet with 50.00 USD."""
    return Wallet.objects.get(workspace=acme)


def money_of(wallet: Wallet) -> tuple[Decimal, Decimal]:
    wallet.refresh_from_db()
    return wallet.balance, wallet.held


def place_hold(wallet: Wallet, amount: str, key: str = "order:1"):
    return ledger.hold(
        wallet=wallet, amount=Decimal(amount), currency=USD, key=key, text="A number",
        reference="ORD-1",
    )  # fmt: skip


def capture(hold, amount: str, key: str = "order:1:1", final: bool = True) -> Entry:
    return ledger.capture(
        hold=hold, amount=Decimal(amount), kind=Kind.PURCHASE, key=key, text="A number",
        reference="ORD-1", final=final,
    )  # fmt: skip


def charge(wallet: Wallet, amount: str, kind: Kind = Kind.RENT, key: str = "rent:1:1") -> Entry:
    return ledger.charge(wallet=wallet, kind=kind, amount=Decimal(amount), key=key, text="Rent")


def test_an_entry_carries_both_sides_and_the_running_balance(wallet):
    entry = charge(wallet, "1.15")
    assert (entry.amount, entry.contra, entry.balance_after, entry.seq) == (
        Decimal("-1.15"), "revenue", Decimal("48.85"), 2,
    )  # fmt: skip
    assert money_of(wallet) == (Decimal("48.85"), 0)


def test_a_repeat_returns_the_first_entry_and_moves_nothing(wallet):
    first = charge(wallet, "1.15")
    assert charge(wallet, "1.15") == first
    assert money_of(wallet) == (Decimal("48.85"), 0)


def test_the_same_key_with_another_amount_is_refused_loudly(wallet):
    charge(wallet, "1.15")
    with pytest.raises(ledger.LedgerConflict):
        charge(wallet, "1.16")
    assert money_of(wallet) == (Decimal("48.85"), 0)


def operations(wallet: Wallet, staff: User) -> dict[str, Callable[[str], object]]:
    """Each that has a key, as a function of the amount."""
    held, paid = place_hold(wallet, "9", key="held"), charge(wallet, "9", key="paid")
    return {
        "credit": lambda amount: ledger.credit(
            wallet=wallet, amount=Decimal(amount), contra="bank", key="k", text="Funds"
        ),
        "charge": lambda amount: charge(wallet, amount, key="k"),
        "hold": lambda amount: place_hold(wallet, amount, key="k"),
        "capture": lambda amount: capture(held, amount, key="k", final=False),
        "refund": lambda amount: ledger.refund(
            wallet=wallet, entry=paid, amount=Decimal(amount), key="k", text="Back"
        ),
        "adjust": lambda amount: ledger.adjust(
            wallet=wallet, amount=Decimal(amount), by=staff, reason="Counted again", key="k"
        ),
    }


@pytest.mark.parametrize("name", ["credit", "charge", "hold", "capture", "refund", "adjust"])
def test_each_operation_is_safe_to_repeat_and_refuses_another_amount(wallet, staff, name):
    do = operations(wallet, staff)[name]
    first = do("2.50")
    after = money_of(wallet)
    assert do("2.50") == first
    assert money_of(wallet) == after
    with pytest.raises(ledger.LedgerConflict):
        do("2.51")
    assert money_of(wallet) == after


def test_money_that_is_held_cannot_be_spent_twice(wallet):
    place_hold(wallet, "49.00")
    with pytest.raises(ledger.InsufficientFunds) as refused:
        charge(wallet, "1.15")
    assert refused.value.missing == Decimal("0.15")
    assert "$0.15" in refused.value.sentence
    assert money_of(wallet) == (Decimal(50), Decimal(49))


def test_a_hold_is_captured_into_one_charge(wallet):
    hold = place_hold(wallet, "1.38")
    capture(hold, "1.38")
    assert money_of(wallet) == (Decimal("48.62"), 0)
    hold.refresh_from_db()
    assert hold.ended_at is not None
    assert capture(hold, "1.38").amount == Decimal("-1.38")
    assert money_of(wallet) == (Decimal("48.62"), 0)


def test_capturing_less_gives_the_rest_back(wallet):
    hold = place_hold(wallet, "3.00")
    capture(hold, "1.00")
    assert money_of(wallet) == (Decimal(49), 0)


def test_a_hold_can_be_captured_in_parts_and_the_rest_voided(wallet):
    hold = place_hold(wallet, "3.00")
    capture(hold, "1.00", key="order:1:1", final=False)
    assert money_of(wallet) == (Decimal(49), Decimal(2))
    capture(hold, "1.00", key="order:1:2", final=False)
    ledger.void(hold=hold)
    assert money_of(wallet) == (Decimal(48), 0)


def test_no_more_than_held_is_captured(wallet):
    with pytest.raises(ledger.LedgerConflict):
        capture(place_hold(wallet, "1.00"), "1.01")
    assert money_of(wallet) == (Decimal(50), Decimal(1))


def test_a_void_gives_the_money_back_once(wallet):
    hold = place_hold(wallet, "1.38")
    ledger.void(hold=hold)
    ledger.void(hold=hold)
    assert money_of(wallet) == (Decimal(50), 0)


def test_a_captured_hold_cannot_be_voided(wallet):
    hold = place_hold(wallet, "1.38")
    capture(hold, "1.38")
    with pytest.raises(ledger.LedgerConflict):
        ledger.void(hold=hold)


def test_use_that_has_happened_may_go_down_to_the_credit_limit(wallet):
    Wallet.objects.filter(pk=wallet.pk).update(credit_limit=Decimal(5))
    charge(wallet, "55.00", Kind.USAGE, key="call:1")
    assert money_of(wallet) == (Decimal(-5), 0)
    with pytest.raises(ledger.InsufficientFunds):
        charge(wallet, "0.01", Kind.USAGE, key="call:2")


def test_rent_never_uses_the_credit_limit(wallet):
    Wallet.objects.filter(pk=wallet.pk).update(credit_limit=Decimal(5))
    with pytest.raises(ledger.InsufficientFunds):
        charge(wallet, "50.01")


def test_a_charge_is_refunded_at_most_once_in_sum(wallet):
    entry = charge(wallet, "1.00")

    def refund(amount: str, key: str) -> Entry:
        return ledger.refund(
            wallet=wallet, entry=entry, amount=Decimal(amount), key=key, text="Refund"
        )

    refund("0.40", "refund:1")
    refund("0.60", "refund:2")
    with pytest.raises(ledger.InvalidAmount, match=r"Only \$0\.00 of this charge"):
        refund("0.01", "refund:3")
    assert money_of(wallet) == (Decimal(50), 0)


def test_a_refund_needs_a_charge_of_this_wallet(wallet, globex):
    other = Wallet.objects.get(workspace=globex)
    entry = charge(other, "1.00")
    with pytest.raises(ledger.LedgerConflict):
        ledger.refund(wallet=wallet, entry=entry, amount=Decimal(1), key="r", text="Refund")
    assert money_of(wallet) == (Decimal(50), 0)


def test_an_adjustment_keeps_who_and_why(wallet, owner: User):
    entry = ledger.adjust(
        wallet=wallet, amount=Decimal("-2.50"), by=owner, reason="Counted twice", key="adjust:1"
    )
    assert (entry.by, entry.reason) == (owner, "Counted twice")
    with pytest.raises(ledger.InvalidAmount):
        ledger.adjust(wallet=wallet, amount=Decimal(1), by=owner, reason=" ", key="adjust:2")


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1e30", "0.0000001"])
def test_what_is_not_an_amount_is_refused_and_nothing_is_written(wallet, amount):
    with pytest.raises(ledger.InvalidAmount):
        charge(wallet, amount)
    assert Entry.objects.filter(wallet=wallet).count() == 1


@pytest.mark.parametrize(
    "operation",
    [
        partial(ledger.hold, reference="r"),
        partial(ledger.credit, contra="bank"),
        partial(ledger.charge, kind=Kind.RENT),
    ],
)
def test_another_currency_is_refused(wallet, operation):
    with pytest.raises(ledger.WrongCurrency):
        operation(wallet=wallet, amount=Decimal(1), currency="EUR", key="k", text="t")
    assert (money_of(wallet), Entry.objects.filter(wallet=wallet).count()) == ((50, 0), 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE wallet_entry SET amount = 1",
        "DELETE FROM wallet_entry",
        "TRUNCATE wallet_entry CASCADE",
    ],
)
def test_entries_cannot_be_changed_even_by_hand(wallet, statement):
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Entry.objects.filter(wallet=wallet).count() == 1


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("held = -1", "wallet_held_not_negative"),
        ("balance = -1", "wallet_within_credit_limit"),
        ("held = 51", "wallet_within_credit_limit"),
        ("balance = 'NaN'", "wallet_amounts_are_numbers"),
        ("overdrawn = -1", "wallet_overdrawn_not_negative"),
        ("currency = 'EUR'", "never changes"),
    ],
)
def test_the_database_refuses_what_must_never_be(wallet, change, constraint):
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE wallet_wallet SET {change} WHERE workspace_id = {wallet.pk}")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"amount": "'NaN'"}, "entry_amounts_are_numbers"),
        ({"amount": "1"}, "entry_sign_fits_kind"),
        ({"kind": "'gift'"}, "entry_sign_fits_kind"),
        ({"kind": "'top_up'"}, "entry_sign_fits_kind"),
        ({"kind": "'adjustment'", "amount": "0"}, "entry_sign_fits_kind"),
        ({"seq": "0"}, "entry_seq_positive"),
        ({"text": "''"}, "entry_says_where_from_and_why"),
        ({"contra": "''"}, "entry_says_where_from_and_why"),
        ({"kind": "'refund'", "amount": "1"}, "entry_refund_names_its_entry"),
        ({"kind": "'adjustment'"}, "entry_adjustment_has_reason"),
        ({"kind": "'rent'", "available_after": "-1"}, "entry_advance_from_available_money"),
    ],
)
def test_database_refuses_an_entry_by_hand_and_names_the_rule(wallet, change, rule):
    row = {
        "wallet_id": str(wallet.pk), "seq": "99", "kind": "'usage'", "amount": "-1",
        "contra": "'revenue'", "balance_after": "49", "available_after": "49", "key": "'x'",
        "text": "'Call'", "reference": "''", "reason": "''", "created_at": "now()",
    } | change  # fmt: skip
    columns, values = ", ".join(row), ", ".join(row.values())
    insert = f"INSERT INTO wallet_entry ({columns}) VALUES ({values})"
    with (
        pytest.raises(IntegrityError, match=rule), transaction.atomic(),
        connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(insert)


def test_repeat_leaves_the_wallet_as_it_was(wallet):
    """Also the repeat that finds its key only when it has taken the money already."""
    wanted = {"wallet": wallet, "kind": Kind.USAGE, "amount": Decimal(2), "text": "Call"}
    first = ledger.charge(**wanted, key="same")
    before = Wallet.objects.filter(pk=wallet.pk).values().get()
    assert ledger.charge(**wanted, key="same").pk == first.pk
    with pytest.raises(ledger.LedgerConflict):
        ledger.charge(**wanted | {"amount": Decimal(3)}, key="same")
    assert Wallet.objects.filter(pk=wallet.pk).values().get() == before
