"""Collecting rent, case by case, as it would stand in an accounting book."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from conftest import make_workspace
from numbers.archiving import NumbersLeft
from numbers.models import Number, RentArrears, RentDue, RentLine, RentRun
from numbers.rent import collect_due
from numbers.rent_lines import lines_of
from numbers.rent_runs import RunInTheFuture
from numbers.tests.rent_book import at, audit, balance, buy, due_on, lines, put_in
from wallet import ledger
from wallet.models import Entry, Kind, Wallet
from workspaces.lifecycle import archive
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

PRICE = Decimal("1.38")
FIFTY = Decimal(50)


def test_bought_31_january_pays_28_february_then_31_march(acme):
    number = buy(acme, "2023-01-31")
    assert due_on(number) == "2023-02-28"
    collect_due(at("2023-02-28"))
    assert due_on(number) == "2023-03-31"
    collect_due(at("2023-03-31"))
    assert due_on(number) == "2023-04-30"
    assert lines(number) == [(1, PRICE), (2, PRICE)]
    assert balance(acme) == FIFTY - 2 * PRICE
    assert audit() == []


def test_in_a_leap_year_31_january_pays_29_february(acme):
    number = buy(acme, "2024-01-31 08:15")
    assert due_on(number) == "2024-02-29"
    collect_due(at("2024-02-29 08:14"))
    assert lines(number) == []
    collect_due(at("2024-02-29 08:15"))
    assert lines(number) == [(1, PRICE)]


def test_bought_29_february_pays_28_february_a_year_later_and_29_again_in_four(acme):
    number = buy(acme, "2020-02-29", "0.01")
    collect_due(at("2021-02-27"))
    assert due_on(number) == "2021-02-28"
    collect_due(at("2024-02-28"))
    assert due_on(number) == "2024-02-29"
    assert audit() == []


def test_nothing_is_due_before_the_month_is_over(acme):
    number = buy(acme, "2023-01-15 10:00")
    run = collect_due(at("2023-02-15 09:59"))
    assert (run.payments, run.sums, lines(number)) == (0, {}, [])


def test_a_month_is_charged_once_however_often_it_is_collected(acme):
    number = buy(acme, "2023-01-15")
    for _ in range(3):
        collect_due(at("2023-02-20"))
    assert lines(number) == [(1, PRICE)]
    assert Entry.objects.filter(kind=Kind.RENT).count() == 1
    assert balance(acme) == FIFTY - PRICE


def test_three_missed_months_are_charged_in_order_each_once(acme):
    number = buy(acme, "2023-01-31")
    run = collect_due(at("2023-05-01"))
    assert lines(number) == [(1, PRICE), (2, PRICE), (3, PRICE)]
    assert due_on(number) == "2023-05-31"
    assert (run.payments, run.sums) == (3, {"USD": "4.140000"})
    assert audit() == []


def test_one_entry_for_the_wallet_and_a_line_for_each_number(acme, globex):
    numbers = [buy(acme, f"2023-01-{day}", "1.00") for day in (10, 11, 12)]
    other = buy(globex, "2023-01-10", "0.50")
    run = collect_due(at("2023-02-12"))
    [entry] = Entry.objects.filter(wallet=acme.pk, kind=Kind.RENT)
    assert (entry.amount, entry.reference, entry.text) == (
        Decimal(-3), f"RENT-{run.pk}", "Monthly fees, 3 payments",
    )  # fmt: skip
    assert set(
        RentLine.objects.filter(entry_seq=entry.seq, workspace=acme).values_list(
            "number_id", "run_id"
        )
    ) == {(number.pk, run.pk) for number in numbers}
    assert balance(globex) == Decimal("1.50")
    assert lines(other) == [(1, Decimal("0.50"))]


def test_money_for_two_of_three_pays_the_two_that_fell_due_first(globex):
    last = buy(globex, "2023-01-12", "1.00")
    first = buy(globex, "2023-01-10", "1.00")
    second = buy(globex, "2023-01-11", "1.00")
    run = collect_due(at("2023-02-20"))
    assert [len(lines(number)) for number in (first, second, last)] == [1, 1, 0]
    assert (run.payments, run.left, run.left_sums) == (2, 1, {"USD": "1.000000"})
    assert balance(globex) == 0
    assert audit() == []


def test_of_two_that_fall_due_at_once_the_older_number_is_paid(globex):
    """31 January and 30 January both fall due on 28 February."""
    younger = buy(globex, "2023-01-31", "2.00")
    older = buy(globex, "2023-01-28", "2.00")
    RentDue.objects.update(due_at=at("2023-02-28"))
    collect_due(at("2023-02-28"))
    assert (len(lines(older)), len(lines(younger))) == (1, 0)


def test_a_dear_one_that_is_not_covered_is_not_passed_by_a_cheap_one(globex):
    dear = buy(globex, "2023-01-10", "2.50")
    cheap = buy(globex, "2023-01-11", "0.10")
    collect_due(at("2023-02-20"))
    assert lines(dear) == lines(cheap) == []
    put_in(globex, "0.60")
    collect_due(at("2023-02-20"))
    assert (len(lines(dear)), len(lines(cheap)), balance(globex)) == (1, 1, 0)


def test_of_missed_months_the_oldest_of_all_numbers_come_first(globex):
    """Two numbers, three months missed, money for four: both pay twice."""
    numbers = [buy(globex, "2023-01-10", "0.50"), buy(globex, "2023-01-20", "0.50")]
    collect_due(at("2023-04-25"))
    assert [len(lines(number)) for number in numbers] == [2, 2]
    assert [due_on(number) for number in numbers] == ["2023-04-10", "2023-04-20"]
    assert audit() == []


def test_money_that_is_held_pays_no_rent(globex):
    buy(globex, "2023-01-10", "1.00")
    ledger.hold(
        wallet=Wallet.objects.get(workspace=globex), amount=Decimal("1.50"), currency="USD",
        key="order:1", text="A number", reference="ORD-1",
    )  # fmt: skip
    run = collect_due(at("2023-02-20"))
    assert (run.payments, run.left, balance(globex)) == (0, 1, Decimal(2))


def test_the_credit_limit_pays_no_rent(globex):
    Wallet.objects.filter(workspace=globex).update(credit_limit=Decimal(5))
    buy(globex, "2023-01-10", "2.01")
    assert collect_due(at("2023-02-20")).left == 1
    assert balance(globex) == 2


def test_a_wallet_that_is_short_is_in_arrears_until_it_has_paid(globex):
    buy(globex, "2023-01-10", "2.50")
    collect_due(at("2023-02-20"))
    assert RentArrears.objects.get().workspace == globex
    put_in(globex, "1.00")
    collect_due(at("2023-02-20"))
    assert not RentArrears.objects.exists()


def test_more_than_a_transaction_holds_is_paid_slice_by_slice(acme, monkeypatch):
    monkeypatch.setattr("numbers.rent.GROUP", 4)
    numbers = [buy(acme, "2023-01-10", "1.00") for _ in range(10)]
    run = collect_due(at("2023-02-20"))
    assert all(len(lines(number)) == 1 for number in numbers)
    amounts = Entry.objects.filter(kind=Kind.RENT).order_by("seq").values_list("amount", flat=True)
    assert (run.payments, list(amounts)) == (10, [-4, -4, -2])
    assert audit() == []


def test_wallets_of_one_charge_may_be_taken_in_several_statements(acme, globex, monkeypatch):
    """So that nobody waits for a processor until all of them are: the lines still are theirs."""
    monkeypatch.setattr("numbers.rent.AT_ONCE", 3)
    for workspace in (acme, globex):
        for _ in range(2):
            buy(workspace, "2023-01-10", "1.00")
    collect_due(at("2023-02-12"))
    entries = Entry.objects.filter(kind=Kind.RENT)
    assert len({entry.key for entry in entries}) == 1, "in one transaction"
    assert [len(lines_of(entry, most=9)) for entry in entries] == [2, 2]
    assert audit() == []


def test_a_wallet_alone_is_taken_in_smaller_slices(acme, monkeypatch):
    """So that nobody who needs this wallet waits for all of its numbers."""
    monkeypatch.setattr("numbers.rent.GROUP", 4)
    monkeypatch.setattr("numbers.rent.SLICE", 2)
    for _ in range(10):
        buy(acme, "2023-01-10", "1.00")
    collect_due(at("2023-02-20"))
    amounts = Entry.objects.filter(kind=Kind.RENT).values_list("amount", flat=True)
    assert list(amounts) == [-2] * 5
    assert audit() == []


def test_the_order_holds_across_slices(globex, monkeypatch):
    """Two dollars: two cheap ones, then one that is too dear, then cheap ones behind it."""
    monkeypatch.setattr("numbers.rent.GROUP", 2)
    days = [(10, "0.50"), (11, "0.50"), (12, "1.50"), (13, "0.10"), (14, "0.10"), (15, "0.10")]
    numbers = [buy(globex, f"2023-01-{day}", price) for day, price in days]
    collect_due(at("2023-02-20"))
    assert [len(lines(number)) for number in numbers] == [1, 1, 0, 0, 0, 0]
    assert balance(globex) == 1
    assert audit() == []


def test_a_released_number_is_not_billed_again(acme):
    number = buy(acme, "2023-01-10")
    collect_due(at("2023-02-10"))
    Number.objects.filter(pk=number.pk).update(released_at=at("2023-02-20"))
    collect_due(at("2023-06-01"))
    assert lines(number) == [(1, PRICE)]


def test_a_parked_number_is_not_billed_and_pays_if_it_comes_back(acme):
    number = buy(acme, "2023-01-10")
    Number.objects.filter(pk=number.pk).update(parked_at=at("2023-02-09"))
    collect_due(at("2023-02-11"))
    assert lines(number) == []
    Number.objects.filter(pk=number.pk).update(parked_at=None)
    collect_due(at("2023-02-11"))
    assert lines(number) == [(1, PRICE)]


def test_a_number_that_somebody_switched_off_still_costs_rent(acme):
    number = buy(acme, "2023-01-10", deactivated_at=at("2023-01-11"))
    collect_due(at("2023-02-11"))
    assert lines(number) == [(1, PRICE)]


def test_a_free_number_moves_on_without_an_entry(acme):
    number = buy(acme, "2023-01-10", "0")
    run = collect_due(at("2023-02-11"))
    assert (lines(number), run.payments) == ([(1, Decimal(0))], 1)
    assert not Entry.objects.filter(kind=Kind.RENT).exists()
    assert audit() == []


def test_each_wallet_pays_in_its_own_currency(acme):
    initech = Workspace.objects.create(slug="initech", name="Initech")
    Wallet.objects.create(workspace=initech, currency="EUR")
    put_in(initech, "5.00")
    buy(acme, "2023-01-10", "1.00")
    buy(initech, "2023-01-10", "0.70")
    assert collect_due(at("2023-02-11")).sums == {"USD": "1.000000", "EUR": "0.700000"}


def test_one_workspace_can_be_collected_alone(acme, globex):
    number, other = buy(acme, "2023-01-10", "1.00"), buy(globex, "2023-01-10", "1.00")
    run = collect_due(at("2023-02-11"), workspace=acme)
    assert (len(lines(number)), len(lines(other)), run.workspace_slug) == (1, 0, "acme")


def test_a_run_in_the_future_is_refused(acme):
    number = buy(acme, timezone.now() - timedelta(days=10))
    with pytest.raises(RunInTheFuture, match="Check the clock of this machine"):
        collect_due(timezone.now() + timedelta(days=30))
    assert (lines(number), RentRun.objects.count()) == ([], 0)


def test_a_machine_whose_clock_jumped_charges_nobody(acme, time_machine):
    number = buy(acme, timezone.now() - timedelta(days=10))
    time_machine.move_to(timezone.now() + timedelta(days=40))
    with pytest.raises(RunInTheFuture):
        collect_due()
    assert lines(number) == []


def test_a_wallet_that_is_gone_stops_nobody_else(acme, globex):
    buy(globex, "2023-01-10", "1.00")
    number = buy(acme, "2023-01-10", "1.00")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM wallet_entry WHERE wallet_id = %s", [globex.pk])
        cursor.execute("DELETE FROM wallet_wallet WHERE workspace_id = %s", [globex.pk])
        cursor.execute("SET session_replication_role = origin")
    run = collect_due(at("2023-02-11"))
    assert (len(lines(number)), run.payments) == (1, 1)
    assert run.problems == [f"Workspace {globex.pk} has numbers and no wallet."]


def test_a_workspace_with_numbers_cannot_be_deleted_from_under_its_rent(acme):
    buy(acme, "2023-01-10")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM workspaces_workspace WHERE slug = 'acme'"
        )


@pytest.mark.parametrize("fact", [None, "suspended_at", "deactivated_at", "parked_at"])
def test_a_workspace_with_numbers_cannot_be_archived_from_under_its_rent(acme, owner, fact):
    number = buy(acme, "2023-01-10")
    if fact:
        Number.objects.update(**{fact: timezone.now()})
    with pytest.raises(NumbersLeft):
        archive(workspace=acme, by=owner)
    Number.objects.update(parked_at=at("2023-01-11"), released_at=at("2023-01-12"))
    archive(workspace=acme, by=owner)
    collect_due(at("2023-03-11"))
    assert (lines(number), balance(acme)) == ([], FIFTY)


def test_the_run_tells_what_it_did(acme):
    buy(acme, "2023-01-10", "1.00")
    run = collect_due(at("2023-02-11"))
    run.refresh_from_db()
    assert run.ended_at >= run.started_at
    assert (run.wallets, run.payments, run.sums, run.problems) == (1, 1, {"USD": "1.000000"}, [])


def test_a_run_that_died_is_closed_by_the_next(acme):
    long_ago = timezone.now() - timedelta(minutes=30)
    died = RentRun.objects.create(
        cause="hourly", at=long_ago, started_at=long_ago, seen_at=long_ago
    )
    collect_due(at("2023-02-11"))
    died.refresh_from_db()
    assert died.ended_at is not None
    assert "Interrupted" in died.problems[0]


def test_many_wallets_are_paid_in_few_transactions(db, django_assert_max_num_queries):
    for index in range(20):
        workspace = make_workspace(f"ws{index}", f"Workspace {index}", "10.00")
        buy(workspace, "2023-01-10", "1.00")
    with django_assert_max_num_queries(20):
        run = collect_due(at("2023-02-11"))
    assert (run.wallets, run.payments) == (20, 20)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO numbers_rentline (number_id, workspace_id, charged_at, period, amount, "
        "waived_because) VALUES ({number}, {workspace}, now(), 1, 0, 'twice')",
        "INSERT INTO numbers_rentline (number_id, workspace_id, charged_at, period, amount, "
        "waived_because) VALUES ({number}, {workspace}, now(), 2, 1, '')",
        "INSERT INTO numbers_rentline (number_id, workspace_id, charged_at, period, amount, "
        "entry_seq, waived_because) VALUES ({number}, {workspace}, now(), 0, 1, 5, '')",
        "INSERT INTO numbers_rentline (number_id, workspace_id, charged_at, period, amount, "
        "entry_seq, waived_because) VALUES ({number}, {workspace}, now(), 2, 1, 5, 'why')",
    ],
    ids=[
        "a month twice",
        "money without an entry",
        "the month of the purchase",
        "waived for money",
    ],
)
def test_the_database_refuses_what_must_never_be(acme, statement):
    number = buy(acme, "2023-01-10")
    collect_due(at("2023-02-11"))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(number=number.pk, workspace=acme.pk))
