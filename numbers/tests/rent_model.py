"""Rent as a person with a pencil would do it: a purse, a list of numbers, a wall calendar.

Nothing here comes from the product. Months are written down one by one, sorted, and paid
one by one until the purse does not cover the next.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from numbers.tests.rent_book import month_later

OUTBOUND, INBOUND, RELEASE = (timedelta(days=days) for days in (3, 7, 21))


@dataclass(eq=False)
class PlainNumber:
    """``paid`` holds (month, amount), the oldest first; the first month came with the purchase."""

    bought: datetime
    price: Decimal
    paid: list[tuple[int, Decimal]] = field(default_factory=list)
    billed: bool = True
    gone: bool = False
    new_price: tuple[int, Decimal] | None = None  # from this month on
    stopped: str = ""  # outbound, inbound

    @property
    def next_month(self) -> int:
        return len(self.paid) + 1

    @property
    def due(self) -> datetime:
        return month_later(self.bought, self.next_month)

    def first_that_has_not_begun(self, now: datetime) -> int:
        """Of the months that are not paid."""
        month = self.next_month
        while month_later(self.bought, month) <= now:
            month += 1
        return month

    def costs(self, month: int) -> Decimal:
        return self.new_price[1] if self.new_price and month >= self.new_price[0] else self.price

    def pay(self, amount: Decimal) -> None:
        month = self.next_month
        self.paid.append((month, amount))
        if self.new_price and month >= self.new_price[0]:
            self.price, self.new_price = self.new_price[1], None

    def announce(self, price: Decimal, now: datetime) -> None:
        """From the first month that begins later. One that has begun stands until it is paid."""
        later = self.first_that_has_not_begun(now)
        if not self.gone and not (self.new_price and self.new_price[0] < later):
            self.new_price = (later, price) if price != self.price else None


@dataclass
class PlainBook:
    """One workspace's purse and numbers, in the order in which they were bought."""

    money: Decimal = Decimal(0)
    set_aside: Decimal = Decimal(0)
    numbers: list[PlainNumber] = field(default_factory=list)

    def owed(self, now: datetime) -> list[tuple[datetime, datetime, int, int]]:
        """(due, bought, place of the number, month): the oldest due, then the oldest number."""
        months = []
        for place, number in enumerate(self.numbers):
            for month in range(number.next_month, number.first_that_has_not_begun(now)):
                if number.billed:
                    months.append((month_later(number.bought, month), number.bought, place, month))
        return sorted(months)

    def collect(self, now: datetime) -> None:
        for _due, _bought, place, month in self.owed(now):
            number = self.numbers[place]
            price = number.costs(month)
            if price > self.money - self.set_aside:
                break
            self.money -= price
            number.pay(price)
        for number in self.numbers:
            if number.due > now:
                number.stopped = ""

    def advance(self, now: datetime) -> None:
        """Three days after its due day an unpaid number stops sending, after seven it stops
        receiving, after 21 it is given back and owes nothing any more.
        """
        for number in self.numbers:
            late = now - number.due
            if number.billed and late >= RELEASE:
                number.billed, number.gone = False, True
            elif number.billed and late >= OUTBOUND:
                number.stopped = "inbound" if late >= INBOUND else "outbound"
