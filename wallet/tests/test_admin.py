"""Support staff and money: every movement with a reason, and no row ever changed."""

from decimal import Decimal
from uuid import uuid4

import pytest

from conftest import signed_in
from wallet import ledger
from wallet.models import Entry, Hold, Kind, Wallet
from workspaces.models import AuditEvent, User

ADMIN = "/admin/wallet"


@pytest.fixture
def as_staff(db):
    return signed_in(User.objects.create_superuser("staff@example.test", "numbers-demo"))


@pytest.fixture
def wallet(acme) -> Wallet:
    return Wallet.objects.get(workspace=acme)


@pytest.fixture
def charged(wallet) -> Entry:
    return ledger.charge(wallet=wallet, kind=Kind.USAGE, amount=Decimal(10), key="u", text="A call")


@pytest.fixture
def hold(wallet) -> Hold:
    return ledger.hold(
        wallet=wallet, amount=Decimal(7), currency="USD", key="h", text="A number",
        reference="ORD-1",
    )  # fmt: skip


def balance(wallet) -> Decimal:
    wallet.refresh_from_db()
    return wallet.balance


def test_adjusting_keeps_who_and_why_and_happens_once(as_staff, wallet, acme):
    form = {"amount": "-5.50", "reason": "Paid twice", "key": str(uuid4())}
    for _ in range(2):
        assert as_staff.post(f"{ADMIN}/wallet/{wallet.pk}/adjust/", form).status_code == 302
    assert balance(wallet) == Decimal("44.50")
    entry = Entry.objects.get(kind=Kind.ADJUSTMENT)
    assert (entry.by.email, entry.reason) == ("staff@example.test", "Paid twice")
    assert AuditEvent.objects.filter(workspace=acme, action="wallet.adjusted").exists()


def test_refund_gives_back_at_most_what_was_charged(as_staff, wallet, charged):
    address = f"{ADMIN}/entry/{charged.pk}/refund/"
    form = {"amount": "6", "reason": "Bad line"}
    assert as_staff.post(address, form | {"key": str(uuid4())}).status_code == 302
    refused = as_staff.post(address, form | {"key": str(uuid4())})
    assert refused.status_code == 422
    assert "$4.00 of this charge is left" in refused.content.decode()
    assert balance(wallet) == Decimal("46")


def test_stuck_hold_is_given_free_with_a_reason(as_staff, wallet, hold, acme):
    address = f"{ADMIN}/hold/{hold.pk}/void/"
    assert as_staff.post(address, {"reason": "", "key": str(uuid4())}).status_code == 422
    assert as_staff.post(address, {"reason": "Stuck", "key": str(uuid4())}).status_code == 302
    wallet.refresh_from_db()
    assert (wallet.held, wallet.available) == (0, 50)
    assert "Stuck" in AuditEvent.objects.get(action="wallet.hold_voided").text


@pytest.mark.parametrize("amount", ["0", "NaN", "1e30", "", "1.0000001", "x", "\0"])
def test_bad_amount_writes_nothing(as_staff, wallet, amount):
    form = {"amount": amount, "reason": "Why", "key": str(uuid4())}
    assert as_staff.post(f"{ADMIN}/wallet/{wallet.pk}/adjust/", form).status_code == 422
    assert balance(wallet) == 50


def test_get_changes_nothing(as_staff, wallet, charged, hold):
    for address in (f"wallet/{wallet.pk}/adjust", f"entry/{charged.pk}/refund",
                    f"hold/{hold.pk}/void"):  # fmt: skip
        assert as_staff.get(f"{ADMIN}/{address}/").status_code == 200
    assert (balance(wallet), wallet.held) == (40, 7)


def test_staff_who_may_only_look_may_not_move_money(wallet, acme):
    person = User.objects.create_user("look@example.test", "numbers-demo", is_staff=True)
    address = f"{ADMIN}/wallet/{wallet.pk}/adjust/"
    form = {"amount": "5", "reason": "Why", "key": str(uuid4())}
    assert signed_in(person).post(address, form).status_code == 403
    assert balance(wallet) == 50


@pytest.mark.parametrize("what", ["wallet", "entry", "hold", "topup"])
def test_no_row_of_money_is_edited_or_deleted(as_staff, wallet, charged, hold, what):
    assert as_staff.get(f"{ADMIN}/{what}/").status_code == 200
    assert as_staff.get(f"{ADMIN}/{what}/add/").status_code == 403
    pk = {"wallet": wallet, "entry": charged, "hold": hold, "topup": wallet}[what].pk
    assert as_staff.post(f"{ADMIN}/{what}/{pk}/delete/", {"post": "yes"}).status_code in (302, 403)
    changed = as_staff.post(f"{ADMIN}/{what}/{pk}/change/", {"amount": "1"})
    assert changed.status_code in (302, 403)
    assert (balance(wallet), Entry.objects.count()) == (40, 2)
