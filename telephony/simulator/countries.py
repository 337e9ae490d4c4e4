"""What the simulated provider sells: types, prices, capabilities, requirements.

Made up, and plausible: which types exist and what they can do follows Twilio's public price
list; prices are of its order of size. Each line: type, US dollars a month, what it can do
(v voice, s SMS, m MMS, f fax), whose address is asked for, whether documents are.
"""

from dataclasses import dataclass
from decimal import Decimal

SPEC = """
US local 1.15 vsmf none -, toll_free 2.15 vsm none -
CA local 1.15 vsmf none -, toll_free 2.15 vsm none -
PR local 3.25 vs none -
VI local 1.15 vs none -
GB local 3.50 vs none -, mobile 2.50 vs any -, toll_free 2.15 v any -
IE local 1.60 v local -, mobile 6.50 vs any -
DE local 1.15 v local bundle, mobile 30.00 vs local bundle
FR local 1.15 v local bundle
ES local 1.15 v any bundle
IT local 1.15 v any bundle, mobile 45.00 vs any bundle
AT local 1.00 v local -, mobile 6.00 s none -, toll_free 25.00 v any -
CH local 1.15 v local -, mobile 9.00 s none -
BE toll_free 25.00 v any -
NL mobile 6.00 vs local bundle
SE mobile 3.00 s none -
DK mobile 15.00 vs any -, toll_free 25.00 v any -
FI mobile 5.00 vs none -, toll_free 40.00 v any -
PL mobile 4.00 vs local bundle, toll_free 20.00 v any -
CZ local 1.50 v local bundle, mobile 12.00 s none -, toll_free 35.00 v any -, national 1.50 v none -
PT local 1.00 v local bundle, mobile 15.00 s none -
GR local 1.00 v local bundle
RO local 3.00 v local -, toll_free 25.00 v any -, national 3.00 v any -
BG local 3.00 v any -, toll_free 110.00 v any -
HU local 4.00 v local -, mobile 35.00 s none -
HR local 5.00 v local -, toll_free 19.00 v any -
EE local 1.00 v none -, mobile 3.00 s none -
AU local 3.00 v any bundle, mobile 8.25 vsm any bundle, toll_free 16.00 v any bundle
NZ local 3.15 v local -, toll_free 40.00 v none -
JP national 4.50 v any bundle, toll_free 25.00 v any bundle
HK mobile 15.00 s none -, toll_free 25.00 v none -
PH local 15.00 v any -, mobile 120.00 s none -
TH local 25.00 v any bundle, toll_free 25.00 v any -
ID local 23.00 v any -, toll_free 25.00 v none -
IL local 4.25 v none -, mobile 15.00 vs none -, toll_free 15.00 v any -
ZA local 1.50 v local -, mobile 4.00 vs any -
KE local 16.00 v any -
BR local 4.25 v local -, national 10.00 v local -, toll_free 35.00 v any -
MX local 6.25 vs none -, toll_free 30.00 v none -
AR local 8.00 v any -, toll_free 25.00 v any -
CL local 7.00 v none -, mobile 10.00 s none -
CO local 14.00 v any -, toll_free 25.00 v any -
PA local 8.00 v none -
SV local 9.00 v none -
"""

LETTERS = {"v": "voice", "s": "sms", "m": "mms", "f": "fax"}


@dataclass(frozen=True, slots=True)
class Stock:
    """One type of number in one country."""

    country: str
    kind: str
    price: Decimal
    capabilities: frozenset[str]
    address: str
    needs_bundle: bool


def _read() -> dict[str, dict[str, Stock]]:
    table: dict[str, dict[str, Stock]] = {}
    for line in SPEC.strip().splitlines():
        country, rest = line.split(" ", 1)
        for entry in rest.split(", "):
            kind, price, letters, address, bundle = entry.split()
            table.setdefault(country, {})[kind] = Stock(
                country, kind, Decimal(price), frozenset(LETTERS[letter] for letter in letters),
                address, bundle == "bundle",
            )  # fmt: skip
    return table


STOCK = _read()
