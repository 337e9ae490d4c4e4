"""Rent as it stands in an account book: a day, what happened, what is left, what is paid.

Each line of a book is done and then compared: the balance, and until when A (and B) are paid.
"""

from decimal import Decimal

import pytest
from django.db import connection

from conftest import make_workspace
from numbers import dunning, price_changes
from numbers.models import CountryOffer, Number, PriceRule
from numbers.rent import collect_due
from numbers.rent_staff import waive_month
from numbers.tests.rent_book import at, audit, balance, buy, due_on, lines, put_in
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

BOOKS = {
    "bought on the last day of January of a leap year": """
        2024-01-31  funds 10.00        10.00
        2024-01-31  buy A at 1.38      10.00  2024-02-29
        2024-02-28  collect            10.00  2024-02-29
        2024-02-29  collect             8.62  2024-03-31
        2024-03-30  collect             8.62  2024-03-31
        2024-03-31  collect             7.24  2024-04-30
        2024-04-30  collect             5.86  2024-05-31
        2024-05-31  collect             4.48  2024-06-30
    """,
    "bought on 29 February": """
        2020-02-29  funds 20.00        20.00
        2020-02-29  buy A at 1.00      20.00  2020-03-29
        2020-12-29  collect            10.00  2021-01-29
        2021-02-27  collect             9.00  2021-02-28
        2021-02-28  collect             8.00  2021-03-29
    """,
    "nobody collected for three months": """
        2023-01-15  funds 10.00        10.00
        2023-01-15  buy A at 1.15      10.00  2023-02-15
        2023-04-20  collect             6.55  2023-05-15
        2023-04-20  collect             6.55  2023-05-15
        2023-03-01  collect             6.55  2023-05-15
    """,
    "money for one of two, and the rest a week later": """
        2023-01-10  funds 4.00          4.00
        2023-01-10  buy A at 2.50       4.00  2023-02-10
        2023-01-11  buy B at 2.00       4.00  2023-02-10  2023-02-11
        2023-02-11  collect             1.50  2023-03-10  2023-02-11
        2023-02-18  funds 0.50          2.00  2023-03-10  2023-02-11
        2023-02-18  collect             0.00  2023-03-10  2023-03-11
    """,
    "two months behind, and money for three of four": """
        2023-01-10  funds 3.50          3.50
        2023-01-10  buy A at 1.00       3.50  2023-02-10
        2023-01-20  buy B at 1.00       3.50  2023-02-10  2023-02-20
        2023-03-25  collect             0.50  2023-04-10  2023-03-20
    """,
    "released in the middle of a month": """
        2023-01-10  funds 5.00          5.00
        2023-01-10  buy A at 1.00       5.00  2023-02-10
        2023-02-10  collect             4.00  2023-03-10
        2023-02-25  release A           4.00  2023-03-10
        2023-03-10  collect             4.00  2023-03-10
        2023-12-31  collect             4.00  2023-03-10
    """,
    "parked on the day before it is due, and taken back": """
        2023-01-10  funds 5.00          5.00
        2023-01-10  buy A at 1.00       5.00  2023-02-10
        2023-02-09  park A              5.00  2023-02-10
        2023-02-10  collect             5.00  2023-02-10
        2023-02-10  undo A              5.00  2023-02-10
        2023-02-10  collect             4.00  2023-03-10
    """,
    "a dearer price is announced in the middle of a month": """
        2023-01-10  funds 9.00          9.00
        2023-01-10  buy A at 1.00       9.00  2023-02-10
        2023-02-20  price 2.00          9.00  2023-02-10
        2023-02-20  collect             8.00  2023-03-10
        2023-03-10  collect             6.00  2023-04-10
        2023-04-10  collect             4.00  2023-05-10
    """,
    "support waives a month": """
        2023-01-10  funds 5.00          5.00
        2023-01-10  buy A at 1.00       5.00  2023-02-10
        2023-02-10  waive A             5.00  2023-03-10
        2023-02-10  collect             5.00  2023-03-10
        2023-03-10  collect             4.00  2023-04-10
    """,
    "never paid, given back after 21 days, and nothing owed after that": """
        2023-01-10  funds 0.50          0.50
        2023-01-10  buy A at 1.00       0.50  2023-02-10
        2023-02-10  collect             0.50  2023-02-10
        2023-02-11  collect             0.50  2023-02-10
        2023-02-13  collect             0.50  2023-02-10
        2023-02-15  collect             0.50  2023-02-10
        2023-02-17  collect             0.50  2023-02-10
        2023-03-01  collect             0.50  2023-02-10
        2023-03-03  collect             0.50  2023-02-10
        2023-03-04  funds 10.00        10.50  2023-02-10
        2023-03-04  collect            10.50  2023-02-10
    """,
}


class Bookkeeper:
    def __init__(self, staff) -> None:
        self.staff = staff
        self.workspace: Workspace = make_workspace("book", "Book")
        self.bought: dict[str, Number] = {}

    def do(self, day: str, what: str, *words: str) -> None:
        getattr(self, f"do_{what}")(day, *words)

    def do_funds(self, _day: str, amount: str) -> None:
        put_in(self.workspace, amount)

    def do_buy(self, day: str, name: str, _at: str, price: str) -> None:
        self.bought[name] = buy(self.workspace, day, price)

    def do_collect(self, day: str) -> None:
        collect_due(at(day))
        dunning.advance(at(day))

    def change(self, name: str, **facts) -> None:
        Number.objects.filter(pk=self.bought[name].pk).update(**facts)

    def do_park(self, day: str, name: str) -> None:
        self.change(name, parked_at=at(day))

    def do_undo(self, _day: str, name: str) -> None:
        self.change(name, parked_at=None)

    def do_release(self, day: str, name: str) -> None:
        self.change(name, parked_at=at(day), giving_back_at=at(day), released_at=at(day))

    def do_waive(self, day: str, name: str) -> None:
        waive_month(number=self.bought[name], reason="A promise", by=self.staff, now=at(day))

    def do_price(self, day: str, price: str) -> None:
        offer = CountryOffer.objects.create(
            country="US", number_type="local", provider_price="1.15", refreshed_at=at(day)
        )
        PriceRule.objects.create(country="US", fixed_price=price)
        price_changes.announce(offer, now=at(day))


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_the_book_of_a_number(book, staff):
    keeper = Bookkeeper(staff)
    for line in book.strip().splitlines():
        day, *what = line.split()
        places = 1 + len(keeper.bought) + (what[0] == "buy")
        what, figures = what[:-places], what[-places:]
        keeper.do(day, *what)
        found = [f"{balance(keeper.workspace):.2f}", *map(due_on, keeper.bought.values())]
        assert found == figures, line
    assert audit() == []


@pytest.mark.parametrize(
    ("funds", "statement"),
    [("50", "numbers_rent_take_covered"), ("1.50", "numbers_rent_take_listed")],
    ids=["the money covers all", "month by month"],
)
def test_one_released_after_it_was_found_due_is_not_charged(funds, statement):
    workspace = make_workspace("book", "Book", funds)
    stays, goes = buy(workspace, "2023-01-10", "1.00"), buy(workspace, "2023-01-10", "1.00")

    def release(execute, sql, params, many, context):
        if statement in sql:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE numbers_number SET released_at = now() WHERE id = %s", [goes.pk]
                )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(release):
        run = collect_due(at("2023-02-20"))
    assert (len(lines(stays)), len(lines(goes)), run.payments) == (1, 0, 1)
    assert balance(workspace) == Decimal(funds) - 1
    assert audit() == []
