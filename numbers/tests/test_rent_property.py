"""Any calendar, any order of runs, top-ups, shortages and releases, beside a book by hand.

Two workspaces live through it together. RENT_STEPS in the environment says how many steps in
all, 500 by default.
"""

import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from conftest import make_workspace
from numbers import price_changes, rent
from numbers.models import CountryOffer, Number, PriceRule
from numbers.rent_staff import waive_month
from numbers.tests.rent_book import audit, balance, buy, lines, month_later, put_in
from numbers.tests.rent_model import PlainBook, PlainNumber
from wallet import ledger
from wallet.models import Wallet
from wallet.verify import verify
from workspaces.models import User

STEPS = int(os.environ.get("RENT_STEPS", "500"))
STEPS_PER_RUN = 25

# Clocks that change at two in the morning, at midnight, by half an hour, by a whole day, never.
ZONES = ["America/New_York", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe",
         "Pacific/Apia", "Asia/Kathmandu"]  # fmt: skip
FIRST, LAST = date(2011, 1, 1), date(2012, 12, 31)
DAYS = [FIRST + timedelta(days=count) for count in range((LAST - FIRST).days + 1)]
TIMES = [time(0), time(0, 30), time(2, 30), time(12), time(23, 30), time(23, 59, 59, 999999)]
TICK = timedelta(microseconds=1)


def clocks_change(day: date, zone: ZoneInfo) -> bool:
    noons = [datetime.combine(day + timedelta(days=n), time(12), zone) for n in (-1, 0, 1)]
    return len({noon.utcoffset() for noon in noons}) > 1


def is_awkward(day: date, zone: ZoneInfo) -> bool:
    """The last days of a month, the end of February, a day next to a change of the clocks."""
    return (day + timedelta(days=3)).day <= 3 or day.day == 1 or clocks_change(day, zone)


