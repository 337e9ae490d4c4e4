"""The search of the simulator: each filter that we send, and the patterns of ``Contains``."""

import re

import pytest

from telephony.tests.contract_cases import OFFERS

US = f"{OFFERS}/US/Local.json"


@pytest.fixture
def found(ask, hold_against_contract):
    """``found("/…", {"AreaCode": "212"})``: the items, their answer held against the contract."""

    def search(path=US, **filters: str) -> list[dict]:
        exchange = ask("GET", path, filters)
        assert exchange.status == 200, exchange.text
        hold_against_contract(exchange)
        return exchange.body["available_phone_numbers"]

    return search


def numbers(items) -> list[str]:
    return [item["phone_number"] for item in items]


def test_a_search_shows_30_numbers_unless_asked_otherwise(found):
    assert len(found()) == 30
    assert len(found(PageSize="7")) == 7
    assert len(found(PageSize="100")) == 100


def test_a_search_of_the_country_shows_many_places(found):
    assert len({item["locality"] for item in found()}) > 20


def test_a_sample_has_no_paging(ask):
    assert set(ask("GET", US).body) == {"available_phone_numbers", "uri"}


@pytest.mark.parametrize("code", ["212", "415", "617"])
def test_an_area_code_is_kept_to(found, code):
    items = found(AreaCode=code)
    assert len(items) == 30
    assert {number[:5] for number in numbers(items)} == {f"+1{code}"}


def test_an_area_code_of_a_toll_free_search_is_its_prefix(found):
    items = found(f"{OFFERS}/US/TollFree.json", AreaCode="888")
    assert {number[:5] for number in numbers(items)} == {"+1888"}


def test_an_area_code_is_ignored_outside_the_united_states_and_canada(found):
    items = found(f"{OFFERS}/GB/Local.json", AreaCode="161")
    assert len({item["locality"] for item in items}) > 1


@pytest.mark.parametrize("code", ["310", "999"])
def test_an_area_code_without_numbers_is_an_empty_answer_and_no_error(found, code):
    assert found(AreaCode=code) == []


@pytest.mark.parametrize(
    ("contains", "fits"),
    [
        ("77", r"77"),
        ("212*55", r"212\d55"),
        ("**77", r"\d\d77"),
        ("%77%", r"77"),
        ("12%99", r"12\d*99"),
        ("+1212", r"^\+1212"),
        ("+1212%", r"^\+1212"),
        ("99$", r"99$"),
        ("%99$", r"99$"),
        ("CAT", r"228"),
        ("cat", r"228"),
        ("2CAT", r"2228"),
        ("+1415*2%7$", r"^\+1415\d2\d*7$"),
    ],
)
def test_contains_keeps_what_fits_and_only_that(found, contains, fits):
    items = found(Contains=contains)
    assert items, "nothing found: the test would pass without looking"
    assert [number for number in numbers(items) if not re.search(fits, number)] == []


def test_contains_leaves_nothing_out(found):
    everything = numbers(found(AreaCode="212", PageSize="1000"))
    some = numbers(found(AreaCode="212", PageSize="1000", Contains="99$"))
    assert some == [number for number in everything if number.endswith("99")]


@pytest.mark.parametrize(
    "contains", ["5", "1" * 17, "**", "%%", "+$", "5+5", "5$5", "5-5", "55#", "٣٣", "++55"]
)
def test_a_pattern_against_the_rules_is_refused(ask, contains):
    exchange = ask("GET", US, {"Contains": contains})
    assert (exchange.status, exchange.body["code"]) == (400, 21421)


@pytest.mark.parametrize(
    ("path", "name", "key"),
    [
        ("US/Local", "SmsEnabled", "SMS"),
        ("US/Local", "MmsEnabled", "MMS"),
        ("US/Local", "VoiceEnabled", "voice"),
        ("US/Local", "FaxEnabled", "fax"),
        ("GB/Mobile", "SmsEnabled", "SMS"),
    ],
)
def test_a_capability_that_is_asked_for_is_there(found, path, name, key):
    items = found(f"{OFFERS}/{path}.json", **{name: "true"})
    assert items
    assert all(item["capabilities"][key] for item in items)


