"""What the numbers cost, and which of them nobody uses."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from numbers import costs
from numbers.models import Number
from numbers.rent import collect_due
from numbers.tests.rent_book import at, buy
from wallet import ledger
from wallet.models import Entry, Kind

pytestmark = pytest.mark.django_db

NOW = at("2023-06-01")


def used(number: Number, days_ago: int) -> None:
    Number.objects.filter(pk=number.pk).update(last_used_at=NOW - timedelta(days=days_ago))


def test_rent_is_summed_per_country_the_dearest_first(acme, globex):
    for price, country in [("1.38", "US"), ("1.38", "US"), ("9.00", "DE")]:
        number = buy(acme, "2023-01-10", price)
        Number.objects.filter(pk=number.pk).update(country=country)
    buy(globex, "2023-01-10", "99.00")
    overview = costs.overview(acme, NOW)
    assert [(cost.name, cost.numbers, cost.monthly) for cost in overview.countries] == [
        ("Germany", 1, Decimal(9)), ("United States", 2, Decimal("2.76")),
    ]  # fmt: skip
    assert (overview.numbers, overview.monthly) == (3, Decimal("11.76"))


def test_what_is_released_or_parked_costs_nothing(acme):
    buy(acme, "2023-01-10", released_at=NOW)
    buy(acme, "2023-01-10", parked_at=NOW)
    assert costs.overview(acme, NOW).monthly == 0


def test_unused_numbers_are_counted_for_30_60_and_90_days_with_what_they_cost(acme):
    for days_ago in (10, 45, 70, 200):
        used(buy(acme, "2020-01-10", "1.00"), days_ago)
    assert [(u.days, u.numbers, u.monthly) for u in costs.overview(acme, NOW).unused] == [
        (30, 3, 3), (60, 2, 2), (90, 1, 1),
    ]  # fmt: skip


def test_one_that_was_never_used_counts_from_its_purchase(acme):
    buy(acme, NOW - timedelta(days=40), "1.00")
    buy(acme, NOW - timedelta(days=20), "1.00")
    assert [unused.numbers for unused in costs.overview(acme, NOW).unused] == [1, 0, 0]


def test_the_unused_are_listed_the_dearest_first_and_go_on(acme):
    numbers = [buy(acme, "2020-01-10", price) for price in ("1.00", "3.00", "2.00", "2.00")]
    first = costs.unused_for(acme, 30, most=2, now=NOW)
    rest = costs.unused_for(acme, 30, after=first[-1], most=9, now=NOW)
    assert [number.pk for number in first + rest] == [numbers[i].pk for i in (1, 2, 3, 0)]


def test_what_was_paid_is_summed_by_month_with_refunds_taken_off(acme):
    buy(acme, "2023-01-10", "2.00")
    collect_due(at("2023-04-11"))
    [entry] = Entry.objects.filter(kind=Kind.RENT)
    ledger.refund(
        wallet=entry.wallet, entry=entry, amount=Decimal("1.50"), key="refund", text="Refund"
    )
    [month] = costs.by_month(acme)
    assert (month.paid, month.month.month) == (Decimal("4.50"), timezone.now().month)
