"""Telling the carrier what a number is called.

The name here is the truth. ``name_unsent_since`` says that the carrier does not know it yet:
committed with the name, before anybody calls; the call is made with no transaction open. One
process sends at a time, so that an older name never arrives last.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from lib import doorbell
from numbers.models import Number, NumberQuerySet
from telephony import provider
from telephony.errors import ProviderError

log = logging.getLogger(__name__)

AT_MOST = 100
MOST_CHANGES_MEANWHILE = 3


def send_name(number_id: int) -> None:
    """Send the name, if it is to be sent and nobody else does it. What fails stays unsent and
    is tried again by the sweep.
    """
    for _ in range(MOST_CHANGES_MEANWHILE):
        if not _unsent().filter(pk=number_id).update(name_tried_at=timezone.now()):
            return
        number = Number.objects.get(pk=number_id)
        name = number.friendly_name
        try:
            provider.configure(sid=number.provider_sid, friendly_name=name or number.international)
        except ProviderError as error:
            log.warning("the name of %s was not sent: %s", number.e164, error)
            return
        if _sent(number_id, name):
            return


def _sent(number_id: int, name: str) -> bool:
    """Note what the carrier knows; False where the name has changed meanwhile."""
    mine = Number.objects.filter(pk=number_id)
    if mine.filter(friendly_name=name).update(name_unsent_since=None, name_tried_at=None):
        return True
    mine.update(name_tried_at=None)
    return False


def send_due() -> None:
    """Names that should have been sent and were not, whoever died."""
    since = timezone.now() - timedelta(seconds=10)
    due = _unsent().filter(name_unsent_since__lt=since).order_by("name_unsent_since")
    for number_id in list(due.values_list("pk", flat=True)[:AT_MOST]):
        send_name(number_id)


def _unsent() -> NumberQuerySet:
    """Left alone as long as whoever sends may still be waiting for the answer."""
    patience = timezone.now() - timedelta(seconds=settings.TWILIO_TIMEOUT_SECONDS + 2)
    return (
        Number.objects.owned()
        .filter(name_unsent_since__isnull=False)
        .filter(Q(name_tried_at=None) | Q(name_tried_at__lt=patience))
    )


def ring_for(number: Number) -> None:
    """Have it sent as soon as the change is committed."""
    from numbers import tasks  # the tasks import this module

    doorbell.ring(tasks.send_number_name, number.workspace_id, number.pk)
