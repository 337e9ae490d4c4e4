"""Stripe's SDK with a timeout on every call, and its failures as refusals of ours."""

import logging
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

import requests
import stripe
from babel.numbers import get_currency_precision
from django.conf import settings

from lib.errors import Fix, Refusal

log = logging.getLogger("wallet.stripe")
T = TypeVar("T")


class PaymentsNotConfigured(Refusal):
    code = "payments_not_configured"
    title = "Funds cannot be added here at the moment"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "The payment settings of this site are missing or wrong. Write to support, who can "
            "also credit a bank transfer.",
            fix=Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}"),
        )


class PaymentsDown(Refusal):
    code = "payments_down"
    title = "The payment service does not answer"
    status = 503

    def __init__(self) -> None:
        super().__init__("It has a problem or is busy. Try again in a minute.")


class RequestRefused(PaymentsDown):
    """Stripe answers, and says no to exactly this request: asking again changes nothing."""


class CardDeclined(Refusal):
    """The bank said no. ``payment_intent_id`` is the payment that came to nothing."""

    code = "card_declined"
    title = "The card was declined"

    def __init__(self, reason: str, payment_intent_id: str) -> None:
        super().__init__(WHY_DECLINED.get(reason, "The bank declined the card."))
        self.payment_intent_id = payment_intent_id


# Stripe's codes that a person can do something about (docs.stripe.com/declines/codes).
WHY_DECLINED = {
    "authentication_required": "The bank wants to ask the card's owner before it pays.",
    "insufficient_funds": "The card has not enough money on it.",
    "expired_card": "The card has expired.",
    "lost_card": "The bank has blocked the card.",
    "stolen_card": "The bank has blocked the card.",
}


def open_session() -> requests.Session:
    """The network edge: everything that goes to Stripe goes through this session."""
    return requests.Session()


def call(request: Callable[[stripe.StripeClient], T]) -> T:
    """Do one thing at Stripe.

    Raises ``PaymentsNotConfigured``, ``PaymentsDown`` (the outcome is unknown, unless it is a
    ``RequestRefused``) or ``CardDeclined``.
    """
    if not settings.STRIPE_API_KEY or not settings.STRIPE_WEBHOOK_SECRET:
        raise PaymentsNotConfigured
    client = _client(
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT_SECONDS
    )
    try:
        return request(client)
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("Stripe refused the key: %s", error)
        raise PaymentsNotConfigured from error
    except stripe.CardError as error:
        said = error.error
        log.info("Stripe: %s %s", error.code, said and said.decline_code)
        intent = said.payment_intent if said else None
        reason = (said and said.decline_code) or error.code or ""
        raise CardDeclined(reason, intent.id if intent else "") from error
    except stripe.InvalidRequestError as error:
        log.error("Stripe refused the request: %s", error)
        raise RequestRefused from error
    except stripe.StripeError as error:
        log.warning("Stripe: %s %s", type(error).__name__, error)
        raise PaymentsDown from error


@lru_cache(maxsize=4)
def _client(key: str, base: str, timeout: float) -> stripe.StripeClient:
    wire = stripe.RequestsClient(timeout=timeout, session=open_session())
    return stripe.StripeClient(
        key, http_client=wire, max_network_retries=0,
        base_addresses={"api": base} if base else None,
    )  # fmt: skip


def minor_units(amount: Decimal, currency: str) -> int:
    """``50.00`` USD → 5000. An amount that is no whole number of them is a fault of ours."""
    units = amount.scaleb(get_currency_precision(currency))
    if units != units.to_integral_value():
        raise ValueError(f"{amount} {currency} has too many decimals for a payment")
    return int(units)


def from_minor_units(units: int, currency: str) -> Decimal:
    return Decimal(units).scaleb(-get_currency_precision(currency))
