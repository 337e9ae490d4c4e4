"""What happens at Stripe: each event handled once, whether it was sent to us or we asked."""

import logging
from datetime import timedelta
from typing import Any

import stripe
from django.utils import timezone

from lib.errors import Refusal
from wallet import cards, recharge, taken_back, top_up
from wallet.models import SavedCard, StripeEvent, TopUp
from wallet.stripe_client import call

log = logging.getLogger(__name__)

# Payments are asked about one by one. Of these nobody would ever ask.
ONLY_TOLD = (
    "charge.refunded",
    "refund.failed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
# Stripe sends a webhook again for three days, and keeps events for thirty.
LOOKED_BACK = timedelta(days=4)
PAGE, MOST_PAGES = 100, 10


def take(event: stripe.Event) -> None:
    """Handle it, unless it was handled. Raises what the handling raises; then it is not noted."""
    if StripeEvent.objects.filter(pk=event.id).exists():
        return
    try:
        handle(event)
    except (TopUp.DoesNotExist, SavedCard.DoesNotExist):
        log.info("%s %s is about no payment of ours", event.type, event.id)
    StripeEvent.objects.get_or_create(
        pk=event.id, defaults={"kind": event.type, "handled_at": timezone.now()}
    )


def handle(event: stripe.Event) -> None:
    """Each is safe to repeat, so that whoever dies before it is noted leaves no trace."""
    thing = event.data.object
    match event.type:
        case kind if kind.startswith("checkout.session.") and getattr(thing, "mode", "") == "setup":
            cards.settle(SavedCard.objects.select_related("workspace", "by").get(
                reference=thing["client_reference_id"] or ""
            ))  # fmt: skip
        case "checkout.session.async_payment_failed":
            top_up.payment_failed(thing)  # type: ignore[arg-type]
        case kind if kind.startswith("checkout.session."):
            top_up.apply(thing)  # type: ignore[arg-type]
        case kind if kind.startswith("payment_intent."):
            recharge.apply(thing)  # type: ignore[arg-type]
        case "charge.dispute.funds_withdrawn":
            taken_back.dispute(thing, won=False)  # type: ignore[arg-type]
        case "charge.dispute.funds_reinstated":
            taken_back.dispute(thing, won=True)  # type: ignore[arg-type]
        case "charge.refunded" | "charge.refund.updated" | "refund.updated" | "refund.failed":
            taken_back.follow_refunds(thing["payment_intent"] or "")


def catch_up() -> None:
    """Ask for refunds and disputes of the last days, and handle those that nobody told us of."""
    found = list(reversed(_lately()))
    known = set(StripeEvent.objects.in_bulk([event.id for event in found]))
    for event in found:
        if event.id not in known:
            _take_guarded(event)


def _take_guarded(event: stripe.Event) -> None:
    try:
        take(event)
        log.warning("%s %s had not reached us", event.type, event.id)
    except top_up.PaymentMismatch as error:
        log.error("payment does not fit: %s", error)
    except Refusal as refusal:
        log.warning("%s %s cannot be handled now: %s", event.type, event.id, refusal)
    except Exception:  # the sweep's outermost edge: the next event is someone else's
        log.exception("%s %s could not be handled", event.type, event.id)


def _lately() -> list[stripe.Event]:
    """The newest first, at most so many pages of them."""
    since = int((timezone.now() - LOOKED_BACK).timestamp())
    asked: Any = {"types": list(ONLY_TOLD), "created": {"gte": since}, "limit": PAGE}
    found: list[stripe.Event] = []
    for _ in range(MOST_PAGES):
        if found:
            asked["starting_after"] = found[-1].id
        page = call(lambda client: client.v1.events.list(asked))
        found += page.data
        if not page.has_more:
            return found
    log.error("more than %s refunds and disputes in %s", PAGE * MOST_PAGES, LOOKED_BACK)
    return found
