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
class QuotedNumber:
    """An available number at the price of the page."""

    number: AvailableNumber
    price: Price


@dataclass(frozen=True, slots=True)
class Quote:
    """What is bought together, in the order of the page; one number or several, one currency.

    ``search`` is the query string that led to it.
    """

    key: uuid.UUID
    numbers: tuple[QuotedNumber, ...]
    search: str

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def number(self) -> AvailableNumber:
        """The first, and for most quotes the only one."""
        return self.numbers[0].number

    @property
    def price(self) -> Price:
        """Of all together, per month."""
        prices = [one.price for one in self.numbers]
        return Price(
            amount=sum((price.amount for price in prices), Decimal(0)),
            provider_amount=sum((price.provider_amount for price in prices), Decimal(0)),
            currency=prices[0].currency,
        )


def new_quote(number: AvailableNumber, price: Price, search: str) -> Quote:
    return quote_of([QuotedNumber(number, price)], search)


def quote_of(quoted: Sequence[QuotedNumber], search: str) -> Quote:
    """A quote that was never confirmed before: it has a key of its own."""
    return Quote(uuid.uuid4(), tuple(quoted), search)


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
    quoted = [
        [
            number.e164, number.friendly_name, number.country, number.number_type,
            number.locality, number.region, number.postal_code,
            sorted(number.capabilities), number.address_requirement, number.beta,
            str(price.amount), str(price.provider_amount), price.currency,
        ]
        for number, price in ((one.number, one.price) for one in quote.numbers)
    ]  # fmt: skip
    return {"k": quote.key.hex, "n": quoted, "s": quote.search}


def from_json(content: dict[str, Any]) -> Quote:
    quoted = [_quoted(*fields) for fields in content["n"]]
    return Quote(uuid.UUID(content["k"]), tuple(quoted), content["s"])


def _quoted(
    e164: str, name: str, country: str, kind: str, locality: str, region: str, postal: str,
    capabilities: list[str], address: str, beta: bool, amount: str, provider_amount: str,
    currency: str,
) -> QuotedNumber:  # fmt: skip
    number = AvailableNumber(
        e164=e164, friendly_name=name, country=country, number_type=NumberType(kind),
        locality=locality, region=region, postal_code=postal,
        capabilities=frozenset(map(Capability, capabilities)),
        address_requirement=AddressRequirement(address), beta=beta,
    )  # fmt: skip
    return QuotedNumber(number, Price(Decimal(amount), Decimal(provider_amount), currency))
