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
    page_size = int(request.get("PageSize") or DEFAULT_PAGE_SIZE)
    gone = state.unavailable()
    keep = _filters(request)
    area_code = request.get("AreaCode")
    fitting = (
        item
        for item in shelf(code, KINDS[kind], area_code)
        if item.e164 not in gone and all(fits(item) for fits in keep)
    )
    uri = request.path + (f"?{request.query_string}" if request.query_string else "")
    numbers = [_number(item) for item in islice(fitting, page_size)]
    return Answer(200, {"available_phone_numbers": numbers, "uri": uri})


def _filters(request: Request) -> list[Keep]:
    return [*_property_filters(request), *_place_filters(request)]


def _property_filters(request: Request) -> Iterator[Keep]:
    contains = request.get("Contains")
    if contains:
        if len(contains) < 2 or not re.fullmatch(r"\+?[0-9A-Za-z*%]+\$?", contains):
            raise Refused(400, 21421, f"{contains} is not a valid pattern")
        pattern = pattern_to_regex(contains)
        yield lambda item: bool(pattern.search(item.e164))
    for name, capability in CAPABILITY_FILTERS.items():
        if request.get(name) == "true":
            yield lambda item, c=capability: c in item.stock.capabilities  # type: ignore[misc]
    for name, excluded in ADDRESS_FILTERS.items():
        if request.get(name) == "true":
            yield lambda item, e=excluded: item.stock.address not in e  # type: ignore[misc]


def _place_filters(request: Request) -> Iterator[Keep]:
    for name, attribute in (
        ("InRegion", "region"), ("InLocality", "locality"), ("InPostalCode", "postal_code")
    ):  # fmt: skip
        if wanted := request.get(name):
            yield lambda item, a=attribute, w=wanted: (  # type: ignore[misc]
                getattr(item, a).lower() == w.lower()
            )
    if near := request.get("NearLatLong"):
        latitude, longitude = (float(part) for part in near.split(","))
        miles = float(request.get("Distance") or 25)
        yield (
            lambda item: (
                bool(item.latitude)
                and _miles(latitude, longitude, float(item.latitude), float(item.longitude))
                <= miles
            )
        )
    if near_number := request.get("NearNumber"):
        digits = re.sub(r"\D", "", near_number)[-10:-7]
        yield lambda item: digits in item.e164[2:5]


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
        "rate_center": item.locality.upper()[:10] or None,
        "latitude": item.latitude or None,
        "longitude": item.longitude or None,
        "region": item.region or None,
        "postal_code": item.postal_code or None,
        "iso_country": stock.country,
        "address_requirements": stock.address,
        "beta": False,
        "capabilities": {wire: name in stock.capabilities for name, wire in WIRE_NAMES.items()},
    }
