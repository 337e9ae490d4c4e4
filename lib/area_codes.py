"""Area codes and the places they stand for.

``area_codes.csv`` is ours: every geographic code of the North American plan, and the main
ones of the other countries in which numbers are sold, as they follow the country code.
``overlay`` names the group of codes that serve one area; empty means that a code is alone.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

from lib.e164 import country_in_text, dialling_code, national_number

NANP_TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")


@dataclass(frozen=True, slots=True)
class AreaCode:
    """``city`` is the principal one; coordinates are its own, in degrees."""

    country: str
    code: str
    region: str
    city: str
    latitude: float
    longitude: float
    overlay: str


@lru_cache(maxsize=1)
def _by_country() -> dict[str, dict[str, AreaCode]]:
    table: dict[str, dict[str, AreaCode]] = {}
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            area_code = AreaCode(
                row["country"], row["code"], row["region"], row["city"],
                float(row["latitude"]), float(row["longitude"]), row["overlay"],
            )  # fmt: skip
            table.setdefault(area_code.country, {})[area_code.code] = area_code
    return table


def find(country: str, code: str) -> AreaCode | None:
    return _by_country().get(country, {}).get(code)


def in_country(country: str) -> tuple[AreaCode, ...]:
    """All of a country, by code; empty where we know none."""
    return tuple(_by_country().get(country, {}).values())


def code_of(e164: str, country: str) -> str:
    """The area code, or toll-free prefix, that a number begins with; empty if we know none."""
    number = national_number(e164, country)
    if dialling_code(country) == "1":
        return number[:3]
    codes = _by_country().get(country, {})
    lengths = sorted({len(code) for code in codes}, reverse=True)
    return next((number[:length] for length in lengths if number[:length] in codes), "")


def overlays_of(here: AreaCode) -> tuple[AreaCode, ...]:
    """The other codes of the same area."""
    if not here.overlay:
        return ()
    return tuple(
        other
        for other in in_country(here.country)
        if other.overlay == here.overlay and other != here
    )


def nearest(here: AreaCode, count: int) -> tuple[AreaCode, ...]:
    """The nearest codes of other areas in the same country, nearest first, one an area."""
    nearer = sorted(
        (other for other in in_country(here.country) if not _same_area(here, other)),
        key=lambda other: (_kilometres(here, other), other.code),
    )
    areas: dict[str, AreaCode] = {}
    for other in nearer:
        areas.setdefault(other.overlay or other.code, other)
        if len(areas) == count:
            break
    return tuple(areas.values())


def elsewhere(country: str, code: str) -> AreaCode | None:
    """The place of the code in another country that shares this one's dialling code."""
    for other, codes in _by_country().items():
        if other != country and dialling_code(other) == dialling_code(country) and code in codes:
            return codes[code]
    return None


def explain_invalid(country: str, code: str) -> str:
    """What is wrong with an area code of the North American plan, in a sentence that helps."""
    here = country_in_text(country)
    if not code.isdigit() or len(code) != 3:
        return f"Area codes in {here} have three digits, for example {_example(country)}."
    if code in NANP_TOLL_FREE:
        return f"{code} is a toll-free prefix. Choose Toll-free as the type, or leave this empty."
    if other := elsewhere(country, code):
        return f"{code} is {other.city}, in {country_in_text(other.country)}."
    return f"{code} is not an area code in {here}. Check it, or leave this empty."


def _example(country: str) -> str:
    return "212" if country == "US" else next((area.code for area in in_country(country)), "416")


def _same_area(one: AreaCode, other: AreaCode) -> bool:
    return one == other or bool(one.overlay and one.overlay == other.overlay)


def _kilometres(one: AreaCode, other: AreaCode) -> float:
    """The great-circle distance."""
    lat1, lon1, lat2, lon2 = map(
        radians, (one.latitude, one.longitude, other.latitude, other.longitude)
    )
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371 * asin(sqrt(h))
