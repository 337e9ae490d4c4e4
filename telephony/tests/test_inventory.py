"""What the simulated provider has to sell: plausible, valid, and the same in every run."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from lib import area_codes
from lib.e164 import dialling_code
from telephony.simulator import inventory
from telephony.simulator.countries import STOCK
from telephony.simulator.inventory import is_sold_out, lookup, shelf

ROOT = Path(__file__).resolve().parents[2]
PLAN = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
GEOGRAPHIC = {PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
SHELVES = [(country, kind) for country, kinds in sorted(STOCK.items()) for kind in kinds]
# Given out by the plan's administrator, and still unknown to phonenumbers: nothing is sold
# there yet, and whoever asks is told the place.
TOO_NEW = {"436", "457", "621", "624", "679", "837", "861", "924"}


def codes_known_to_phonenumbers() -> set[tuple[str, str]]:
    """(country, code) of every geographic area code of the North American plan."""
    known = set()
    for code in range(200, 1000):
        country = phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{code}2345678"))
        if country and any(
            is_geographic(f"+1{code}{exchange}5678") for exchange in range(200, 1000)
        ):
            known.add((country, str(code)))
    return known


def is_geographic(e164: str) -> bool:
    return phonenumbers.number_type(phonenumbers.parse(e164)) in GEOGRAPHIC


def test_numbers_are_sold_in_at_least_25_countries():
    assert len(STOCK) >= 25


def test_our_area_codes_are_those_of_the_whole_north_american_plan():
    ours = {
        (area.country, area.code) for country in PLAN for area in area_codes.in_country(country)
    }
    known = codes_known_to_phonenumbers()
    assert len(known) > 400
    assert known - ours == set()
    assert ours - known == {("US", code) for code in TOO_NEW}


def test_an_area_code_stands_in_one_country_only():
    codes = [area.code for country in PLAN for area in area_codes.in_country(country)]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("country", ["US", "CA"])
def test_every_area_code_has_numbers_unless_it_is_sold_out(country):
    for area in area_codes.in_country(country):
        numbers = list(islice(shelf(country, "local", area.code), 40))
        gone = is_sold_out(country, area.code) or area.code in TOO_NEW
        assert bool(numbers) != gone, area
        for item in numbers:
            assert item.e164.startswith(f"+1{area.code}")
            assert phonenumbers.is_valid_number_for_region(phonenumbers.parse(item.e164), country)
            assert (item.locality, item.region) == (area.city, area.region)


def test_some_area_codes_are_sold_out_and_the_famous_ones_never():
    gone = [area.code for area in area_codes.in_country("US") if is_sold_out("US", area.code)]
    assert 10 < len(gone) < 100
    assert {"310", "907"} < set(gone)
    assert inventory.NEVER_SOLD_OUT & set(gone) == set()


@pytest.mark.parametrize(("country", "kind"), SHELVES)
def test_a_shelf_is_full_of_valid_numbers_of_its_type(country, kind):
    numbers = list(islice(shelf(country, kind), 1000))
    assert len(numbers) >= 100
    assert len({item.e164 for item in numbers}) == len(numbers)
    for item in numbers[:100]:
        parsed = phonenumbers.parse(item.e164)
        assert phonenumbers.is_valid_number_for_region(parsed, country), item
        assert phonenumbers.number_type(parsed) in inventory.KINDS[kind], item


@pytest.mark.parametrize(("country", "kind"), SHELVES)
def test_a_number_on_a_shelf_is_found_again(country, kind):
    item = next(shelf(country, kind))
    assert lookup(item.e164) == item


def test_partly_open_area_codes_sell_valid_numbers_only():
    for country, code in (("US", "983"), ("VI", "340"), ("PR", "939")):
        numbers = list(shelf(country, "local", code))
        assert len(numbers) == inventory.PER_AREA
        for item in numbers:
            assert phonenumbers.is_valid_number(phonenumbers.parse(item.e164)), item


@pytest.mark.parametrize("country", [country for country in STOCK if "local" in STOCK[country]])
def test_every_area_code_we_name_elsewhere_has_numbers(country):
    for area in area_codes.in_country(country):
        if dialling_code(country) != "1":
            first = next(shelf(country, "local", area.code), None)
            assert first is not None, area
            assert first.e164.startswith(f"+{dialling_code(country)}{area.code}")
            assert first.locality == area.city


def test_two_processes_sell_the_same_numbers():
    script = (
        "import json; from itertools import islice; from telephony.simulator import inventory as i;"
        "print(json.dumps([[n.e164, n.postal_code] for shelf in "
        "(('US', 'local'), ('US', 'toll_free'), ('GB', 'mobile'), ('IT', 'local')) "
        "for n in islice(i.shelf(*shelf), 50)]))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True, text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert len(json.loads(runs[0])) == 200
