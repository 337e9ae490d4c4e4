"""The numbers that the simulated provider could sell: made up, the same in every run, and
valid to ``phonenumbers``. What is owned or was released is taken out by ``state.py``.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any
from zlib import crc32

import phonenumbers
from phonenumbers import PhoneNumberType

from lib import area_codes
from lib.e164 import dialling_code, is_e164
from telephony.simulator.countries import STOCK, Stock

PER_AREA = 300
PER_COUNTRY = 400
# Like the real thing: some area codes have nothing left. These never run out here, so that
# whoever tries the product with a famous one finds something.
NEVER_SOLD_OUT = {"212", "206", "305", "312", "415", "416", "512", "604", "617"}
ALWAYS_SOLD_OUT = {"310", "907"}
FIXED = {PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
KINDS = {
    "local": FIXED,
    "mobile": {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE},
    "toll_free": {PhoneNumberType.TOLL_FREE},
    "national": {PhoneNumberType.UAN, PhoneNumberType.VOIP, *FIXED},
}
EXAMPLES = {
    "mobile": [PhoneNumberType.MOBILE],
    "toll_free": [PhoneNumberType.TOLL_FREE],
    "national": [PhoneNumberType.UAN, PhoneNumberType.VOIP, PhoneNumberType.FIXED_LINE],
    "local": [PhoneNumberType.FIXED_LINE],
}


@dataclass(frozen=True, slots=True)
class Item:
    """A number on the shelf, with the place it stands for."""

    e164: str
    stock: Stock
    locality: str
    region: str
    postal_code: str
    latitude: str
    longitude: str


def shelf(country: str, kind: str, area_code: str = "") -> Iterator[Item]:
    """Everything of a type, or of one area code of it, in an order that never changes."""
    stock = STOCK[country][kind]
    if dialling_code(country) == "1" and kind == "toll_free":
        prefixes = [area_code] if area_code else list(area_codes.NANP_TOLL_FREE)
        prefixes = [prefix for prefix in prefixes if prefix in area_codes.NANP_TOLL_FREE]
        shelves = [_plan_shelf(stock, prefix) for prefix in prefixes]
    elif kind == "local" and area_codes.in_country(country):
        codes = [area.code for area in area_codes.in_country(country)]
        codes = [code for code in codes if not area_code or code == area_code]
        in_plan = dialling_code(country) == "1"
        shelves = [
            _plan_shelf(stock, code) if in_plan else _free_shelf(stock, code) for code in codes
        ]
    else:
        shelves = [_free_shelf(stock, "")]
    # One of each area in turn: a search of the whole country shows many places.
    for round_ in zip_longest(*shelves):
        yield from (item for item in round_ if item is not None)


def lookup(e164: str) -> Item | None:
    """The item of this number, if it is on any shelf."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None
    national = str(parsed.national_number)
    for country in phonenumbers.region_codes_for_country_code(parsed.country_code or 0):
        for kind in STOCK.get(country, {}):
            code = national[:3] if parsed.country_code == 1 else ""
            for item in shelf(country, kind, code):
                if item.e164 == e164:
                    return item
    return None


def is_sold_out(country: str, code: str) -> bool:
    if code in NEVER_SOLD_OUT:
        return False
    return code in ALWAYS_SOLD_OUT or random.Random(f"sold out {country} {code}").random() < 0.1


@cache
def _plan_shelf(stock: Stock, code: str) -> tuple[Item, ...]:
    """Numbers of the North American plan: code, exchange, line. Some codes are open in part
    only, and a few not yet; ``phonenumbers`` knows which.
    """
    if stock.kind != "toll_free" and is_sold_out(stock.country, code):
        return ()
    rng = random.Random(f"{stock.country} {stock.kind} {code}")
    is_valid = _plan_pattern(stock).fullmatch
    numbers: dict[str, None] = {}
    for attempt in range(PER_AREA * 60):
        exchange = rng.randrange(200, 1000)
        if exchange % 100 == 11 or exchange == 555:
            continue
        number = f"{code}{exchange}{rng.randrange(10000):04d}"
        if is_valid(number):
            numbers[f"+1{number}"] = None
        if len(numbers) == PER_AREA or (attempt > PER_AREA and not numbers):
            break
    return _items(stock, numbers, code)