@pytest.mark.parametrize(
    ("path", "name"),
    [("US/TollFree", "FaxEnabled"), ("GB/Mobile", "MmsEnabled"), ("EE/Local", "SmsEnabled")],
)
def test_a_capability_that_the_type_lacks_finds_nothing(found, path, name):
    assert found(f"{OFFERS}/{path}.json", **{name: "true"}) == []


def test_a_capability_is_spelt_in_capitals_where_it_is_offered(found):
    assert set(found()[0]["capabilities"]) == {"voice", "SMS", "MMS", "fax"}


@pytest.mark.parametrize(
    ("path", "name", "is_empty"),
    [
        ("GB/Mobile", "ExcludeAllAddressRequired", True),
        ("GB/Mobile", "ExcludeLocalAddressRequired", False),
        ("IE/Local", "ExcludeLocalAddressRequired", True),
        ("IE/Local", "ExcludeForeignAddressRequired", False),
        ("US/Local", "ExcludeAllAddressRequired", False),
    ],
)
def test_numbers_that_need_an_address_can_be_left_out(found, path, name, is_empty):
    assert (found(f"{OFFERS}/{path}.json", **{name: "true"}) == []) == is_empty


def test_a_place_is_kept_to(found):
    assert {item["region"] for item in found(InRegion="NY")} == {"NY"}
    assert {item["locality"] for item in found(InLocality="Chicago")} == {"Chicago"}
    [item] = found(PageSize="1")
    assert item["phone_number"] in numbers(found(InPostalCode=item["postal_code"]))


def test_a_place_of_another_country_is_ignored_but_for_its_locality(found):
    path = f"{OFFERS}/GB/Local.json"
    assert len(found(path, InRegion="NY")) == 30
    assert {item["locality"] for item in found(path, InLocality="London")} == {"London"}


def test_numbers_near_a_point_or_a_number_are_found(found):
    near = found(NearLatLong="40.71,-74.01", Distance="10", PageSize="50")
    assert "New York" in {item["locality"] for item in near}
    assert "Los Angeles" not in {item["locality"] for item in near}
    assert {number[:5] for number in numbers(found(NearNumber="+12125550123"))} == {"+1212"}


def test_the_place_is_told_in_full_in_north_america_only(found):
    here, there = found(PageSize="1")[0], found(f"{OFFERS}/GB/Local.json", PageSize="1")[0]
    keys = ("region", "latitude", "longitude", "rate_center")
    assert all(isinstance(here[key], str) for key in keys)
    assert [there[key] for key in keys] == [None] * 4
    assert there["locality"]


def test_the_friendly_name_is_national_in_north_america(found):
    assert re.fullmatch(r"\(212\) \d{3}-\d{4}", found(AreaCode="212")[0]["friendly_name"])


def test_what_is_owned_or_was_released_is_not_offered(simulator, found):
    mine, theirs, gone = numbers(found(AreaCode="212", PageSize="3"))
    simulator.seed(mine)
    simulator.seed(theirs, account="AC" + "5" * 32)
    sid = simulator.seed(gone)
    simulator.app.state.release(simulator.account, sid)
    assert {mine, theirs, gone} & set(numbers(found(AreaCode="212", PageSize="1000"))) == set()


def test_a_country_names_only_the_types_it_sells(ask):
    country = ask("GET", f"{OFFERS}/US.json").body
    assert set(country["subresource_uris"]) == {"local", "toll_free"}


def test_every_country_can_be_searched_in_every_type_it_names(ask, found):
    for country in ask("GET", f"{OFFERS}.json").body["countries"]:
        for uri in country["subresource_uris"].values():
            items = found(uri, PageSize="1")
            assert [item["iso_country"] for item in items] == [country["country_code"]], uri
