"""A new price is announced first, and costs from the number's next month on."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers import dunning, price_changes
from numbers.models import CountryOffer, Number, PriceChange, PriceRule, RentDue
from numbers.price_changes import announce, follow_price_list
from numbers.rent import collect_due
from numbers.tests.rent_book import at, audit, buy, lines, put_in
from workspaces.models import AuditEvent, Notice

pytestmark = pytest.mark.django_db

OLD, NEW = Decimal("1.38"), Decimal("2.00")


@pytest.fixture
def offer(db) -> CountryOffer:
    """The provider asks 1.15, and a rule says 2.00 for it."""
    PriceRule.objects.create(country="US", number_type="local", fixed_price=NEW)
    return CountryOffer.objects.create(
        country="US", number_type="local", provider_price=Decimal("1.15"), currency="USD",
        refreshed_at=timezone.now(),
    )  # fmt: skip


def price(number: Number) -> tuple[Decimal, Decimal]:
    """As the page shows it and as the next charge takes it: always the same."""
    number.refresh_from_db()
    return number.monthly_price, RentDue.objects.get(pk=number.pk).price


def test_a_number_keeps_its_price_until_its_next_month(acme, offer):
    number = buy(acme, "2023-01-10")
    announce(offer, now=at("2023-02-01"))
    assert price(number) == (OLD, OLD)
    collect_due(at("2023-02-10"))
    assert (lines(number), price(number)) == ([(1, NEW)], (NEW, NEW))
    collect_due(at("2023-03-10"))
    assert lines(number) == [(1, NEW), (2, NEW)]
    assert audit() == []


def test_a_month_that_has_begun_costs_the_old_price_even_if_it_is_paid_late(acme, offer):
    number = buy(acme, "2023-01-10")
    announce(offer, now=at("2023-03-15"))
    collect_due(at("2023-04-20"))
    assert lines(number) == [(1, OLD), (2, OLD), (3, NEW)]
    assert price(number) == (NEW, NEW)
    assert audit() == []


def test_the_mail_names_the_number_both_prices_and_the_day(acme, offer):
    number = buy(acme, "2023-01-10")
    announce(offer, now=at("2023-02-01"))
    notice = Notice.objects.get()
    assert notice.subject == "The price of a number in Acme will change"
    assert (
        f"{number.international}: $1.38 a month until then, $2.00 from 9 Feb 2023" in notice.body
    ), "10 February in UTC is still the 9th in New York"


def test_the_history_of_the_number_tells_it_once(as_owner, owner, acme, offer):
    number = buy(acme, "2023-01-10")
    announce(offer, by=owner, now=at("2023-02-01"))
    collect_due(at("2023-02-10"))
    event = AuditEvent.objects.of_subject("number", number.public_id).get(
        action__startswith="number.price"
    )
    assert event.text == "Will cost $2.00 a month from 9 Feb 2023, $1.38 until then"
    assert (event.by, event.label) == (owner, number.e164)
    page = as_owner.get(f"/w/acme/activity/?about={number.public_id}").content.decode()
    assert event.text in page


def test_the_history_tells_that_a_price_stays_after_all(acme, offer):
    number = buy(acme, "2023-01-10")
    announce(offer, now=at("2023-02-01"))
    PriceRule.objects.update(fixed_price=OLD)
    announce(offer, now=at("2023-02-02"))
    told = AuditEvent.objects.of_subject("number", number.public_id).order_by("pk")
    assert [(event.by_name, event.text) for event in told][-1] == (
        "System", "Keeps its price of $1.38 a month",
    )  # fmt: skip


def test_telling_the_history_takes_as_many_queries_for_many(acme, offer):
    def count(numbers: int, price: str) -> int:
        for _ in range(numbers):
            buy(acme, "2023-01-10")
        PriceRule.objects.update(fixed_price=price)
        with CaptureQueriesContext(connection) as queries:
            announce(offer, now=at("2023-02-01"))
        return len(queries)

    count(1, "2.00")
    assert count(0, "3.00") == count(12, "4.00")


def test_one_mail_for_all_numbers_of_a_workspace(acme, globex, offer):
    for _ in range(3):
        buy(acme, "2023-01-10")
    buy(globex, "2023-01-10")
    assert announce(offer, now=at("2023-02-01")) == 4
    assert sorted(Notice.objects.values_list("subject", flat=True)) == [
        "The price of a number in Globex will change",
        "The prices of 3 numbers in Acme will change",
    ]


def test_announcing_the_same_price_again_tells_nobody(acme, offer):
    buy(acme, "2023-01-10")
    announce(offer, now=at("2023-02-01"))
    assert announce(offer, now=at("2023-02-02")) == 0
    assert (PriceChange.objects.count(), Notice.objects.count()) == (1, 1)


def test_notice_can_be_longer(acme, offer, settings):
    settings.RENT_PRICE_NOTICE_DAYS = 14
    number = buy(acme, "2023-01-10")
    announce(offer, now=at("2023-02-01"))
    collect_due(at("2023-03-10"))
    assert lines(number) == [(1, OLD), (2, NEW)]


def test_a_later_announcement_replaces_an_earlier_one(acme, offer):
    number = buy(acme, "2023-01-10")
    announce(offer, now=at("2023-02-01"))
    PriceRule.objects.update(fixed_price=Decimal("1.50"))
    announce(offer, now=at("2023-02-02"))
    collect_due(at("2023-02-10"))
    assert lines(number) == [(1, Decimal("1.50"))]


def test_an_announcement_can_be_taken_back(acme, offer):
    number = buy(acme, "2023-01-10")
    announce(offer, now=at("2023-02-01"))
    PriceRule.objects.update(fixed_price=OLD)
    announce(offer, now=at("2023-02-02"))
    assert "keeps its price of $1.38 a month after all" in Notice.objects.latest("pk").body
    collect_due(at("2023-02-10"))
    assert lines(number) == [(1, OLD)]


def test_one_that_has_begun_stands_until_it_is_paid(globex, offer):
    """Whoever is late pays what was announced, not what was announced later."""
    number = buy(globex, "2023-01-10", "2.50")
    announce(offer, now=at("2023-02-01"))
    PriceRule.objects.update(fixed_price=Decimal("9.00"))
    collect_due(at("2023-02-09"))
    assert announce(offer, now=at("2023-02-11")) == 0
    collect_due(at("2023-02-11"))
    assert lines(number) == [(1, NEW)]
    assert announce(offer, now=at("2023-02-12")) == 1


def test_numbers_of_other_countries_types_and_currencies_keep_theirs(acme, offer):
    others = [buy(acme, "2023-01-10") for _ in range(3)]
    for number, change in zip(
        others, [{"country": "CA"}, {"number_type": "mobile"}, {"currency": "EUR"}], strict=True
    ):
        Number.objects.filter(pk=number.pk).update(**change)
    assert announce(offer, now=at("2023-02-01")) == 0


def test_released_numbers_are_told_of_nothing(acme, offer):
    buy(acme, "2023-01-10", released_at=at("2023-01-20"))
    assert announce(offer, now=at("2023-02-01")) == 0


def test_numbers_follow_the_price_list_by_themselves(acme, offer):
    buy(acme, "2023-01-10")
    assert follow_price_list(at("2023-02-01")) == 1


def test_unless_the_setting_says_that_they_do_not(acme, offer, settings):
    settings.RENT_FOLLOWS_PRICE_LIST = False
    buy(acme, "2023-01-10")
    assert follow_price_list(at("2023-02-01")) == 0


def test_an_overdue_number_pays_the_new_price_from_its_month_on(globex, offer):
    number = buy(globex, "2023-01-10", "1.90")
    announce(offer, now=at("2023-02-15"))
    collect_due(at("2023-02-15"))
    collect_due(at("2023-03-11"))
    dunning.advance(at("2023-03-11"))
    assert lines(number) == [(1, Decimal("1.90"))]
    put_in(globex, "1.90")
    collect_due(at("2023-03-12"))
    assert lines(number) == [(1, Decimal("1.90")), (2, NEW)]
    assert price(number) == (NEW, NEW)
    assert audit() == []


def test_changes_that_were_not_told_are_told_by_the_next_round(acme, offer, monkeypatch):
    buy(acme, "2023-01-10")
    monkeypatch.setattr(price_changes, "tell", lambda: None)
    announce(offer, now=at("2023-02-01"))
    monkeypatch.undo()
    assert not Notice.objects.exists()
    announce(offer, now=at("2023-02-01") + timedelta(hours=6))
    assert Notice.objects.count() == 1
