"""What the review page showed, carried by the browser and signed by us.

Confirming buys what was shown, at the price that was shown, and nothing else; the key in
it makes confirming twice the same order. Nothing is stored until then.
"""

import uuid
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
class Quote:
    """One available number at a price. ``search`` is the query string that led to it."""

    key: uuid.UUID
    number: AvailableNumber
    price: Price
    search: str


def new_quote(number: AvailableNumber, price: Price, search: str) -> Quote:
    return Quote(uuid.uuid4(), number, price, search)


def sign(quote: Quote, *, workspace: Workspace, by: User) -> str:
    """The quote as text for a form field, good for this person in this workspace."""
    number, price = quote.number, quote.price
    content: dict[str, Any] = {
        "w": workspace.pk,
        "u": by.pk,
        "k": quote.key.hex,
        "n": [
            number.e164, number.friendly_name, number.country, number.number_type,
            number.locality, number.region, number.postal_code,
            sorted(number.capabilities), number.address_requirement, number.beta,
        ],
        "p": [str(price.amount), str(price.provider_amount), price.currency],
        "s": quote.search,
    }  # fmt: skip
    return signing.dumps(content, salt=SALT, compress=True)


def read(text: str, *, workspace: Workspace, by: User) -> Quote:
    """Raises ``QuoteExpired`` for one that is old, changed, or someone else's."""
    try:
        content = signing.loads(text, salt=SALT, max_age=GOOD_FOR_SECONDS)
    except signing.BadSignature as error:
        raise QuoteExpired from error
    if (content["w"], content["u"]) != (workspace.pk, by.pk):
        raise QuoteExpired
    e164, name, country, kind, locality, region, postal, capabilities, address, beta = content["n"]
    amount, provider_amount, currency = content["p"]
    return Quote(
        key=uuid.UUID(content["k"]),
        number=AvailableNumber(
            e164=e164, friendly_name=name, country=country, number_type=NumberType(kind),
            locality=locality, region=region, postal_code=postal,
            capabilities=frozenset(map(Capability, capabilities)),
            address_requirement=AddressRequirement(address), beta=beta,
        ),
        price=Price(Decimal(amount), Decimal(provider_amount), currency),
        search=content["s"],
    )  # fmt: skip
