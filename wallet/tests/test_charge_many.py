"""Charging many wallets in one transaction, under their locks."""

import threading
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from conftest import make_workspace
from wallet import ledger
from wallet.ledger import LedgerConflict, LockedCharge
from wallet.models import Entry, Kind, Wallet
from workspaces.models import Workspace


@transaction.atomic
def charge(amounts: dict[Workspace, str], *keys: str) -> None:
    """Lock the wallets and charge them, once for each key."""
    locked = {wallet.wallet_id: wallet for wallet in ledger.lock_many([w.pk for w in amounts])}
    for key in keys or ("rent:1:1",):
        ledger.charge_many(
            [LockedCharge(locked[w.pk], Decimal(amount), "Fee") for w, amount in amounts.items()],
            kind=Kind.RENT, key=key, reference="RENT-1", at=timezone.now(),
        )  # fmt: skip


def money_of(workspace: Workspace) -> tuple[Decimal, Decimal]:
    wallet = Wallet.objects.get(workspace=workspace)
    return wallet.balance, wallet.held


@pytest.mark.django_db
def test_each_wallet_gets_its_entry_with_its_own_running_balance(acme, globex):
    charge({acme: "3.50", globex: "1.00"})
    entries = Entry.objects.filter(kind=Kind.RENT).order_by("wallet")
    assert [(e.seq, e.amount, e.balance_after, e.text) for e in entries] == [
        (2, Decimal("-3.5"), Decimal("46.5"), "Fee"),
        (2, Decimal(-1), Decimal(1), "Fee"),
    ]
    assert (money_of(acme), money_of(globex)) == ((Decimal("46.5"), 0), (Decimal(1), 0))


@pytest.mark.django_db
def test_what_is_locked_tells_what_is_available(acme):
    ledger.hold(
        wallet=Wallet.objects.get(workspace=acme), amount=Decimal(20), currency="USD", key="k",
        text="t", reference="r",
    )  # fmt: skip
    with transaction.atomic():
        [locked] = ledger.lock_many([acme.pk])
    assert (locked.available, locked.currency, locked.last_seq) == (Decimal(30), "USD", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["50.01", "50.000001"])
def test_one_wallet_that_is_short_stops_all(acme, globex, amount):
    with pytest.raises(LedgerConflict, match="1 wallets"):
        charge({acme: amount, globex: "1.00"})
    assert not Entry.objects.filter(kind=Kind.RENT).exists()
    assert (money_of(acme), money_of(globex)) == ((Decimal(50), 0), (Decimal(2), 0))


@pytest.mark.django_db
def test_a_wallet_that_moved_on_is_not_charged(acme):
    with pytest.raises(LedgerConflict):
        charge({acme: "1.00"}, "rent:1:1", "rent:1:2")
    assert money_of(acme) == (Decimal(50), 0)


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "0.0000001"])
def test_what_is_not_an_amount_is_refused(acme, amount):
    with pytest.raises(ledger.InvalidAmount):
        charge({acme: amount})
    assert money_of(acme) == (Decimal(50), 0)


@pytest.mark.django_db(transaction=True)
class TestWithAnotherSession:
    @pytest.fixture
    def held_elsewhere(self, acme):
        """Somebody else holds the lock of acme's wallet until the event is set."""
        taken, release = threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                ledger.lock_many([acme.pk])
                taken.set()
                release.wait(20)
            connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        taken.wait(10)
        yield release
        release.set()
        thread.join()

    def test_a_locked_wallet_is_left_out(self, acme, held_elsewhere):
        other = make_workspace("initech", "Initech", "5.00")
        with transaction.atomic():
            locked = ledger.lock_many([acme.pk, other.pk])
        assert [wallet.wallet_id for wallet in locked] == [other.pk]

    def test_or_waited_for_and_then_seen_as_it_has_become(self, acme, held_elsewhere):
        threading.Timer(0.3, held_elsewhere.set).start()
        with transaction.atomic():
            [locked] = ledger.lock_many([acme.pk], wait=True)
        assert locked.available == 50

    def test_but_not_for_ever(self, acme, held_elsewhere):
        with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
            ledger.lock_many([acme.pk], wait=True)
