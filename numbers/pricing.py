"""What a number costs a workspace: the provider's price times a markup."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from lib import money
from numbers.models import CountryOffer, PriceRule
from numbers.refusals import PriceUnknown, refusal_for
from telephony import provider
from telephony.errors import ProviderError
from telephony.values import NumberType

log = logging.getLogger(__name__)

FRESH_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Price:
    """Per month: ``amount`` is what the workspace pays, ``provider_amount`` what we pay."""

    amount: Decimal
    provider_amount: Decimal
    currency: str

    def __str__(self) -> str:
        return money.show(self.amount, self.currency)


class PriceList:
    """Our prices from what the provider asks; reads the rules once, with one query."""

    def __init__(self) -> None:
        self._rules = {(rule.country, rule.number_type): rule for rule in PriceRule.objects.all()}
        self._markup = Decimal(settings.NUMBER_PRICE_MARKUP)

    def price(self, offer: CountryOffer) -> Price | None:
        """None where the provider has told no price: such a number cannot be sold."""
        if offer.provider_price is None:
            return None
        rule = next(filter(None, map(self._rules.get, self._most_specific_first(offer))), None)
        asked = offer.provider_price
        amount = rule.apply_to(asked) if rule else asked * self._markup
        return Price(money.up_to_cent(amount), asked, offer.currency)

    def prices(self, offers: Iterable[CountryOffer]) -> dict[NumberType, Price]:
        """Of those offers that can be sold."""
        return {
            NumberType(offer.number_type): price
            for offer in offers
            if (price := self.price(offer)) is not None
        }

    @staticmethod
    def _most_specific_first(offer: CountryOffer) -> list[tuple[str, str]]:
        country, number_type = offer.country, offer.number_type
        return [(country, number_type), (country, ""), ("", number_type), ("", "")]


def prices_in(country: str) -> dict[NumberType, Price]:
    """Price per month of each type in the country, from rows at most a day old.

    Older rows are asked for again; if the provider does not answer, the last known price
    stays in force. Raises ``ProviderError`` when nothing is known at all.
    """
    offers = list(CountryOffer.objects.filter(country=country))
    if not are_fresh(offers):
        try:
            refresh_prices(country)
        except ProviderError:
            if not any(offer.provider_price for offer in offers):
                raise
            log.warning("prices of %s could not be refreshed; the last known ones stay", country)
        offers = list(CountryOffer.objects.filter(country=country))
    return PriceList().prices(offers)


def are_fresh(offers: list[CountryOffer]) -> bool:
    """Whether the provider was asked for a country's prices within a day. A price that it did
    not tell then is none, and not asked for again with every page.
    """
    stale = timezone.now() - FRESH_FOR
    return bool(offers) and all(offer.refreshed_at >= stale for offer in offers)


def price_of(country: str, number_type: NumberType) -> Price:
    """Raises a ``Refusal``: ``PriceUnknown`` when the provider tells no price for this type
    here, another when nothing is known and it does not answer.
    """
    try:
        price = prices_in(country).get(number_type)
    except ProviderError as error:
        raise refusal_for(error, country=country, number_type=number_type) from error
    if price is None:
        raise PriceUnknown(country=country, number_type=number_type)
    return price


def last_known(countries: Iterable[str]) -> dict[tuple[str, str], tuple[Decimal, str]]:
    """What the provider asks per month and in which currency, by country and type, as it last
    told. Asks nobody.
    """
    offers = CountryOffer.objects.filter(country__in=countries, provider_price__isnull=False)
    rows = offers.values_list("country", "number_type", "provider_price", "currency")
    return {(country, kind): (price, currency) for country, kind, price, currency in rows}


def refresh_prices(country: str) -> None:
    """Ask the provider what it takes in one country and keep it."""
    now = timezone.now()
    prices = provider.prices(country=country)
    _keep(
        CountryOffer(
            country=country, number_type=price.number_type, provider_price=price.amount,
            currency=price.currency, refreshed_at=now,
        )
        for price in prices
    )  # fmt: skip
    sold = [price.number_type for price in prices]
    CountryOffer.objects.filter(country=country).exclude(number_type__in=sold).update(
        provider_price=None, refreshed_at=now
    )


def _keep(offers: Iterable[CountryOffer]) -> None:
    CountryOffer.objects.bulk_create(
        offers,
        update_conflicts=True,
        unique_fields=["country", "number_type"],
        update_fields=["provider_price", "currency", "refreshed_at"],
    )
