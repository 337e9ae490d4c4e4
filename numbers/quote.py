"""What the review page showed, carried by the browser and signed by us.

Confirming buys what was shown, at no more than the price that was shown, and nothing else;
the key in it makes confirming twice the same order. Nothing is stored until then.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core import signing

from numbers.pricing import Price
from numbers.refusals import QuoteExpired
from telephony.values import AddressRequirement, AvailableNumber, Capability, NumberType
from workspaces.models import User, Workspace

SALT = "numbers.quote"
GOOD_FOR_SECONDS = 30 * 60


@dataclass(frozen=True, slots=True)
class Offer:
    """An available number at a price."""

    number: AvailableNumber
    price: Price


@dataclass(frozen=True, slots=True)
class Quote:
    """What is bought together, in the order of the page; one number or several, one currency.

    ``search`` is the query string that led to it.
    """

    key: uuid.UUID
    offers: tuple[Offer, ...]
    search: str

    def __len__(self) -> int:
        return len(self.offers)

    @property
    def number(self) -> AvailableNumber:
        """The first, and for most quotes the only one."""
        return self.offers[0].number

    @property
    def price(self) -> Price:
        """Of all together, per month."""
        prices = [offer.price for offer in self.offers]
        return Price(
            amount=sum((price.amount for price in prices), Decimal(0)),
            provider_amount=sum((price.provider_amount for price in prices), Decimal(0)),
            currency=prices[0].currency,
        )


def new_quote(number: AvailableNumber, price: Price, search: str) -> Quote:
    return quote_of([Offer(number, price)], search)


def quote_of(offers: Sequence[Offer], search: str) -> Quote:
    """A quote that was never confirmed before: it has a key of its own."""
    return Quote(uuid.uuid4(), tuple(offers), search)


def sign(quote: Quote, *, workspace: Workspace, by: User) -> str:
    """The quote as text for a form field, good for this person in this workspace."""
    content = {"w": workspace.pk, "u": by.pk, **as_json(quote)}
    return signing.dumps(content, salt=SALT, compress=True)


def read(text: str, *, workspace: Workspace, by: User) -> Quote:
    """Raises ``QuoteExpired`` for one that is old, changed, or someone else's."""
    try:
        content = signing.loads(text, salt=SALT, max_age=GOOD_FOR_SECONDS)
    except signing.BadSignature as error:
        raise QuoteExpired from error
    if (content["w"], content["u"]) != (workspace.pk, by.pk):
        raise QuoteExpired
    return from_json(content)


def as_json(quote: Quote) -> dict[str, Any]:
    """What ``from_json`` reads, small enough to travel in a form."""
    offers = [
        [
            number.e164, number.friendly_name, number.country, number.number_type,
            number.locality, number.region, number.postal_code,
            sorted(number.capabilities), number.address_requirement, number.beta,
            str(price.amount), str(price.provider_amount), price.currency,
        ]
        for number, price in ((offer.number, offer.price) for offer in quote.offers)
    ]  # fmt: skip
    return {"k": quote.key.hex, "o": offers, "s": quote.search}


def from_json(content: dict[str, Any]) -> Quote:
    offers = [_offer(*fields) for fields in content["o"]]
    return Quote(uuid.UUID(content["k"]), tuple(offers), content["s"])


def _offer(
    e164: str, name: str, country: str, kind: str, locality: str, region: str, postal: str,
    capabilities: list[str], address: str, beta: bool, amount: str, provider_amount: str,
    currency: str,
) -> Offer:  # fmt: skip
    number = AvailableNumber(
        e164=e164, friendly_name=name, country=country, number_type=NumberType(kind),
        locality=locality, region=region, postal_code=postal,
        capabilities=frozenset(map(Capability, capabilities)),
        address_requirement=AddressRequirement(address), beta=beta,
    )  # fmt: skip
    return Offer(number, Price(Decimal(amount), Decimal(provider_amount), currency))
