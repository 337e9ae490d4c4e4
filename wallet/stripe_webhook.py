"""What Stripe tells us: checked by its signature, handled once."""

import logging

import stripe
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lib.errors import Refusal
from wallet import cards, recharge, taken_back, top_up
from wallet.models import SavedCard, StripeEvent, TopUp

log = logging.getLogger(__name__)
TOLERANCE = 300
MOST_BYTES = 512 * 1024


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """200 once it is handled or no concern of ours; 5xx asks Stripe to send it again."""
    event = _read(request)
    if event is None:
        return HttpResponse("The signature does not fit.", status=403, content_type="text/plain")
    if StripeEvent.objects.filter(pk=event.id).exists():
        return HttpResponse(status=200)
    try:
        handle(event)
    except (TopUp.DoesNotExist, SavedCard.DoesNotExist):
        log.info("%s %s is about no payment of ours", event.type, event.id)
    except top_up.PaymentMismatch as error:
        log.error("payment does not fit: %s", error)
        return HttpResponse("The payment does not fit.", status=400, content_type="text/plain")
    except Refusal as refusal:
        return HttpResponse(refusal.sentence, status=503, content_type="text/plain")
    StripeEvent.objects.get_or_create(
        pk=event.id, defaults={"kind": event.type, "handled_at": timezone.now()}
    )
    return HttpResponse(status=200)


def _read(request: HttpRequest) -> stripe.Event | None:
    """The event, if Stripe signed exactly these bytes within the last five minutes."""
    if not settings.STRIPE_WEBHOOK_SECRET or int(request.META["CONTENT_LENGTH"] or 0) > MOST_BYTES:
        return None
    try:
        return stripe.Webhook.construct_event(
            request.body, request.headers.get("Stripe-Signature"),
            settings.STRIPE_WEBHOOK_SECRET, TOLERANCE,
        )  # fmt: skip
    except (stripe.SignatureVerificationError, ValueError):
        return None


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
