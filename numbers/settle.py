"""Sweeps: what somebody began and did not finish, whoever died."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from numbers.models import Number, OrderLine
from numbers.purchase import settle_line
from telephony import provider
from telephony.errors import ProviderError
from telephony.webhook_urls import webhooks_for_numbers

log = logging.getLogger(__name__)

AT_MOST = 100


def due_lines(order_id: int | None = None) -> list[OrderLine]:
    """Unsettled lines whose caller must have hung up by now, longest waiting first.

    A line is left alone as long as the process that called for it may still be waiting for
    the answer; after that, nobody but a sweep will ever touch it.
    """
    grace = timezone.now() - timedelta(seconds=settings.TWILIO_TIMEOUT_SECONDS + 2)
    lines = (
        OrderLine.objects.unsettled()
        .filter(Q(called_at__lt=grace) | Q(called_at=None, order__placed_at__lt=grace))
        .select_related("order__hold", "order__workspace")
        .order_by("called_at", "pk")
    )
    if order_id is not None:
        lines = lines.filter(order_id=order_id)
    return list(lines[:AT_MOST])


def settle_due(order_id: int | None = None) -> None:
    """Settle what is due, each line on its own: one that fails does not stop the others."""
    for line in due_lines(order_id):
        try:
            settle_line(line)
        except ProviderError as error:
            log.warning("order %s stays unsettled: %s", line.order.reference, error)
        except Exception:  # the sweep's outermost edge: the next line is someone else's money
            log.exception("order %s could not be settled", line.order.reference)


def repair_webhooks() -> None:
    """Point the webhooks of numbers at us where setting them failed."""
    numbers = Number.objects.owned().filter(webhooks_set_at=None).order_by("pk")[:AT_MOST]
    for number in numbers:
        try:
            webhooks = webhooks_for_numbers(number.capabilities)
            provider.configure(sid=number.provider_sid, webhooks=webhooks)
        except ProviderError as error:
            log.warning("webhooks of %s could not be set: %s", number.e164, error)
            continue
        Number.objects.filter(pk=number.pk).update(webhooks_set_at=timezone.now())
