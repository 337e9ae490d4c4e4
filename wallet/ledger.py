"""The only writer of money.

Every operation is one call of a database function (``wallet/migrations``) that locks the
wallet, checks, writes and updates in one round trip. Each is safe to repeat by its key: a
repeat returns the first result, the same key with other particulars raises
``LedgerConflict``. Amounts are ``Decimal`` in the wallet's currency, with at most six
places. A refusal writes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models

from lib import money, prepared
from lib.errors import Refusal
from wallet import funds_added
from wallet.models import MOST, Entry, Hold, Kind, Wallet
from workspaces.models import User

ZERO = Decimal(0)
SIX_PLACES = Decimal("0.000001")
ModelT = TypeVar("ModelT", bound=models.Model)


class LedgerConflict(Exception):
    """The key was used for something else, or the hold is used up: a fault in the caller."""


class InvalidAmount(Refusal, ValueError):
    code = "invalid_amount"
    title = "That is not an amount"


class InsufficientFunds(Refusal):
    code = "insufficient_funds"
    title = "Not enough money in the wallet"

    def __init__(self, *, available: Decimal, needed: Decimal, currency: str) -> None:
        self.available = available
        self.needed = needed
        self.missing = needed - available
        self.currency = currency
        super().__init__(
            f"{money.show(max(available, Decimal(0)), currency)} is available and this costs "
            f"{money.show(needed, currency)}. Add {money.show(self.missing, currency)} or more."
        )


class KeptForRent(InsufficientFunds):
    """The money is there, and the workspace's ring-fence keeps it for the rent ahead."""

    code = "kept_for_rent"
    title = "What is left is kept for rent"

    def __init__(
        self, *, available: Decimal, needed: Decimal, kept: Decimal, currency: str
    ) -> None:
        super().__init__(available=available, needed=needed, currency=currency)
        self.kept = kept
        self.missing = needed + kept - available
        self.sentence = (
            f"{money.show(available, currency)} is available, {money.show(kept, currency)} of it "
            f"is kept for the rent ahead, and this costs {money.show(needed, currency)}. Add "
            f"{money.show(self.missing, currency)} or more, or keep fewer days of rent."
        )


class WrongCurrency(Refusal):
    code = "wrong_currency"
    title = "The wallet is in another currency"

    def __init__(self, currency: str) -> None:
        super().__init__(
            f"The price is in {currency} and this wallet is not. Ask support for a wallet in "
            f"{currency}: a wallet never mixes two currencies."
        )


def credit(
    *, wallet: Wallet, amount: Decimal, contra: str, key: str, text: str, reference: str = "",
    currency: str = "",
) -> Entry:  # fmt: skip
    """Put money in that came from outside. ``contra`` names where from: ``stripe``, ``bank``.

    ``currency`` is that of the payment, where it is known. Raises ``WrongCurrency``.
    """
    return _post(
        wallet, Kind.TOP_UP, positive(amount), contra=contra, key=key, text=text,
        reference=reference, currency=currency,
    )  # fmt: skip


def charge(
    *, wallet: Wallet, kind: Kind, amount: Decimal, key: str, text: str, reference: str = "",
    currency: str = "", keep: Decimal | None = None,
) -> Entry:  # fmt: skip
    """Take ``amount`` (positive) out at once.

    Rent and purchases come from available money only; usage, which has happened already,
    may go down to the credit limit. Outbound use, which can still be left undone, names in
    ``keep`` how much must stay available (see ``wallet.ring_fence``), 0 or more. Raises
    ``InsufficientFunds``, ``KeptForRent``.
    """
    amount, currency = -positive(amount), currency or wallet.currency
    row = _call("wallet_charge", wallet.pk, currency, kind, amount, key, text, reference, keep)
    return _written(
        row, wallet=wallet, kind=kind, amount=amount, contra="revenue", key=key, text=text,
        reference=reference, currency=currency, keep=keep,
    )  # fmt: skip


def reverse(
    *, wallet: Wallet, amount: Decimal, contra: str, key: str, text: str, reference: str
) -> Entry:
    """Take out a payment that was taken back from us: refunded at the bank, or disputed.

    That money is gone, so this never refuses: what was spent meanwhile leaves the balance
    below zero, and ``Wallet.overdrawn`` says how far.
    """
    return _post(
        wallet, Kind.REVERSAL, -positive(amount), contra=contra, key=key, text=text,
        reference=reference,
    )  # fmt: skip


def reinstate(
    *, wallet: Wallet, amount: Decimal, contra: str, key: str, text: str, reference: str
) -> Entry:
    """Put in again what ``reverse`` took: a dispute was won, a refund did not arrive."""
    return _post(
        wallet, Kind.REINSTATED, positive(amount), contra=contra, key=key, text=text,
        reference=reference,
    )  # fmt: skip


