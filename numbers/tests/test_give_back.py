"""Giving a number back: decided once, called until the provider confirms."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from numbers import give_back, rent
from numbers.models import Number
from numbers.purchase import purchase_number
from numbers.tests.rent_book import at, balance, buy, lines
from telephony import provider
from wallet.models import Entry, Kind
from workspaces.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(acme, owner, quote, simulator) -> Number:
    """Bought at the provider for 1.38, and marked to go back."""
    purchase_number(workspace=acme, by=owner, quote=quote)
    Number.objects.update(parked_at=timezone.now())
    give_back.decide(Number.objects.all())
    return Number.objects.select_related("workspace").get()


def test_it_is_gone_at_the_provider_and_here(number, simulator):
    give_back.give_back_due()
    number.refresh_from_db()
    assert (simulator.owned(), number.status) == ([], "released")
    event = AuditEvent.objects.get(action="number.released")
    assert (event.label, event.by) == (number.e164, None)


PATIENCE = timedelta(minutes=10)


def test_it_is_decided_once(number):
    assert give_back.decide(Number.objects.all()) == 0


@pytest.mark.parametrize("fault", ["rate_limited", "unauthorized", "answer_lost", "server_error"])
def test_a_provider_that_fails_is_asked_again(number, simulator, fault, time_machine):
    simulator.fault(fault, method="DELETE", path_contains="IncomingPhoneNumbers")
    give_back.give_back_due()
    number.refresh_from_db()
    assert number.status == "inactive"
    assert give_back.give_back_due() == 0, "somebody may still be waiting for the answer"
    time_machine.move_to(timezone.now() + PATIENCE)
    give_back.give_back_due()
    number.refresh_from_db()
    assert (simulator.owned(), number.status) == ([], "released")


def test_a_number_that_the_provider_does_not_have_any_more_is_gone(number, simulator):
    provider.release(sid=number.provider_sid)
    give_back.give_back_due()
    number.refresh_from_db()
    assert number.status == "released"


def test_one_that_fails_keeps_no_other_waiting(number, simulator, acme):
    simulator.fault("unauthorized", method="DELETE", path_contains=number.provider_sid)
    sid = simulator.seed("+12125559999")
    other = buy(acme, timezone.now(), e164="+12125559999", parked_at=timezone.now())
    Number.objects.filter(pk=other.pk).update(provider_sid=sid, giving_back_at=timezone.now())
    give_back.give_back_due()
    other.refresh_from_db()
    assert other.status == "released"


def test_a_process_that_dies_after_the_call_is_finished_by_the_sweep(
    number, simulator, monkeypatch, time_machine
):
    monkeypatch.setattr(give_back.audit, "record", _die)
    with pytest.raises(KeyboardInterrupt):
        give_back.give_back(number)
    monkeypatch.undo()
    number.refresh_from_db()
    assert (simulator.owned(), number.status) == ([], "inactive")
    time_machine.move_to(timezone.now() + PATIENCE)
    give_back.give_back_due()
    number.refresh_from_db()
    assert number.status == "released"
    assert AuditEvent.objects.filter(action="number.released").count() == 1


def _die(**_):
    raise KeyboardInterrupt


@pytest.mark.django_db(transaction=True)
def test_the_provider_is_called_with_no_transaction_open(number, simulator, monkeypatch):
    seen = []
    call = provider.release
    monkeypatch.setattr(
        provider, "release", lambda **k: (seen.append(connection.in_atomic_block), call(**k))
    )
    give_back.give_back(number)
    assert seen == [False]


def test_its_history_stays_and_it_is_never_billed_again(acme, simulator):
    number = buy(acme, "2023-01-10")
    rent.collect_due(at("2023-02-10"))
    Number.objects.update(parked_at=at("2023-02-20"), giving_back_at=at("2023-02-20"))
    give_back.give_back_due()
    rent.collect_due(at("2023-06-01"))
    assert lines(number) == [(1, Decimal("1.38"))]
    assert Entry.objects.filter(kind=Kind.RENT).count() == 1


def test_unused_days_are_not_given_back_unless_the_setting_says_so(acme, number):
    give_back.give_back_due()
    assert not Entry.objects.filter(kind=Kind.REFUND).exists()
    assert balance(acme) == Decimal("48.62")


def test_the_unused_days_of_the_first_month_are_given_back(acme, number, settings, time_machine):
    settings.RENT_REFUNDS_UNUSED_DAYS = True
    month = number.paid_until - number.created_at
    time_machine.move_to(number.created_at + month / 2, tick=False)
    give_back.give_back_due()
    refund = Entry.objects.get(kind=Kind.REFUND)
    assert (refund.amount, refund.refunds.kind) == (Decimal("0.69"), Kind.PURCHASE)
    assert refund.text.endswith("unused days")


def test_the_unused_days_of_a_later_month_refund_the_number_s_share_of_its_entry(
    acme, simulator, settings, time_machine
):
    settings.RENT_REFUNDS_UNUSED_DAYS = True
    number, _other = buy(acme, "2023-01-10", "2.80"), buy(acme, "2023-01-10", "7.00")
    rent.collect_due(at("2023-02-10"))
    Number.objects.filter(pk=number.pk).update(
        parked_at=at("2023-02-17"), giving_back_at=at("2023-02-17")
    )
    time_machine.move_to(at("2023-02-17"), tick=False)  # 7 of 28 days are used
    give_back.give_back_due()
    give_back.give_back_due()
    refund = Entry.objects.get(kind=Kind.REFUND)
    assert (refund.amount, refund.refunds.amount) == (Decimal("2.10"), Decimal("-9.80"))


def test_a_month_that_was_not_paid_gives_nothing_back(globex, simulator, settings):
    settings.RENT_REFUNDS_UNUSED_DAYS = True
    started = timezone.now() - timedelta(days=40)
    buy(globex, started, "3.00", suspended_at=timezone.now(), giving_back_at=timezone.now())
    give_back.give_back_due()
    assert not Entry.objects.filter(kind=Kind.REFUND).exists()
