"""Payments that nobody has told us of: Stripe is asked, each by one process only."""

import logging
from datetime import timedelta

from lib.errors import Refusal
from wallet import recharge, top_up
from wallet.models import TopUp
from wallet.top_up import PaymentMismatch
from wallet.turns import ASK_AGAIN, take_turn

log = logging.getLogger(__name__)

AT_MOST = 50


def settle(payment: TopUp) -> TopUp:
    """Ask Stripe what became of a payment, and write that down."""
    return recharge.settle(payment) if payment.cause else top_up.settle(payment)


def settle_open() -> None:
    """Ask about every payment that nobody has told us of, each by one process only."""
    for _ in range(AT_MOST):
        payment = claim()
        if payment is None:
            return
        try:
            settle(payment)
        except PaymentMismatch as error:
            log.error("payment does not fit: %s", error)
        except Refusal as refusal:
            log.warning("top-ups cannot be settled now: %s", refusal)
            return


def claim(this: TopUp | None = None, after: timedelta = ASK_AGAIN) -> TopUp | None:
    """Take one whose turn it is, or this one if it is its turn."""
    unsettled = TopUp.objects.filter(state__in=TopUp.UNSETTLED)
    mine = unsettled.filter(pk=this.pk) if this else unsettled
    return take_turn(mine.select_related("workspace", "wallet", "by", "card"), after=after)
