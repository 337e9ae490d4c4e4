"""Three years of a workspace, day by day, with a purse that is often empty.

Beat runs once a day; people buy and release numbers, make calls, forget to add funds and
remember. A book kept by hand (rent_model) lives through the same days.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

import pytest

from numbers import dunning, price_changes, rent_settle
from numbers.models import CountryOffer, Number, PriceRule, RentStep
from numbers.rent import collect_due
from numbers.tests.rent_book import audit, balance, buy, lines, put_in
from numbers.tests.rent_model import PlainBook, PlainNumber
from wallet import ledger
from wallet.models import Kind, Wallet
from wallet.verify import verify
from workspaces.models import Workspace

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

BEGINS, ENDS = datetime(2018, 1, 31, 6, tzinfo=UTC), datetime(2021, 1, 31, 6, tzinfo=UTC)
PRICES = ["0.90", "1.15", "1.38", "2.30", "4.25"]
MOST_NUMBERS = 12


class Life:
    """Each thing that happens is done to the product and written into the book."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.wallet = Wallet.objects.get(workspace=workspace)
        self.book = PlainBook(money=self.wallet.balance)
        self.bought: dict[PlainNumber, Number] = {}
        self.random = Random(20180131)
        self.next_top_up = BEGINS
        self.happened: Counter[str] = Counter()
        self.serial = count(1)

    def spend(self, amount: Decimal, kind: Kind) -> bool:
        if self.book.money < amount:
            return False
        ledger.charge(
            wallet=self.wallet,
            kind=kind,
            amount=amount,
            key=f"spent:{next(self.serial)}",
            text=kind,
        )
        self.book.money -= amount
        return True

    def buys(self, now: datetime) -> None:
        price = Decimal(self.random.choice(PRICES))
        moment = now + timedelta(seconds=self.random.randrange(86_400))
        if self.spend(price, Kind.PURCHASE):  # with the first month
            number = PlainNumber(moment, price)
            self.bought[number] = buy(self.workspace, moment, str(price))
            self.book.numbers.append(number)
            self.happened["bought"] += 1

    def releases(self, now: datetime) -> None:
        ours = [number for number in self.book.numbers if number.billed]
        if ours:
            number = self.random.choice(ours)
            Number.objects.filter(pk=self.bought[number].pk).update(
                parked_at=now, giving_back_at=now, released_at=now
            )
            number.billed, number.gone = False, True
            self.happened["released"] += 1

    def adds_funds(self, now: datetime) -> None:
        """Before the money is gone, or days or weeks after that."""
        amount = self.random.choice(["3", "5", "10", "25"])
        put_in(self.workspace, amount)
        self.book.money += Decimal(amount)
        rent_settle.settle(self.workspace, now=now)
        self.book.collect(now)
        self.next_top_up = now + timedelta(days=self.random.choice([4, 9, 15, 15, 24, 50]))
        self.happened["topped up"] += 1

    def gets_a_new_price(self, now: datetime) -> None:
        offer, _new = CountryOffer.objects.get_or_create(
            country="US", number_type="local",
            defaults={"provider_price": "1.15", "refreshed_at": now},
        )  # fmt: skip
        price = Decimal(self.random.choice(PRICES))
        PriceRule.objects.update_or_create(
            country="US", number_type="local", defaults={"fixed_price": price}
        )
        price_changes.announce(offer, now=now)
        for number in self.book.numbers:
            number.announce(price, now)

    def goes_on(self, now: datetime) -> None:
        """One day, from beat's run to the next."""
        collect_due(now)
        dunning.advance(now)
        self.book.collect(now)
        self.book.advance(now)
        chance = self.random.random
        if chance() < 0.05 and sum(number.billed for number in self.book.numbers) < MOST_NUMBERS:
            self.buys(now)
        if chance() < 0.01:
            self.releases(now)
        if chance() < 0.004:
            self.gets_a_new_price(now)
        if chance() < 0.2:
            self.spend(Decimal(self.random.randrange(1, 40)) / 100, Kind.USAGE)
        reads_the_mail = self.book.owed(now) and chance() < 0.08
        if now >= self.next_top_up or reads_the_mail:
            self.adds_funds(now + timedelta(hours=9))


def test_three_years_end_with_the_balance_that_the_book_by_hand_has(acme):
    life = Life(acme)
    now = BEGINS
    while now <= ENDS:
        life.goes_on(now)
        assert balance(acme) == life.book.money, now
        now += timedelta(days=1)

    for plain, number in life.bought.items():
        number.refresh_from_db()
        assert lines(number) == plain.paid
        assert bool(number.giving_back_at) == plain.gone
        if plain.billed:
            stopped = (
                "inbound" if number.suspended_at else "outbound" * bool(number.outbound_stopped_at)
            )
            assert stopped == plain.stopped
    assert audit() == []
    assert list(verify()) == []
    assert_it_was_eventful(life)


def assert_it_was_eventful(life: Life) -> None:
    """Three years without a shortage would prove little."""
    steps = Counter(RentStep.objects.values_list("step", flat=True))
    assert sum(len(number.paid) for number in life.bought) > 150
    assert life.happened["bought"] > 15
    assert life.happened["released"] > 1
    for step in ("overdue", "outbound", "inbound", "release", "restored", "paid"):
        assert steps[step] >= 3, (steps, life.happened)
