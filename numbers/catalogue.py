"""The countries the provider sells numbers in, and from what price."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from lib import e164 as formats
from numbers.models import CountryOffer
from numbers.pricing import Price, PriceList, are_fresh, price_of, prices_in, refresh_prices
from numbers.refusals import refusal_for
from telephony import provider
from telephony.errors import ProviderError
from telephony.values import NumberType

log = logging.getLogger(__name__)

NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SoldCountry:
    """A country in the wizard: ``from_price`` is its cheapest type, where prices are known."""

    code: str
    name: str
    dialling_code: str
    number_types: tuple[NumberType, ...]
    from_price: Price | None
    known_prices: dict[NumberType, Price]
    are_fresh: bool

    def prices(self) -> dict[NumberType, Price]:
        """Those that were read with the country, unless they are old. Raises ``ProviderError``
        like ``prices_in``.
        """
        return self.known_prices if self.are_fresh else prices_in(self.code)

    def price_of(self, number_type: NumberType) -> Price:
        """Raises a ``Refusal`` like ``pricing.price_of``, which is asked where this is old."""
        price = self.known_prices.get(number_type) if self.are_fresh else None
        return price or price_of(self.code, number_type)

    def __str__(self) -> str:
        from_price = f", from {self.from_price} a month" if self.from_price else ""
        return f"{self.name} (+{self.dialling_code}){from_price}"


def sold_countries() -> list[SoldCountry]:
    """Every country with something to buy, by name. Two queries; asks the provider only
    when nothing is known yet. Raises a ``Refusal`` then, if it does not answer.
    """
    offers = list(CountryOffer.objects.all())
    if not offers:
        try:
            refresh_countries()
        except ProviderError as error:
            raise refusal_for(error) from error
        offers = list(CountryOffer.objects.all())
    price_list = PriceList()
    by_country: dict[str, list[CountryOffer]] = {}
    for offer in offers:
        by_country.setdefault(offer.country, []).append(offer)
    countries = [_sold(code, offers, price_list) for code, offers in by_country.items()]
    return sorted(countries, key=lambda country: country.name)


def _sold(code: str, offers: list[CountryOffer], price_list: PriceList) -> SoldCountry:
    types = {offer.number_type for offer in offers}
    prices = price_list.prices(offers)
    return SoldCountry(
        code=code,
        name=formats.country_name(code),
        dialling_code=formats.dialling_code(code),
        number_types=tuple(kind for kind in NumberType if kind in types),
        from_price=min(prices.values(), key=lambda price: price.amount, default=None),
        known_prices=prices,
        are_fresh=are_fresh(offers),
    )


def refresh_countries() -> list[str]:
    """Ask which types are sold where; keep known prices. Returns the country codes."""
    countries = provider.countries()
    CountryOffer.objects.bulk_create(
        [
            CountryOffer(country=country.code, number_type=kind, refreshed_at=NEVER)
            for country in countries
            for kind in country.number_types
        ],
        ignore_conflicts=True,
    )
    for country in countries:
        CountryOffer.objects.filter(country=country.code).exclude(
            number_type__in=country.number_types
        ).delete()
    codes = [country.code for country in countries]
    CountryOffer.objects.exclude(country__in=codes).delete()
    return codes


def refresh_everything() -> None:
    """Countries, types and prices. A country that fails keeps what was known of it."""
    for code in refresh_countries():
        try:
            refresh_prices(code)
        except ProviderError as error:
            log.warning("prices of %s could not be refreshed: %s", code, error)
