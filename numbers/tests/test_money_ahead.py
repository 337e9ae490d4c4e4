"""Mails before it is too late, each once; and the money that is kept for rent."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from numbers.models import Number
from numbers.purchase import purchase_number
from numbers.rent_models import RentDue
from wallet import ledger, tasks
from wallet.ledger import KeptForRent
from wallet.models import Kind, Precautions, Wallet
from wallet.precautions import set_precautions
from wallet.ring_fence import kept_for_rent
from wallet.tests.test_ledger_races import at_once
from workspaces.models import Notice

PAGE = "/w/acme/wallet/precautions/"


def wanting(workspace, by, alert_below=None, keep_days=0) -> None:
    alert = None if alert_below is None else Decimal(alert_below)
    set_precautions(workspace=workspace, by=by, alert_below=alert, keep_days=keep_days)


def move(workspace, amount) -> None:
    wallet, key = Wallet.objects.get(workspace=workspace), str(uuid4())
    if Decimal(amount) > 0:
        ledger.credit(wallet=wallet, amount=Decimal(amount), contra="bank", key=key, text="Funds")
    else:
        ledger.charge(
            wallet=wallet, kind=Kind.USAGE, amount=-Decimal(amount), key=key, text="Calls"
        )


def told(prefix) -> list[str]:
    return list(Notice.objects.filter(key__startswith=prefix).values_list("subject", flat=True))


def sweep(times=1) -> None:
    for _ in range(times):
        tasks.tell_of_low_balances()
        tasks.tell_of_rent_not_covered()


# --- Low balance --------------------------------------------------------------------------


def test_low_balance_is_told_once_for_each_crossing(acme, owner):
    wanting(acme, owner, "20")
    sweep(2)
    assert told("low-balance") == []
    move(acme, "-40")
    sweep(3)
    assert told("low-balance") == ["Acme: $10.00 is left in the wallet"]
    move(acme, "5")  # more, and still below
    sweep(2)
    assert len(told("low-balance")) == 1
    move(acme, "30")
    sweep()
    move(acme, "-30")
    sweep(2)
    assert len(told("low-balance")) == 2


def test_exactly_the_threshold_is_not_below_it(acme, owner):
    wanting(acme, owner, "50")
    sweep()
    assert told("low-balance") == []


def test_what_is_set_aside_is_not_available(acme, owner):
    wanting(acme, owner, "20")
    ledger.hold(
        wallet=Wallet.objects.get(workspace=acme), amount=Decimal(45), currency="USD", key="h",
        text="A number", reference="ORD-1",
    )  # fmt: skip
    sweep()
    assert told("low-balance") == ["Acme: $5.00 is left in the wallet"]


def test_no_alert_unless_asked_for(acme, owner):
    move(acme, "-50")
    sweep()
    assert told("low-balance") == []


def test_another_threshold_is_another_crossing(acme, owner):
    wanting(acme, owner, "60")
    sweep()
    wanting(acme, owner, "70")
    sweep(2)
    assert len(told("low-balance")) == 2
    wanting(acme, owner, "70", keep_days=3)
    sweep()
    assert len(told("low-balance")) == 2, "only the days were changed"


def test_it_is_mailed_to_those_who_see_the_wallet(
    acme, owner, member, viewer, outsider, django_capture_on_commit_callbacks
):
    wanting(acme, owner, "60")
    with django_capture_on_commit_callbacks(execute=True):
        sweep()
    assert {tuple(sent.to) for sent in mail.outbox} == {("owner@acme.test",), ("member@acme.test",)}


@pytest.mark.django_db(transaction=True)
def test_eight_sweeps_at_once_tell_once(acme, owner, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    wanting(acme, owner, "60")
    at_once(lambda _: tasks.tell_of_low_balances())
    assert len(told("low-balance")) == 1
    assert Precautions.objects.get().crossings == 1


# --- Rent that is not covered ---------------------------------------------------------------


@pytest.fixture
def number(acme, owner, quote, simulator) -> Number:
    return purchase_number(workspace=acme, by=owner, quote=quote).lines.get().number


def due_in(days) -> None:
    RentDue.objects.update(due_at=timezone.now() + timedelta(days=days))


def test_rent_within_seven_days_that_is_not_covered_is_told_once_a_date(acme, number):
    left = Wallet.objects.get(workspace=acme).available
    move(acme, -(left - Decimal("0.38")))
    due_in(8)
    sweep()
    assert told("rent-not-covered") == []
    due_in(6)
    sweep(3)
    [subject] = told("rent-not-covered")
    assert "are not covered" in subject
    assert "$1.00 of what is due until then is missing" in Notice.objects.get(subject=subject).body
    due_in(5)
    sweep(2)
    assert len(told("rent-not-covered")) == 2, "another date"


def test_rent_that_is_covered_or_overdue_is_not_told_here(acme, number):
    due_in(3)
    sweep()
    move(acme, -Wallet.objects.get(workspace=acme).available)
    due_in(-2)
    sweep()
    assert told("rent-not-covered") == []


# --- What is kept ---------------------------------------------------------------------------


def test_rent_of_the_next_days_is_kept_from_outbound_use(acme, owner, number):
    price = number.monthly_price
    wanting(acme, owner, keep_days=10)
    due_in(11)
    assert kept_for_rent(acme) == 0
    due_in(9)
    assert kept_for_rent(acme) == price
    wallet = Wallet.objects.get(workspace=acme)
    wanted = {"wallet": wallet, "currency": "USD", "text": "Message", "reference": "m"}
    with pytest.raises(KeptForRent):
        ledger.hold(
            **wanted, amount=wallet.available - price + Decimal("0.01"), key="a",
            keep=kept_for_rent(acme),
        )  # fmt: skip
    ledger.hold(**wanted, amount=wallet.available - price, key="b", keep=kept_for_rent(acme))


def test_wallet_page_shows_what_is_kept(acme, owner, number, as_owner):
    assert "is kept for the rent" not in as_owner.get("/w/acme/wallet/").content.decode()
    wanting(acme, owner, keep_days=40)
    due_in(35)
    page = as_owner.get("/w/acme/wallet/").content.decode()
    assert f"${number.monthly_price:.2f} is kept for the rent of the next 40 days" in page


REVIEW = "/w/acme/numbers/buy/review/?country=US&number_type=local&number="


def test_review_warns_when_a_purchase_eats_it(acme, owner, number, as_owner, offers):
    due_in(5)
    address = REVIEW + offers[-1].number.e164.replace("+", "%2B")
    wallet = Wallet.objects.get(workspace=acme)
    move(acme, -(wallet.available - Decimal("2.00")))
    assert "of what is kept for rent" not in as_owner.get(address).content.decode()
    wanting(acme, owner, keep_days=7)
    page = as_owner.get(address).content.decode()
    assert "This takes $0.76 of what is kept for rent" in page
    assert "Confirm purchase" in page, "it warns and does not forbid"


# --- The page -------------------------------------------------------------------------------


def test_page_keeps_what_is_wanted(acme, as_owner):
    assert as_owner.get(PAGE).status_code == 200
    assert as_owner.post(PAGE, {"alert_below": "12.50", "keep_days": "7"}).status_code == 302
    row = Precautions.objects.get()
    assert (row.alert_below, row.keep_days) == (Decimal("12.50"), 7)
    assert 'value="12.50"' in as_owner.get(PAGE).content.decode()
    as_owner.post(PAGE, {"alert_below": "", "keep_days": "0"})
    row.refresh_from_db()
    assert (row.alert_below, row.keep_days) == (None, 0)


@pytest.mark.parametrize(
    ("alert", "days"),
    [("-1", "0"), ("NaN", "0"), ("1e30", "0"), ("\0", "0"), ("5", "-1"), ("5", "91"), ("5", "x")],
)
def test_bad_values_are_said_and_nothing_is_kept(acme, as_owner, alert, days):
    response = as_owner.post(PAGE, {"alert_below": alert, "keep_days": days})
    assert response.status_code == 422
    assert 'class="problem"' in response.content.decode()
    assert not Precautions.objects.exists()


@pytest.mark.parametrize(
    ("who", "status"), [("member", 403), ("viewer", 403), ("outsider", 404), ("nobody", 302)]
)
def test_who_may_not_set_them(request, client, acme, who, status):
    if who != "nobody":
        client.force_login(request.getfixturevalue(who))
    assert {client.get(PAGE).status_code, client.post(PAGE).status_code} == {status}


def test_month_of_sweeps_is_calm(acme, owner, number):
    """A low wallet over a month of days: one mail for the balance, one for the date."""
    wanting(acme, owner, "60")
    move(acme, -Wallet.objects.get(workspace=acme).available)
    due_in(20)
    for day in range(20):
        with time_machine.travel(timezone.now() + timedelta(days=day)):
            sweep()
    assert (len(told("low-balance")), len(told("rent-not-covered"))) == (1, 1)
