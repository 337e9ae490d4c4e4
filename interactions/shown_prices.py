"""The prices that a reply's form shows, and holding to them."""

from dataclasses import dataclass
from decimal import Decimal

from django.core.cache import cache

from interactions.models import Conversation
from interactions.refusals import RateRaised
from interactions.send import cost_of
from lib import e164 as formats
from lib.errors import Refusal

# A page is looked at again and again while somebody writes; whoever sends after the price
# has gone up is told, so an old one does no harm.
REMEMBERED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a segment, and of a picture message where the number can send one."""

    text: Decimal
    picture: Decimal | None
    currency: str


def shown_prices(conversation: Conversation) -> Prices | None:
    """None where the provider tells no price for the contact's country."""
    can_picture = conversation.number.can("mms")
    key = f"shown-prices:{formats.country_of(conversation.contact)}:{can_picture}"
    known = cache.get(key)
    if known is None:
        known = _ask(conversation, can_picture)
        if known is not None:
            cache.set(key, known, REMEMBERED_SECONDS)
    return known


def _ask(conversation: Conversation, can_picture: bool) -> Prices | None:
    try:
        text = cost_of(conversation=conversation, body="", has_picture=False).rate
    except Refusal:
        return None
    try:
        picture = cost_of(conversation=conversation, body="", has_picture=True).rate.price
    except Refusal:
        picture = None
    return Prices(text.price, picture if can_picture else None, text.currency)


def check_price(conversation: Conversation, *, has_picture: bool, shown: Decimal | None) -> None:
    """Raises ``RateRaised`` where it costs more by now than the form showed."""
    rate = cost_of(conversation=conversation, body="", has_picture=has_picture).rate
    if shown is not None and rate.price > shown:
        raise RateRaised(old=shown, new=rate.price, currency=rate.currency)
