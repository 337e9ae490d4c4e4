"""pricing.twilio.com, version 1: what numbers cost per month."""

from decimal import Decimal

from lib.e164 import country_name
from telephony.simulator.countries import STOCK
from telephony.simulator.wire import Answer, Request, not_found

BASE = "https://pricing.twilio.com/v1/PhoneNumbers/Countries"


def countries(request: Request) -> Answer:
    size, page = request.page_size(50), request.whole_number("Page", 0)
    shown = sorted(STOCK)[page * size : (page + 1) * size]

    def url(number: int) -> str:
        return f"{BASE}?PageSize={size}&Page={number}"

    return Answer(
        200,
        {
            "countries": [
                {"country": country_name(code), "iso_country": code, "url": f"{BASE}/{code}"}
                for code in shown
            ],
            "meta": {
                "first_page_url": url(0), "key": "countries",
                "next_page_url": url(page + 1) if (page + 1) * size < len(STOCK) else None,
                "page": page, "page_size": size,
                "previous_page_url": url(page - 1) if page else None, "url": url(page),
            },
        },
    )  # fmt: skip


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
