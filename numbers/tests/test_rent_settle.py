"""Money that comes in pays what is overdue, by itself or because someone asks."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.utils import timezone

from numbers import rent_settle, tasks
from numbers.models import Number, RentArrears, RentRun
from numbers.rent import collect_due
from numbers.rent_settle import NothingOwed, TooLittleForRent, pay_now
from numbers.tests.rent_book import balance, buy, lines, put_in
from wallet import ledger
from wallet.models import Hold, Wallet
from workspaces import notices
from workspaces.models import AuditEvent

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def number(globex, outsider) -> Number:
    """A few hours overdue and stopped: it costs 3 dollars, and 2 are there."""
    number = buy(globex, timezone.now() - timedelta(days=31, hours=8), "3.00")
    collect_due()
    Number.objects.filter(pk=number.pk).update(
        outbound_stopped_at=timezone.now(), suspended_at=timezone.now()
    )
    assert RentArrears.objects.filter(workspace=globex).exists()
    return number


def status(number: Number) -> str:
    return Number.objects.get(pk=number.pk).status


@committed
def test_a_top_up_rings_the_bell_and_the_number_works_again_at_once(globex, number):
    put_in(globex, "1.00")
    assert (status(number), balance(globex)) == ("active", 0)
    assert RentRun.objects.latest("pk").cause == RentRun.Cause.FUNDS


@committed
def test_the_people_of_the_workspace_get_one_mail(globex, number):
    put_in(globex, "1.00")
    notices.deliver_due()
    [message] = mail.outbox
    assert (message.to, message.subject) == (
        ["owner@globex.test"],
        "A number in Globex works again",
    )


@committed
def test_a_bell_that_fails_keeps_nobodys_money_and_the_sweep_finds_it(
    globex, number, settings, caplog
):
    settings.AFTER_FUNDS_ADDED = ["numbers.tests.test_rent_settle.broken_bell"]
    put_in(globex, "1.00")
    assert (status(number), balance(globex)) == ("inactive", 3)
    tasks.settle_arrears()
    assert (status(number), balance(globex)) == ("active", 0)


def broken_bell(wallet_id: int) -> None:
    raise ConnectionError("the broker is gone")


def test_money_that_a_hold_gives_free_is_found_by_the_sweep(globex, number):
    hold = ledger.hold(
        wallet=Wallet.objects.get(workspace=globex), amount=Decimal(2), currency="USD", key="k",
        text="A number", reference="r",
    )  # fmt: skip
    put_in(globex, "1.00")
    assert status(number) == "inactive"
    ledger.void(hold=Hold.objects.get(pk=hold.pk))
    tasks.settle_arrears()
    assert status(number) == "active"


@committed
def test_a_top_up_of_a_wallet_without_arrears_wakes_nobody(acme):
    buy(acme, timezone.now() - timedelta(days=3))
    runs = RentRun.objects.count()
    put_in(acme, "1.00")
    assert RentRun.objects.count() == runs


def test_one_workspace_that_fails_keeps_no_other_waiting(
    acme, globex, number, settings, monkeypatch
):
    settings.AFTER_FUNDS_ADDED = []
    other = buy(acme, timezone.now() - timedelta(days=31, hours=8), "60.00")
    collect_due()
    put_in(acme, "20.00")
    put_in(globex, "1.00")
    Wallet.objects.filter(workspace=acme).update(last_seq=0)  # its next entry cannot be written
    rent_settle.settle_arrears()
    assert (lines(other), status(number)) == ([], "active")


def test_pay_now_pays_and_says_who_asked(globex, number, outsider):
    put_in(globex, "1.00")
    run = pay_now(globex, by=outsider)
    assert (run.payments, run.by, status(number)) == (1, outsider, "active")
    event = AuditEvent.objects.get(action="rent.paid")
    assert (event.by, event.text) == (outsider, "Paid 1 overdue month")


def test_pay_now_with_too_little_says_how_much_is_missing(globex, number, outsider):
    with pytest.raises(TooLittleForRent) as refused:
        pay_now(globex, by=outsider)
    assert refused.value.sentence == (
        "$2.00 is available, and the month that is paid first costs $3.00. Add $1.00 or more."
    )
    assert refused.value.fix.url.startswith("/w/globex/wallet/add/?missing=1.00&next=")
    assert (lines(number), balance(globex)) == ([], 2)


def test_pay_now_where_nothing_is_owed_says_so(acme, owner):
    with pytest.raises(NothingOwed):
        pay_now(acme, by=owner)


def test_the_hourly_task_collects_before_it_takes_steps(globex, number):
    put_in(globex, "1.00")
    tasks.collect_rent()
    assert status(number) == "active"


def test_a_machine_with_a_wrong_clock_says_so_and_does_nothing(
    globex, number, time_machine, caplog
):
    time_machine.move_to(timezone.now() + timedelta(days=30))
    tasks.collect_rent()
    assert "Check the clock of this machine" in caplog.text
