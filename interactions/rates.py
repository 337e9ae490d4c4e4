"""What minutes, segments and pictures cost, from the provider's price list times our markup."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from interactions.models import UsageRate
from lib import e164 as formats
from numbers.models import CountryOffer, Number
from telephony.errors import ProviderError
from telephony.usage_prices import call_prices, message_prices
from telephony.values import NumberType

log = logging.getLogger(__name__)

Kind = UsageRate.Kind


@dataclass(frozen=True, slots=True)
class PicturePrices:
    """``incoming`` is for the types of number that ``by_type`` does not name."""

    outgoing: Decimal
    incoming: Decimal
    by_type: dict[str, Decimal] = field(default_factory=dict)


# The provider's Pricing API does not tell what picture messages cost. These are its list
# prices (US dollars, October 2026), in the countries that have them.
NORTH_AMERICA = PicturePrices(
    Decimal("0.0220"), Decimal("0.0165"), {NumberType.TOLL_FREE: Decimal("0.0200")}
)
PICTURE_PRICES = {
    "US": NORTH_AMERICA,
    "CA": NORTH_AMERICA,
    "AU": PicturePrices(Decimal("0.4500"), Decimal("0.0200")),
}
FRESH_FOR = timedelta(days=2)
IDENTITY = ["kind", "country", "number_type", "prefix"]


def incoming_rate(kind: Kind, number: Number) -> UsageRate | None:
    """What one costs that arrives at this number; None where the provider tells no price."""
    return _one([kind], number.country, number_type=number.number_type)


def picture_rate_to(e164: str) -> UsageRate | None:
    """What a picture message to this number costs."""
    return _one([Kind.MMS_OUT], formats.country_of(e164))


def message_rate_to(e164: str) -> UsageRate | None:
    """What a segment to this number costs at most."""
    return _one([Kind.SMS_OUT], formats.country_of(e164))


def call_rate_to(e164: str) -> UsageRate | None:
    """What a minute costs to this number: the rate with the longest prefix that fits."""
    digits = e164.removeprefix("+")
    prefixes = [digits[:length] for length in range(1, len(digits) + 1)]
    rates = UsageRate.objects.filter(kind=Kind.CALL_OUT, prefix__in=prefixes)
    found = list(rates)
    if not found and _learn(formats.country_of(e164)):
        found = list(rates.all())
    return max(found, key=lambda rate: len(rate.prefix), default=None)


def _one(kinds: list[Kind], country: str, **facts: str) -> UsageRate | None:
    """The rate of a country; the provider is asked where we know none of that country."""
    rates = UsageRate.objects.filter(kind__in=kinds, country=country, **facts)
    found = rates.first()
    if found is None and _learn(country):
        found = rates.first()
    return found


def _learn(country: str) -> bool:
    """Ask for the rates of a country that we know nothing of. Returns whether it told some."""
    if not country or UsageRate.objects.filter(country=country).exists():
        return False
    try:
        refresh_rates(country)
    except ProviderError as error:
        log.warning("the rates of %s could not be asked for: %s", country, error)
        return False
    return True


def refresh_rates(country: str) -> None:
    """Ask what calls and messages cost in a country, and keep exactly that.

    Raises ``ProviderError``; what was known stays then.
    """
    rates = {_identity(rate): rate for rate in _ask(country)}
    with transaction.atomic():
        gone = [
            rate.pk
            for rate in UsageRate.objects.filter(country=country)
            if _identity(rate) not in rates
        ]
        UsageRate.objects.filter(pk__in=gone).delete()
        UsageRate.objects.bulk_create(
            rates.values(),
            update_conflicts=True,
            unique_fields=IDENTITY,
            update_fields=["place", "provider_price", "currency", "refreshed_at"],
        )


def refresh_due() -> None:
    """Refresh the countries in which numbers are sold, and those that have been asked for."""
    sold = set(CountryOffer.objects.values_list("country", flat=True))
    known = set(UsageRate.objects.values_list("country", flat=True))
    stale = timezone.now() - FRESH_FOR
    fresh = set(UsageRate.objects.filter(refreshed_at__gt=stale).values_list("country", flat=True))
    for country in sorted((sold | known) - fresh):
        try:
            refresh_rates(country)
        except ProviderError as error:
            log.warning("the rates of %s could not be refreshed: %s", country, error)


def _identity(rate: UsageRate) -> tuple[str, ...]:
    return tuple(getattr(rate, name) for name in IDENTITY)


def _ask(country: str) -> Iterable[UsageRate]:
    now = timezone.now()
    calls, messages = call_prices(country=country), message_prices(country=country)

    def rate(kind: Kind, price: Decimal, currency: str, **facts: str) -> UsageRate:
        return UsageRate(kind=kind, country=country, provider_price=price, currency=currency,
                         refreshed_at=now, **facts)  # fmt: skip

    for incoming in calls.incoming:
        yield rate(Kind.CALL_IN, incoming.amount, calls.currency, number_type=incoming.number_type)
    for outgoing in calls.outgoing:
        yield rate(Kind.CALL_OUT, outgoing.amount, calls.currency, prefix=outgoing.prefix,
                   place=outgoing.place[:80])  # fmt: skip
    for incoming in messages.incoming:
        yield rate(Kind.SMS_IN, incoming.amount, messages.currency,
                   number_type=incoming.number_type)  # fmt: skip
    if messages.outgoing is not None:
        yield rate(Kind.SMS_OUT, messages.outgoing, messages.currency)
    if (pictures := PICTURE_PRICES.get(country)) is not None:
        yield rate(Kind.MMS_OUT, pictures.outgoing, "USD")
        for incoming in messages.incoming:  # the types that take messages
            kind = incoming.number_type
            price = pictures.by_type.get(kind, pictures.incoming)
            yield rate(Kind.MMS_IN, price, "USD", number_type=kind)
