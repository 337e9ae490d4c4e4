"""What the provider asks for minutes and segments, before any markup of ours."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from telephony.client import call
from telephony.errors import Unreadable
from telephony.provider import PRICE_TYPES
from telephony.values import NumberType


@dataclass(frozen=True, slots=True)
class TypePrice:
    """For a minute of a call, or a segment of a text, at a type of our numbers."""

    number_type: NumberType
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CallPrice:
    """For a minute of a call to a number that begins with ``prefix`` (no plus sign)."""

    prefix: str
    place: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CallPrices:
    currency: str
    incoming: list[TypePrice]
    outgoing: list[CallPrice]


@dataclass(frozen=True, slots=True)
class MessagePrices:
    """``outgoing`` is the highest of all carriers, which are not known before, and of the types
    of number that we send from: short codes have prices of their own.
    """

    currency: str
    incoming: list[TypePrice]
    outgoing: Decimal | None


def call_prices(*, country: str) -> CallPrices:
    return call(lambda t: _calls(t.pricing.v1.voice.countries(country).fetch()))


def _calls(row: Any) -> CallPrices:
    return CallPrices(
        currency=_currency(row),
        incoming=_by_type(row.inbound_call_prices),
        outgoing=[
            CallPrice(prefix, _place(price), amount)
            for price in row.outbound_prefix_prices or []
            if (amount := _amount(price)) is not None
            for prefix in price["prefixes"]
        ],
    )


def message_prices(*, country: str) -> MessagePrices:
    return call(lambda t: _messages(t.pricing.v1.messaging.countries(country).fetch()))


def _messages(row: Any) -> MessagePrices:
    amounts = [
        price.amount
        for carrier in row.outbound_sms_prices or []
        for price in _by_type(carrier.get("prices"))
    ]
    return MessagePrices(
        currency=_currency(row),
        incoming=_by_type(row.inbound_sms_prices),
        outgoing=max(amounts, default=None),
    )


def _by_type(prices: list[Any] | None) -> list[TypePrice]:
    """Those of the types that we sell; one without an amount is not for sale."""
    return [
        TypePrice(kind, amount)
        for price in prices or []
        if (kind := _type(price)) and (amount := _amount(price)) is not None
    ]


def _type(price: dict[str, Any]) -> NumberType | None:
    """``toll free`` here, and with a dash or an underscore elsewhere at the provider."""
    written = str(price.get("number_type") or "").lower()
    return PRICE_TYPES.get(written.replace("-", " ").replace("_", " "))


def _currency(row: Any) -> str:
    if not row.price_unit:
        raise Unreadable("prices without a currency")
    return str(row.price_unit).upper()


def _amount(price: dict[str, Any]) -> Decimal | None:
    known = price.get("current_price")
    return None if known is None else Decimal(str(known))


def _place(price: dict[str, Any]) -> str:
    """``Programmable Outbound Minute - United States - Alaska`` → ``United States - Alaska``"""
    return str(price.get("friendly_name") or "").removeprefix("Programmable Outbound Minute - ")