def moments_in(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Moments of 2011 and 2012, mostly on awkward days of that zone, in UTC."""
    awkward = [day for day in DAYS if is_awkward(day, zone)]
    return st.builds(
        lambda day, clock, fold: datetime.combine(day, clock.replace(fold=fold), zone).astimezone(
            UTC
        ),
        st.sampled_from(awkward) | st.sampled_from(DAYS),
        st.sampled_from(TIMES),
        st.sampled_from([0, 1]),
    )


MOMENTS = st.sampled_from(ZONES).flatmap(lambda name: moments_in(ZoneInfo(name)))
PRICES = st.sampled_from([Decimal(text) for text in ("0", "0.000001", "0.01", "1.15", "1.38", "3")])
LIST_PRICES = st.sampled_from([Decimal(text) for text in ("0.01", "1.15", "1.38", "2")])
AMOUNTS = st.sampled_from(["0.01", "1.15", "1.38", "3", "9"])
FORWARD = st.sampled_from(
    [timedelta(hours=1), timedelta(days=1), timedelta(days=9), timedelta(weeks=5),
     timedelta(days=100)]
)  # fmt: skip
WHICH = st.integers(0, 1000)


class RentMachine(RuleBasedStateMachine):
    """``books`` are done by hand; ``bought`` are the product's numbers, place by place."""

    @initialize(
        zone=st.sampled_from(ZONES),
        group=st.sampled_from([2, 5, 1000]),
        numbers=st.lists(st.tuples(MOMENTS, PRICES, st.integers(0, 1)), min_size=2, max_size=5),
    )
    def begin(self, zone: str, group: int, numbers: list) -> None:
        self.savepoint = transaction.savepoint()
        rent.GROUP, rent.SLICE = group, group // 2
        self.workspaces = [make_workspace(f"machine{n}", f"Machine {n}", "9") for n in (1, 2)]
        for workspace in self.workspaces:
            workspace.time_zone = zone
            workspace.save(update_fields=["time_zone"])
        self.by = User.objects.create_user("machine@example.test")
        self.offer = CountryOffer.objects.create(
            country="US", number_type="local", provider_price="1.15", refreshed_at=datetime.now(UTC)
        )
        self.books = [PlainBook(money=Decimal(9)), PlainBook(money=Decimal(9))]
        self.bought: dict[PlainNumber, Number] = {}
        self.runs: list[datetime] = []
        self.holds = 0
        for moment, price, place in numbers:
            self.bring(moment, price, place)
        self.clock = min(moment for moment, _price, _place in numbers)

    def teardown(self) -> None:
        rent.GROUP, rent.SLICE = 1000, 250
        transaction.savepoint_rollback(self.savepoint)

    def plain(self, which: int) -> PlainNumber | None:
        """One of the numbers that are still ours."""
        ours = [number for number in self.bought if not number.gone]
        return ours[which % len(ours)] if ours else None

    def bring(self, moment: datetime, price: Decimal, place: int) -> None:
        number = buy(self.workspaces[place], moment, str(price))
        plain = PlainNumber(bought=moment, price=price)
        self.books[place].numbers.append(plain)
        self.bought[plain] = number

    @rule(moment=MOMENTS, price=PRICES, place=st.integers(0, 1))
    def buy(self, moment: datetime, price: Decimal, place: int) -> None:
        self.bring(moment, price, place)

    @rule(amount=AMOUNTS, place=st.integers(0, 1))
    def top_up(self, amount: str, place: int) -> None:
        put_in(self.workspaces[place], amount)
        self.books[place].money += Decimal(amount)

    @rule(amount=AMOUNTS, place=st.integers(0, 1))
    def set_aside(self, amount: str, place: int) -> None:
        book = self.books[place]
        if book.money - book.set_aside < Decimal(amount):
            return
        self.holds += 1
        ledger.hold(
            wallet=Wallet.objects.get(workspace=self.workspaces[place]), amount=Decimal(amount),
            currency="USD", key=f"hold:{self.holds}", text="A number", reference="ORD-1",
        )  # fmt: skip
        book.set_aside += Decimal(amount)

    def collect(self, moment: datetime) -> None:
        rent.collect_due(moment)
        self.runs.append(moment)
        for book in self.books:
            book.collect(moment)

    @rule(further=FORWARD)
    def collect_later(self, further: timedelta) -> None:
        self.clock += further
        self.collect(self.clock)

    @rule(which=WHICH, early=st.booleans())
    def collect_on_the_very_moment(self, which: int, early: bool) -> None:
        plain = self.plain(which)
        if plain:
            moment = plain.due - TICK if early else plain.due
            self.clock = max(self.clock, moment)
            self.collect(moment)

    @rule(which=WHICH)
    def collect_again(self, which: int) -> None:
        """The same run once more, or one for a time that is long past."""
        if self.runs:
            self.collect(self.runs[which % len(self.runs)])

    @rule(which=WHICH, place=st.integers(0, 1))
    def collect_one_workspace(self, which: int, place: int) -> None:
        rent.collect_due(self.clock, workspace=self.workspaces[place])
        self.books[place].collect(self.clock)

    @rule(which=WHICH, what=st.sampled_from(["park", "undo", "undo", "release"]))
    def part_with(self, which: int, what: str) -> None:
        plain = self.plain(which)
        if plain is None:
            return
        now = None if what == "undo" else self.clock
        facts = {"giving_back_at": now, "released_at": now} if what == "release" else {}
        Number.objects.filter(pk=self.bought[plain].pk).update(parked_at=now, **facts)
        plain.billed, plain.gone = what == "undo", what == "release"

    @rule(which=WHICH)
    def waive(self, which: int) -> None:
        plain = self.plain(which)
        if plain and plain.billed:
            waive_month(number=self.bought[plain], reason="A promise", by=self.by, now=self.clock)
            plain.pay(Decimal(0))

    @rule(price=LIST_PRICES)
    def announce(self, price: Decimal) -> None:
        PriceRule.objects.update_or_create(
            country="US", number_type="local", defaults={"fixed_price": price}
        )
        price_changes.announce(self.offer, now=self.clock)
        for plain in self.bought:
            plain.announce(price, self.clock)

    @rule()
    def enough_money_comes(self) -> None:
        """Then every month that has begun is paid."""
        for place, workspace in enumerate(self.workspaces):
            put_in(workspace, "1000")
            self.books[place].money += 1000
        self.collect(self.clock)
        for plain, number in self.bought.items():
            months = len(lines(number))
            assert not plain.billed or month_later(plain.bought, months + 1) > self.clock
        assert list(verify()) == []

    @invariant()
    def no_month_is_paid_twice_and_none_is_skipped(self) -> None:
        assert audit() == []

    @invariant()
    def the_books_by_hand_say_the_same(self) -> None:
        for plain, number in self.bought.items():
            assert lines(number) == plain.paid
        for workspace, book in zip(self.workspaces, self.books, strict=True):
            assert balance(workspace) == book.money


@pytest.mark.timeout(0)  # as long as RENT_STEPS asks for
@pytest.mark.django_db
def test_whatever_the_calendar_and_the_runs_each_month_is_paid_once():
    run_state_machine_as_test(
        RentMachine,
        settings=settings(
            max_examples=max(STEPS // STEPS_PER_RUN, 1), stateful_step_count=STEPS_PER_RUN,
            deadline=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
