"""Searching through the adapter: what is sent, and how the answers are read."""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from lib import e164 as formats
from telephony import provider
from telephony.errors import NotFound, TypeNotOffered
from telephony.pattern import pattern_for
from telephony.simulator.countries import STOCK
from telephony.values import AddressRequirement, Capability, NumberQuery, NumberType

LOCAL = NumberType.LOCAL


def query(country: str = "US", number_type: NumberType = LOCAL, **wanted) -> NumberQuery:
    return NumberQuery(country=country, number_type=number_type, **wanted)


def test_countries_come_with_the_types_we_can_sell(exchanges):
    countries = {country.code: country for country in provider.countries()}
    assert len(countries) >= 25
    assert countries["US"].number_types == {NumberType.LOCAL, NumberType.TOLL_FREE}
    assert countries["JP"].number_types == {NumberType.NATIONAL, NumberType.TOLL_FREE}


@pytest.mark.parametrize(
    ("country", "kind", "path"),
    [
        ("US", NumberType.LOCAL, "US/Local"),
        ("US", NumberType.TOLL_FREE, "US/TollFree"),
        ("GB", NumberType.MOBILE, "GB/Mobile"),
        ("JP", NumberType.NATIONAL, "JP/National"),
    ],
)
def test_each_type_is_asked_for_at_its_own_address(country, kind, path, exchanges):
    numbers = provider.search(query(country, kind, limit=5))
    assert [number.number_type for number in numbers] == [kind] * 5
    assert exchanges[0].path.endswith(f"/AvailablePhoneNumbers/{path}.json")
    assert exchanges[0].fields == {"PageSize": "5"}


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (query(area_code="212"), {"AreaCode": "212"}),
        (query("CA", area_code="416"), {"AreaCode": "416"}),
        (query("US", NumberType.TOLL_FREE, area_code="888"), {"AreaCode": "888"}),
        (query("PR", area_code="939"), {"Contains": "+1939"}),
        (query("DE", area_code="30"), {"Contains": "+4930"}),
        (query(contains="777"), {"Contains": "777"}),
        (query(contains="CAFE"), {"Contains": "CAFE"}),
        (query(ends_with="99"), {"Contains": "99$"}),
        (query(starts_with="41555"), {"Contains": "+141555"}),
        (query(area_code="415", starts_with="55"), {"AreaCode": "415", "Contains": "+141555"}),
        (query(area_code="415", ends_with="55"), {"AreaCode": "415", "Contains": "55$"}),
        (query(capabilities=frozenset(Capability)),
         {"SmsEnabled": "true", "MmsEnabled": "true", "VoiceEnabled": "true",
          "FaxEnabled": "true"}),
    ],
)  # fmt: skip
def test_what_is_wanted_is_asked_of_the_provider(wanted, sent, exchanges):
    provider.search(wanted)
    assert exchanges[0].fields == {"PageSize": "30", **sent}


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (query("DE", area_code="30", contains="777"), "777"),
        (query("DE", area_code="30", ends_with="7"), "+4930"),
        (query("DE", area_code="30", ends_with="77"), "+4930"),
        (query(starts_with="21", contains="555", ends_with="1234"), "1234$"),
        (query(contains="12"), "12"),  # would be found in +1 2… as well
    ],
)
def test_what_cannot_be_asked_at_once_is_picked_from_a_larger_sample(wanted, sent, exchanges):
    provider.search(wanted)
    assert exchanges[0].fields == {
        "PageSize": str(provider.LARGE_SAMPLE), "Contains": sent
    }  # fmt: skip


def test_an_area_and_a_pattern_abroad_are_both_kept_to(exchanges):
    numbers = provider.search(query("DE", area_code="30", contains="77", limit=3))
    assert len(numbers) == 3
    assert all(number.e164.startswith("+4930") and "77" in number.e164 for number in numbers)


def test_a_single_digit_is_found_although_it_cannot_be_asked_for(exchanges):
    numbers = provider.search(query(area_code="212", ends_with="7", limit=5))
    assert [number.e164[-1] for number in numbers] == ["7"] * 5


def test_digits_of_the_country_code_are_no_match(exchanges):
    numbers = provider.search(query(contains="12", limit=30))
    assert numbers
    assert all("12" in number.e164[2:] for number in numbers)


# The provider's rules for Contains, from its OpenAPI description.
def keeps_to_the_rules(contains: str) -> bool:
    body = contains.removeprefix("+").removesuffix("$")
    return 2 <= len(contains) <= 16 and body.isascii() and body.isalnum() and len(body) >= 2


