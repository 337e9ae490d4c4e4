"""What Stripe tells us: checked by its signature, handled once."""

import logging

import stripe
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from lib.errors import Refusal
from wallet import stripe_events, top_up
from workspaces.access import webhook

log = logging.getLogger(__name__)
TOLERANCE = 300
MOST_BYTES = 512 * 1024


@webhook
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """200 once it is handled or no concern of ours; 5xx asks Stripe to send it again."""
    event = _read(request)
    if event is None:
        return HttpResponse("The signature does not fit.", status=403, content_type="text/plain")
    try:
        stripe_events.take(event)
    except top_up.PaymentMismatch as error:
        log.error("payment does not fit: %s", error)
        return HttpResponse("The payment does not fit.", status=400, content_type="text/plain")
    except Refusal as refusal:
        return HttpResponse(refusal.sentence, status=503, content_type="text/plain")
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
