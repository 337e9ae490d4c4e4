"""pricing.twilio.com, version 1: what numbers cost per month."""

from decimal import Decimal

from lib.e164 import country_name
from telephony.simulator.countries import STOCK
from telephony.simulator.lists import meta_page_of
from telephony.simulator.wire import Answer, Request, not_found

BASE = "https://pricing.twilio.com/v1/PhoneNumbers/Countries"


def countries(request: Request) -> Answer:
    def show(code: str) -> dict[str, str]:
        return {"country": country_name(code), "iso_country": code, "url": f"{BASE}/{code}"}

    return meta_page_of(request, "countries", sorted(STOCK), show, BASE, {})


def country(request: Request, code: str, factor: Decimal) -> Answer:
    """Prices are strings, and toll-free is written with a space."""
    if code not in STOCK:
        raise not_found(request.path)
    prices = {kind: f"{stock.price * factor:.2f}" for kind, stock in STOCK[code].items()}
    return Answer(
        200,
        {
            "country": country_name(code),
            "iso_country": code,
            "phone_number_prices": [
                {"number_type": kind.replace("_", " "), "base_price": price, "current_price": price}
                for kind, price in prices.items()
            ],
            "price_unit": "USD",
            "url": f"{BASE}/{code}",
        },
    )