signs = some.text("0123456789ABCXYZ", max_size=10)
queries = some.builds(
    NumberQuery,
    country=some.sampled_from(sorted(STOCK)),
    number_type=some.just(LOCAL),
    area_code=some.text("123456789", max_size=6),
    contains=signs,
    starts_with=signs,
    ends_with=signs,
)


@given(wanted=queries)
@limits(deadline=None)
def test_whatever_is_wanted_the_pattern_keeps_to_the_providers_rules(wanted):
    contains = pattern_for(wanted).contains
    assert contains == "" or keeps_to_the_rules(contains), contains


@given(place=some.integers(0, 6), length=some.integers(1, 4), ending=some.integers(0, 3))
@limits(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_number_that_is_there_is_found_by_any_part_of_it(simulator, place, length, ending):
    [number] = provider.search(query("DE", area_code="30", limit=1))
    national = formats.national_number(number.e164, "DE")
    wanted = query(
        "DE",
        area_code="30",
        contains=national[place : place + length],
        ends_with=national[len(national) - ending :],
        limit=1000,
    )
    assert number.e164 in [found.e164 for found in provider.search(wanted)]


def test_a_result_is_read_in_full(exchanges):
    [number] = provider.search(query(area_code="212", limit=1))
    sent = exchanges[0].body["available_phone_numbers"][0]
    assert (number.e164, number.friendly_name) == (sent["phone_number"], sent["friendly_name"])
    assert (number.country, number.locality, number.region) == ("US", "New York", "NY")
    assert number.postal_code == sent["postal_code"] != ""
    assert number.address_requirement == AddressRequirement.NONE
    assert number.beta is False


def test_capabilities_are_read_in_capitals_and_in_small_letters(exchanges):
    [number] = provider.search(query(area_code="212", limit=1))
    assert exchanges[0].body["available_phone_numbers"][0]["capabilities"]["SMS"] is True
    assert number.capabilities == set(Capability)
    [text_only] = provider.search(query("AT", NumberType.MOBILE, limit=1))
    assert text_only.capabilities == {Capability.SMS}


def test_a_capability_that_is_not_told_is_not_there(edge):
    item = {
        "phone_number": "+12125550123", "iso_country": "US", "address_requirements": "odd",
        "capabilities": {"voice": True, "SMS": False},
    }  # fmt: skip
    edge(text=json.dumps({"available_phone_numbers": [item]}))
    [number] = provider.search(query())
    assert number.capabilities == {Capability.VOICE}
    assert (number.friendly_name, number.locality, number.region) == ("", "", "")
    assert number.address_requirement == AddressRequirement.ANY  # new to us, and one all the same


def test_the_countrys_requirement_is_told(exchanges):
    [number] = provider.search(query("IE", limit=1))
    assert number.address_requirement == AddressRequirement.LOCAL


def test_nothing_found_is_an_empty_list(exchanges):
    assert provider.search(query(area_code="310")) == []


@pytest.mark.parametrize(("country", "kind"), [("US", NumberType.MOBILE), ("AQ", LOCAL)])
def test_a_type_that_the_country_does_not_sell_is_refused(country, kind, exchanges):
    with pytest.raises(TypeNotOffered) as refused:
        provider.search(query(country, kind))
    assert (refused.value.http_status, refused.value.provider_code) == (404, 20404)


def test_prices_are_decimals_by_type(exchanges):
    prices = {price.number_type: price for price in provider.prices(country="GB")}
    assert prices[NumberType.LOCAL].amount == Decimal("3.50")
    assert prices[NumberType.TOLL_FREE].amount == Decimal("2.15")
    assert {price.currency for price in prices.values()} == {"USD"}


def test_a_type_that_we_do_not_sell_and_a_price_that_is_not_told_are_left_out(edge):
    listed = [
        {"number_type": "voip", "base_price": "1.00", "current_price": "1.00"},
        {"number_type": "mobile", "base_price": "1.00", "current_price": None},
        {"number_type": "toll free", "base_price": "3.00", "current_price": "2.50"},
    ]
    edge(text=json.dumps({"price_unit": "usd", "phone_number_prices": listed}))
    [price] = provider.prices(country="US")
    assert (price.number_type, price.amount) == (NumberType.TOLL_FREE, Decimal("2.50"))
    assert price.currency == "USD"


def test_prices_of_a_country_that_is_not_sold_are_not_found(exchanges):
    with pytest.raises(NotFound):
        provider.prices(country="AQ")


def test_a_changed_price_is_told(simulator, exchanges):
    simulator.fault("price_change", factor="2")
    assert provider.prices(country="US")[0].amount == Decimal("2.30")
    assert provider.prices(country="US")[0].amount == Decimal("1.15")