@cache
def _plan_pattern(stock: Stock) -> re.Pattern[str]:
    known: Any = phonenumbers.PhoneMetadata.metadata_for_region(stock.country)
    described = known.toll_free if stock.kind == "toll_free" else known.fixed_line
    return re.compile(described.national_number_pattern)


@cache
def _free_shelf(stock: Stock, code: str) -> tuple[Item, ...]:
    """Numbers elsewhere: an example of the type with other digits at its end, where valid."""
    rng = random.Random(f"{stock.country} {stock.kind} {code}")
    example = _example(stock)
    if example is None:
        return ()
    prefix = code or example[:-6]
    numbers: dict[str, None] = {}
    for attempt in range(PER_COUNTRY * 8):
        length = len(example) - len(prefix) + (0, -1, 1)[attempt % 3 if code else 0]
        digits = "".join(str(rng.randrange(10)) for _ in range(max(length, 4)))
        if code and digits[0] in "01":  # nobody's number after an area code, valid or not
            continue
        e164 = f"+{dialling_code(stock.country)}{prefix}{digits}"
        if _is_valid(e164, stock):
            numbers[e164] = None
        if len(numbers) == PER_COUNTRY:
            break
    return _items(stock, numbers, code)


def _example(stock: Stock) -> str | None:
    for kind in EXAMPLES[stock.kind]:
        number = phonenumbers.example_number_for_type(stock.country, kind)
        if number is not None:
            return phonenumbers.national_significant_number(number)  # zeros and all: +39 06 …
    return None


def _is_valid(e164: str, stock: Stock) -> bool:
    number = phonenumbers.parse(e164)
    return (
        phonenumbers.is_valid_number_for_region(number, stock.country)
        and phonenumbers.number_type(number) in KINDS[stock.kind]
    )


def _items(stock: Stock, numbers: Iterable[str], code: str) -> tuple[Item, ...]:
    """The provider tells region, postal code and coordinates in the North American plan
    only, and the place of local numbers only.
    """
    area = area_codes.find(stock.country, code) if stock.kind == "local" else None
    if area is None:
        return tuple(Item(e164, stock, "", "", "", "", "") for e164 in numbers)
    if dialling_code(stock.country) != "1":
        return tuple(Item(e164, stock, area.city, "", "", "", "") for e164 in numbers)
    latitude, longitude = f"{area.latitude:.6f}", f"{area.longitude:.6f}"
    return tuple(
        Item(e164, stock, area.city, area.region, _postal_code(e164, stock), latitude, longitude)
        for e164 in numbers
    )


def _postal_code(e164: str, stock: Stock) -> str:
    return f"{10000 + crc32(e164.encode()) % 90000}" if stock.country == "US" else ""


def is_possible(e164: str) -> bool:
    """Long and short enough for a number of its country, sold here or not."""
    if not is_e164(e164):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return False


def friendly_name(e164: str) -> str:
    """``(510) 564-7903`` in the North American plan, the number itself elsewhere."""
    if re.fullmatch(r"\+1\d{10}", e164):
        return f"({e164[2:5]}) {e164[5:8]}-{e164[8:]}"
    return e164


def pattern_to_regex(contains: str) -> re.Pattern[str]:
    """``Contains`` as a regular expression over ``+<digits>``."""
    keys = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
    text = contains.upper().translate(keys)
    start = r"^\+" if text.startswith("+") else ""
    end = "$" if text.endswith("$") else ""
    body = text.removeprefix("+").removesuffix("$")
    parts = {"*": r"\d", "%": r"\d*"}
    return re.compile(start + "".join(parts.get(sign, re.escape(sign)) for sign in body) + end)
