"""AvailablePhoneNumbers: what is on the shelf and fits the filters."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from math import asin, cos, radians, sin, sqrt
from typing import Any

from lib.e164 import country_name
from telephony.simulator.countries import STOCK
from telephony.simulator.inventory import Item, friendly_name, pattern_to_regex, shelf
from telephony.simulator.state import State
from telephony.simulator.wire import Answer, Refused, Request, not_found

KINDS = {
    "Local": "local",
    "TollFree": "toll_free",
    "Mobile": "mobile",
    "National": "national",
}
DEFAULT_PAGE_SIZE = 30
LONGEST_PATTERN = 16
WITH_PLACES = {"US", "CA"}
CAPABILITY_FILTERS = {
    "SmsEnabled": "sms", "MmsEnabled": "mms", "VoiceEnabled": "voice", "FaxEnabled": "fax",
}  # fmt: skip
ADDRESS_FILTERS = {
    "ExcludeAllAddressRequired": {"any", "local", "foreign"},
    "ExcludeLocalAddressRequired": {"local"},
    "ExcludeForeignAddressRequired": {"foreign"},
}
# The wire says SMS and MMS here in capitals, and in small letters on owned numbers.
WIRE_NAMES = {"voice": "voice", "sms": "SMS", "mms": "MMS", "fax": "fax"}
Keep = Callable[[Item], bool]


def countries(request: Request, account: str) -> Answer:
    base = f"/2010-04-01/Accounts/{account}/AvailablePhoneNumbers"
    return Answer(
        200,
        {
            "countries": [_country(code, base) for code in sorted(STOCK)],
            "uri": f"{base}.json",
        },
    )


def country(request: Request, account: str, code: str) -> Answer:
    if code not in STOCK:
        raise not_found(request.path)
    return Answer(200, _country(code, f"/2010-04-01/Accounts/{account}/AvailablePhoneNumbers"))


def _country(code: str, base: str) -> dict[str, Any]:
    paths = {kind: name for name, kind in KINDS.items()}
    return {
        "country_code": code,
        "country": country_name(code),
        "uri": f"{base}/{code}.json",
        "beta": False,
        "subresource_uris": {kind: f"{base}/{code}/{paths[kind]}.json" for kind in STOCK[code]},
    }


def search(request: Request, account: str, code: str, kind: str, state: State) -> Answer:
    """A sample of what fits; no paging keys, whatever the schema says."""
    if KINDS.get(kind) not in STOCK.get(code, {}):
        raise not_found(request.path)
    size = request.page_size(DEFAULT_PAGE_SIZE)
    keep = _filters(request, code)
    area_code = request.get("AreaCode") if code in WITH_PLACES else ""
    fitting = (
        item
        for item in shelf(code, KINDS[kind], area_code)
        if all(fits(item) for fits in keep) and state.is_free(item.e164)
    )
    numbers = [_number(item) for item in islice(fitting, size)]
    return Answer(200, {"available_phone_numbers": numbers, "uri": request.uri})


def _filters(request: Request, code: str) -> list[Keep]:
    """Area codes and places count in the United States and Canada, and are ignored
    elsewhere; a locality counts everywhere.
    """
    filters = [*_property_filters(request), *_equal(request, {"InLocality": "locality"})]
    if code in WITH_PLACES:
        filters += _equal(request, {"InRegion": "region", "InPostalCode": "postal_code"})
        filters += _distance_filters(request)
    return filters


def _property_filters(request: Request) -> Iterator[Keep]:
    contains = request.get("Contains")
    if contains:
        if not is_pattern(contains):
            raise Refused(400, 21421, f"{contains} is not a valid pattern")
        pattern = pattern_to_regex(contains)
        yield lambda item: bool(pattern.search(item.e164))
    for name, capability in CAPABILITY_FILTERS.items():
        if request.get(name) == "true":
            yield lambda item, c=capability: c in item.stock.capabilities  # type: ignore[misc]
    for name, excluded in ADDRESS_FILTERS.items():
        if request.get(name) == "true":
            yield lambda item, e=excluded: item.stock.address not in e  # type: ignore[misc]


def is_pattern(contains: str) -> bool:
    """2 to 16 signs, of which two are digits or letters; ``+`` only begins, ``$`` only ends
    it. The documentation keeps ``*`` and ``%`` out of the middle; recorded requests do not,
    so both are understood here, and our own requests keep to the stricter rule.
    """
    return (
        2 <= len(contains) <= LONGEST_PATTERN
        and bool(re.fullmatch(r"\+?[0-9A-Za-z*%]+\$?", contains, re.ASCII))
        and sum(sign.isalnum() for sign in contains) >= 2
    )


def _equal(request: Request, attributes: dict[str, str]) -> Iterator[Keep]:
    for name, attribute in attributes.items():
        if wanted := request.get(name):
            yield lambda item, a=attribute, w=wanted: (  # type: ignore[misc]
                getattr(item, a).lower() == w.lower()
            )


def _distance_filters(request: Request) -> Iterator[Keep]:
    if near := request.get("NearLatLong"):
        if not re.fullmatch(r"-?\d+(\.\d+)?,-?\d+(\.\d+)?", near, re.ASCII):
            raise Refused(400, 20001, "NearLatLong must be a latitude and a longitude")
        latitude, longitude = (float(part) for part in near.split(","))
        miles = request.whole_number("Distance", 25)
        yield (
            lambda item: (
                bool(item.latitude)
                and _miles(latitude, longitude, float(item.latitude), float(item.longitude))
                <= miles
            )
        )
    if near_number := request.get("NearNumber"):
        digits = re.sub(r"\D", "", near_number)[-10:-7]
        yield lambda item: item.e164[2:5] == digits


def _miles(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    a, b, c, d = map(radians, (lat1, lon1, lat2, lon2))
    h = sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2
    return 2 * 3959 * asin(sqrt(h))


def _number(item: Item) -> dict[str, Any]:
    stock = item.stock
    return {
        "friendly_name": friendly_name(item.e164),
        "phone_number": item.e164,
        "lata": None,
        "locality": item.locality or None,
        "rate_center": item.locality.upper()[:10] if item.region else None,
        "latitude": item.latitude or None,
        "longitude": item.longitude or None,
        "region": item.region or None,
        "postal_code": item.postal_code or None,
        "iso_country": stock.country,
        "address_requirements": stock.address,
        "beta": False,
        "capabilities": {wire: name in stock.capabilities for name, wire in WIRE_NAMES.items()},
    }