def adjust(
    *, wallet: Wallet, amount: Decimal, by: User, reason: str, key: str, reference: str = ""
) -> Entry:
    """Correct a balance by hand, up or down. Who, why and when stay on the entry."""
    if not reason.strip():
        raise InvalidAmount("Say why the balance is adjusted: the reason stays on the statement.")
    return _post(
        wallet, Kind.ADJUSTMENT, checked(amount), contra="adjustment", key=key,
        text="Adjusted by support", reference=reference, by=by, reason=reason.strip(),
    )  # fmt: skip


def refund(
    *, wallet: Wallet, entry: Entry, amount: Decimal, key: str, text: str, by: User | None = None,
    reason: str = "",
) -> Entry:  # fmt: skip
    """Give back all or part of a charge; never more in sum than was charged."""
    return _post(
        wallet, Kind.REFUND, positive(amount), contra=entry.contra, key=key, text=text,
        reference=entry.reference, refunds=entry, by=by, reason=reason,
    )  # fmt: skip


def hold(
    *, wallet: Wallet, amount: Decimal, currency: str, key: str, text: str, reference: str,
    keep: Decimal | None = None,
) -> Hold:  # fmt: skip
    """Set money aside for something that is about to be bought, or used (with ``keep``).

    Raises ``InsufficientFunds``, ``KeptForRent``, ``WrongCurrency``.
    """
    amount = positive(amount)
    outcome, available, pk, created_at = _call(
        "wallet_hold", wallet.pk, currency, amount, key, text, reference, keep
    )
    _raise_unless_done(
        outcome, key, available=available, needed=amount, currency=currency, keep=keep
    )
    if outcome == "repeat":
        return Hold.objects.get(pk=pk)
    return _as_read(
        Hold, id=pk, wallet_id=wallet.pk, amount=amount, captured=ZERO, released=ZERO,
        available_after=available, key=key, text=text, reference=reference,
        created_at=created_at, ended_at=None,
    )  # fmt: skip


def capture(
    *, hold: Hold, amount: Decimal, kind: Kind, key: str, text: str, reference: str,
    final: bool = True,
) -> Entry:  # fmt: skip
    """Turn held money into a charge; ``final`` gives what is left of the hold free again."""
    amount = positive(amount)
    outcome, available, pk, seq, balance_after, created_at = _call(
        "wallet_capture", hold.wallet_id, hold.pk, amount, kind, "revenue", key, text,
        reference, final,
    )  # fmt: skip
    _raise_unless_done(outcome, key, available=available, needed=amount, currency="")
    if outcome == "repeat":
        return Entry.objects.get(pk=pk)
    return _as_read(
        Entry, id=pk, wallet_id=hold.wallet_id, seq=seq, kind=kind, amount=-amount,
        contra="revenue", balance_after=balance_after, available_after=available, key=key,
        text=text, reference=reference, hold_id=hold.pk, refunds_id=None, by_id=None, reason="",
        created_at=created_at,
    )  # fmt: skip


def void(*, hold: Hold) -> Hold:
    """Give what is left of a hold free again. A hold that was captured whole is a conflict."""
    outcome, _available, released, ended_at = _call("wallet_void", hold.wallet_id, hold.pk)
    _raise_unless_done(outcome, hold.key)
    hold.released, hold.ended_at = released, ended_at
    return hold


@dataclass(frozen=True, slots=True)
class LockedWallet:
    """A wallet as it is under its lock: what is available, and where its entries stand."""

    wallet_id: int
    currency: str
    available: Decimal
    last_seq: int
    version: int


