"""What the provider asks for minutes and segments, before any markup of ours."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from telephony.client import call
from telephony.provider import PRICE_TYPES
from telephony.values import NumberType


@dataclass(frozen=True, slots=True)
class IncomingPrice:
    """For a minute of a call, or a segment of a text, that arrives at a type of number."""

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
    incoming: list[IncomingPrice]
    outgoing: list[CallPrice]


@dataclass(frozen=True, slots=True)
class MessagePrices:
    """``outgoing`` is the highest of all carriers: which one it will be is not known before."""

    currency: str
    incoming: list[IncomingPrice]
    outgoing: Decimal | None


def call_prices(*, country: str) -> CallPrices:
    row = call(lambda twilio: twilio.pricing.v1.voice.countries(country).fetch())
    return CallPrices(
        currency=row.price_unit.upper(),
        incoming=_incoming(row.inbound_call_prices),
        outgoing=[
            CallPrice(prefix, _place(price), _amount(price))
            for price in row.outbound_prefix_prices or []
            for prefix in price["prefixes"]
        ],
    )


def message_prices(*, country: str) -> MessagePrices:
    row = call(lambda twilio: twilio.pricing.v1.messaging.countries(country).fetch())
    amounts = [
        _amount(price) for carrier in row.outbound_sms_prices or [] for price in carrier["prices"]
    ]
    return MessagePrices(
        currency=row.price_unit.upper(),
        incoming=_incoming(row.inbound_sms_prices),
        outgoing=max(amounts, default=None),
    )


def _incoming(prices: list[Any] | None) -> list[IncomingPrice]:
    return [
        IncomingPrice(PRICE_TYPES[price["number_type"]], _amount(price))
        for price in prices or []
        if price["number_type"] in PRICE_TYPES
    ]


def _amount(price: dict[str, Any]) -> Decimal:
    return Decimal(str(price["current_price"]))


def _place(price: dict[str, Any]) -> str:
    """``Programmable Outbound Minute - United States - Alaska`` → ``United States - Alaska``"""
    return str(price.get("friendly_name") or "").removeprefix("Programmable Outbound Minute - ")
