"""pricing.twilio.com, version 1: what minutes and segments cost; and what a bill comes to.

Made up where Twilio's list was not at hand, and of its order of size. Each line: country,
dialling prefixes with dollars a minute (the first is the country's own), a minute coming in
by type of number, a segment out, a segment in by type of number.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lib.e164 import country_name, dialling_code
from telephony.simulator.countries import STOCK
from telephony.simulator.wire import Answer, Request, not_found

SPEC = """
US 1:0.0140,1907:0.0900,1808:0.0250,1900:1.9900 local:0.0085,toll_free:0.0220 0.0083 local:0.0083,toll_free:0.0083
CA 1204:0.0140,1226:0.0140,1416:0.0140,1604:0.0140,1867:0.2200 local:0.0085,toll_free:0.0220 0.0083 local:0.0083,toll_free:0.0083
GB 44:0.0158,447:0.0305,449:1.5000,4470:0.4500 local:0.0100,mobile:0.0100,toll_free:0.0700 0.0560 local:0.0075,mobile:0.0075
DE 49:0.0180,4915:0.0550,4916:0.0550,4917:0.0550,49900:2.1000 local:0.0100,mobile:0.0100 0.1120 mobile:0.0075
FR 33:0.0190,336:0.0620,337:0.0620,338:0.3500 local:0.0100 0.0798 local:0.0075
ES 34:0.0170,346:0.0550,34803:1.6000 local:0.0100 0.0875 local:0.0075
IT 39:0.0210,393:0.0650 local:0.0100,mobile:0.0100 0.0927 mobile:0.0075
AU 61:0.0252,614:0.0750,61190:1.9000 local:0.0100,mobile:0.0100,toll_free:0.0900 0.0515 mobile:0.0075
IN 91:0.0496,9111:0.0699  0.0832
JP 81:0.0746,8170:0.1850,8180:0.1850,8190:0.1850 national:0.0100,toll_free:0.1800 0.0890
CU 53:0.9500  0.0900
SO 252:0.8400  0.0950
"""  # noqa: E501
# A picture message out, and in by type of number; the first is for the types not named.
PICTURES = """
US 0.0220 local:0.0165,toll_free:0.0200
CA 0.0220 local:0.0165,toll_free:0.0200
AU 0.4500 mobile:0.0200
"""
SHORT_CODE = Decimal("1.5")  # times what the other types of number cost
ELSEWHERE = (Decimal("0.0600"), Decimal("0.0100"), Decimal("0.0700"), Decimal("0.0075"))


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a country costs: by prefix out, by type of number in."""

    calls_out: dict[str, Decimal]
    calls_in: dict[str, Decimal]
    text_out: Decimal
    texts_in: dict[str, Decimal]


def tariff(country: str) -> Tariff | None:
    """The prices of a country, from the list or as elsewhere; None for no country at all."""
    if country in _LISTED:
        return _LISTED[country]
    prefix = dialling_code(country)
    if not prefix:
        return None
    call_out, call_in, text_out, text_in = ELSEWHERE
    able = STOCK.get(country, {})
    return Tariff(
        {prefix: call_out},
        {kind: call_in for kind, stock in able.items() if "voice" in stock.capabilities},
        text_out,
        {kind: text_in for kind, stock in able.items() if "sms" in stock.capabilities},
    )


def _read() -> dict[str, Tariff]:
    table = {}
    for line in SPEC.strip().splitlines():
        country, calls_out, calls_in, text_out, texts_in = (line + " ").split(" ")[:5]
        table[country] = Tariff(
            _prices(calls_out), _prices(calls_in), Decimal(text_out), _prices(texts_in)
        )
    return table


def _prices(text: str) -> dict[str, Decimal]:
    pairs = (entry.split(":") for entry in text.split(",") if entry)
    return {name: Decimal(price) for name, price in pairs}


_LISTED = _read()
_PICTURES = {
    country: (Decimal(out), _prices(into))
    for country, out, into in map(str.split, PICTURES.strip().splitlines())
}


def picture(country: str, kind: str, *, is_incoming: bool) -> Decimal | None:
    """What a picture message costs; None in a country that has none."""
    if country not in _PICTURES:
        return None
    out, into = _PICTURES[country]
    return into.get(kind, next(iter(into.values()))) if is_incoming else out


def minute_to(e164: str, country: str) -> Decimal:
    found = tariff(country)
    digits = e164.removeprefix("+")
    fitting = [p for p in (found.calls_out if found else {}) if digits.startswith(p)]
    return found.calls_out[max(fitting, key=len)] if found and fitting else Decimal(0)


def voice(request: Request, code: str, factor: Decimal) -> Answer:
    found = tariff(code)
    if found is None:
        raise not_found(request.path)
    name = country_name(code)
    return Answer(
        200,
        {
            "country": name,
            "iso_country": code,
            "url": f"https://pricing.twilio.com/v1/Voice/Countries/{code}",
            "outbound_prefix_prices": [
                {"prefixes": [prefix], **_price(price * factor),
                 "friendly_name": f"Programmable Outbound Minute - {name} - {prefix}"}
                for prefix, price in found.calls_out.items()
            ],
            "inbound_call_prices": _by_type(found.calls_in, factor),
            "price_unit": "USD",
        },
    )  # fmt: skip


def messaging(request: Request, code: str, factor: Decimal) -> Answer:
    found = tariff(code)
    if found is None:
        raise not_found(request.path)
    outgoing = [
        {"carrier": carrier, "mcc": "310", "mnc": f"{place:03d}",
         "prices": [
             {"number_type": kind, **_price(found.text_out * factor * cheaper * dearer)}
             for kind, dearer in (("mobile", 1), ("local", 1), ("toll free", 1),
                                  ("shortcode", SHORT_CODE))
         ]}
        for place, (carrier, cheaper) in enumerate(
            [("One", Decimal(1)), ("Two", Decimal(1)), ("Three", Decimal("0.9"))]
        )
    ]  # fmt: skip
    return Answer(
        200,
        {
            "country": country_name(code),
            "iso_country": code,
            "url": f"https://pricing.twilio.com/v1/Messaging/Countries/{code}",
            "outbound_sms_prices": outgoing,
            "inbound_sms_prices": _by_type(found.texts_in, factor),
            "price_unit": "USD",
        },
    )


def _by_type(prices: dict[str, Decimal], factor: Decimal) -> list[dict[str, Any]]:
    """Toll-free is written with a space."""
    return [
        {"number_type": kind.replace("_", " "), **_price(price * factor)}
        for kind, price in prices.items()
    ]


def _price(price: Decimal) -> dict[str, str]:
    return {"base_price": f"{price:.4f}", "current_price": f"{price:.4f}"}