def lock_many(wallet_ids: Sequence[int], *, wait: bool = False) -> list[LockedWallet]:
    """Lock wallets until the transaction ends, and tell what they have.

    Those that somebody else has locked are left out, unless ``wait`` is set: then they are
    waited for, at most 5 s each (``OperationalError`` after that).
    """
    rows = prepared.fetch("SELECT * FROM wallet_lock_many(%s, %s)", [list(wallet_ids), wait])
    return [LockedWallet(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class LockedCharge:
    """What to take (above zero) from a wallet that is locked."""

    wallet: LockedWallet
    amount: Decimal
    text: str


def charge_many(
    charges: Sequence[LockedCharge], *, kind: Kind, key: str, reference: str, at: datetime
) -> None:
    """One entry in each of several locked wallets, in one round trip, from available money.

    Each entry gets the seq after the wallet's last one, so that what belongs to it can be
    written before it. Raises ``LedgerConflict`` if one wallet has moved on or lacks the
    money: then the whole transaction must be rolled back. Not repeatable: who calls makes
    the fact and the charge one transaction.
    """
    arguments: list[Any] = [
        [charge.wallet.wallet_id for charge in charges],
        [charge.wallet.last_seq + 1 for charge in charges],
        [positive(charge.amount) for charge in charges],
        [charge.text for charge in charges],
        kind, "revenue", key, reference, at,
    ]  # fmt: skip
    [[charged]] = prepared.fetch(
        "SELECT wallet_charge_many(%s, %s, %s, %s, %s, %s, %s, %s, %s)", arguments
    )
    if charged != len(charges):
        raise LedgerConflict(f"{key}: {len(charges) - charged} wallets moved on or are short")


def positive(amount: Decimal) -> Decimal:
    """The amount, if it is one that can move: above zero."""
    if checked(amount) <= 0:
        raise InvalidAmount("The amount must be above zero.")
    return amount


def checked(amount: Decimal) -> Decimal:
    """The amount, if the ledger can hold it: finite, at most six places, not zero."""
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise InvalidAmount("That is not an amount of money.")
    try:
        exact = amount == amount.quantize(SIX_PLACES)
    except InvalidOperation:
        exact = False
    if not exact or abs(amount) > MOST:
        raise InvalidAmount("Use an amount below a billion, with at most six decimal places.")
    if amount == 0:
        raise InvalidAmount("The amount must not be zero.")
    return amount


def _post(
    wallet: Wallet, kind: Kind, amount: Decimal, *, contra: str, key: str, text: str,
    reference: str, currency: str = "", refunds: Entry | None = None, by: User | None = None,
    reason: str = "",
) -> Entry:  # fmt: skip
    currency = currency or wallet.currency
    refunds_id = refunds.pk if refunds else None
    by_id = by.pk if by else None
    row = _call(
        "wallet_post", wallet.pk, currency, kind, amount, contra, key, text, reference,
        refunds_id, by_id, reason, None,
    )  # fmt: skip
    return _written(
        row, wallet=wallet, kind=kind, amount=amount, contra=contra, key=key, text=text,
        reference=reference, currency=currency, refunds_id=refunds_id, by_id=by_id, reason=reason,
    )  # fmt: skip


def _written(
    row: tuple[Any, ...], *, wallet: Wallet, kind: Kind, amount: Decimal, contra: str, key: str,
    text: str, reference: str, currency: str, keep: Decimal | None = None,
    refunds_id: int | None = None, by_id: int | None = None, reason: str = "",
) -> Entry:  # fmt: skip
    outcome, available, pk, seq, balance_after, created_at = row
    _raise_unless_done(
        outcome, key, available=available, needed=-amount, currency=currency, keep=keep
    )
    if outcome == "repeat":
        return Entry.objects.get(pk=pk)
    if amount > 0:
        funds_added.ring(wallet.pk)
    return _as_read(
        Entry, id=pk, wallet_id=wallet.pk, seq=seq, kind=kind, amount=amount, contra=contra,
        balance_after=balance_after, available_after=available, key=key, text=text,
        reference=reference, hold_id=None, refunds_id=refunds_id, by_id=by_id, reason=reason,
        created_at=created_at,
    )  # fmt: skip


def _raise_unless_done(
    outcome: str, key: str, *, available: Decimal = ZERO, needed: Decimal = ZERO,
    currency: str = "", keep: Decimal | None = None,
) -> None:  # fmt: skip
    if outcome in ("done", "repeat"):
        return
    if outcome == "short":
        raise InsufficientFunds(available=available, needed=needed, currency=currency)
    if outcome == "kept":
        raise KeptForRent(available=available, needed=needed, kept=keep or ZERO, currency=currency)
    if outcome == "refunded":
        raise InvalidAmount(
            f"Only {money.show(available, currency)} of this charge is left to refund."
        )
    if outcome == "currency":
        raise WrongCurrency(currency)
    meaning = {
        "conflict": "the key was used with other particulars",
        "no_wallet": "there is no such wallet",
        "no_hold": "the wallet has no such hold",
        "no_entry": "the wallet has no such charge to refund",
        "used_up": "the hold has less left than that",
    }
    raise LedgerConflict(f"{key}: {meaning[outcome]}")


def _call(function: str, *arguments: Any) -> tuple[Any, ...]:
    """One round trip: (outcome, available money, and what only the database knows)."""
    [row] = prepared.fetch(_query(function, len(arguments)), arguments)
    return row


@cache
def _query(function: str, arguments: int) -> str:
    marks = ", ".join(["%s"] * arguments)
    return f"SELECT * FROM {function}({marks})"  # noqa: S608  names are ours  # nosec B608


def _as_read(model: type[ModelT], **columns: object) -> ModelT:
    """The row that was just written as if it had been read, at half of what a new object costs."""
    names, values_of = _columns(model)
    return model.from_db(DEFAULT_DB_ALIAS, names, values_of(columns))


@cache
def _columns(model: type[models.Model]) -> tuple[list[str], Callable[[Any], tuple[Any, ...]]]:
    names = [field.attname for field in model._meta.concrete_fields]
    return names, itemgetter(*names)
