"""The provider's price times a markup, with rules in the admin."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from numbers.models import CountryOffer, PriceRule
from numbers.pricing import price_of, prices_in
from telephony.errors import ProviderError
from telephony.values import NumberType

pytestmark = pytest.mark.django_db


def test_the_standard_markup_rounds_up_to_the_cent(simulator, settings):
    settings.NUMBER_PRICE_MARKUP = "1.333"
    price = price_of("US", NumberType.LOCAL)
    assert (price.amount, price.provider_amount) == (Decimal("1.54"), Decimal("1.15"))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([("", "", "2", None)], "2.30"),
        ([("", "", "2", None), ("", "local", "3", None)], "3.45"),
        ([("", "local", "3", None), ("US", "", "4", None)], "4.60"),
        ([("US", "", "4", None), ("US", "local", None, "9.99")], "9.99"),
        ([("CA", "local", None, "9.99")], "1.38"),
    ],
)
def test_the_rule_that_names_most_wins(simulator, rules, expected):
    for country, kind, markup, fixed in rules:
        PriceRule.objects.create(
            country=country, number_type=kind, markup=markup, fixed_price=fixed
        )
    assert price_of("US", NumberType.LOCAL).amount == Decimal(expected)


def test_a_rule_has_either_a_markup_or_a_fixed_price(db):
    with pytest.raises(IntegrityError, match="price_rule_markup_or_fixed"), transaction.atomic():
        PriceRule.objects.create(country="US", markup=2, fixed_price=3)


def test_prices_are_asked_for_once_a_day(simulator):
    prices_in("US")
    asked = len(simulator.requests)
    prices_in("US")
    assert len(simulator.requests) == asked
    CountryOffer.objects.update(refreshed_at=timezone.now() - timedelta(hours=25))
    prices_in("US")
    assert len(simulator.requests) == asked + 1


def test_the_last_known_price_stays_when_the_provider_is_down(simulator):
    known = prices_in("US")
    CountryOffer.objects.update(refreshed_at=timezone.now() - timedelta(hours=25))
    simulator.fault("server_error", path_contains="PhoneNumbers/Countries")
    assert prices_in("US") == known


def test_with_nothing_known_a_failure_is_a_failure(simulator):
    simulator.fault("server_error", path_contains="PhoneNumbers/Countries")
    with pytest.raises(ProviderError):
        prices_in("US")
