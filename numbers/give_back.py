"""Giving a number back at the provider: decided in the database, done outside of it.

Think of the process dying on each line. Whoever decides sets ``giving_back_at`` by a
conditional update, in the transaction that has the reason. From then on nothing puts the
number back (an undo or a payment looks at it), it costs no more rent, and the sweep asks the
provider until that confirms. A number that is gone already counts as given back, so asking
twice harms nothing.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from numbers.models import Number, NumberQuerySet
from numbers.number_refusals import CarrierHolds
from numbers.rent_refund import refund_unused_days
from telephony import provider
from telephony.errors import ProviderError, ReleaseRefused
from workspaces import audit
from workspaces.notices import notify
from workspaces.permissions import NUMBERS_RELEASE

log = logging.getLogger(__name__)

AT_MOST = 100
# From one try to the next, beyond what a call may last: two processes never ask at once.
ASK_AGAIN = timedelta(minutes=5)


def decide(numbers: NumberQuerySet) -> int:
    """Mark those of ``numbers`` that are still ours to give back. Returns how many.

    A number must be inactive for it (parked, suspended or vanished): the database refuses
    to give back one that works.
    """
    return numbers.filter(giving_back_at=None, released_at=None).update(
        giving_back_at=timezone.now()
    )


def give_back_due() -> int:
    """Ask for everything that is marked, longest untried first: one that fails stops no other.

    Returns how many are gone.
    """
    due = _due().select_related("workspace")
    due = due.order_by(F("give_back_tried_at").asc(nulls_first=True), "pk")
    return sum(_give_back_or_log(number) for number in due[:AT_MOST])


def _give_back_or_log(number: Number) -> bool:
    try:
        return give_back(number)
    except Exception:  # the sweep's outermost edge: the next number is someone else's
        log.exception("%s could not be given back", number.e164)
        return False


def _due() -> NumberQuerySet:
    patience = timedelta(seconds=settings.TWILIO_TIMEOUT_SECONDS) + ASK_AGAIN
    untried = Q(give_back_tried_at=None) | Q(give_back_tried_at__lt=timezone.now() - patience)
    return Number.objects.owned().filter(untried, giving_back_at__isnull=False)


def give_back(number: Number) -> bool:
    """Ask the provider to take a number that is marked, and commit that it is gone.

    Whoever moves ``give_back_tried_at`` asks; everybody else finds it moved. Returns whether
    the number is gone; one that the provider does not take stays marked.
    """
    if not _due().filter(pk=number.pk).update(give_back_tried_at=timezone.now()):
        return False
    try:
        provider.release(sid=number.provider_sid)
    except ProviderError as error:
        log.warning("%s could not be given back: %s", number.e164, error)
        if isinstance(error, ReleaseRefused):
            _tell_refused(number, CarrierHolds(number, error.reason))
        return False
    return _finish(number)


def _finish(number: Number) -> bool:
    """The provider has it: it is not ours any more, once and for good."""
    with transaction.atomic():
        now = timezone.now()
        marked = Number.objects.owned().filter(pk=number.pk, giving_back_at__isnull=False)
        if not marked.update(released_at=now, give_back_refusal=""):
            return False
        audit.record(
            workspace=number.workspace, by=None, action="number.released", subject=number,
            text="Given back to the carrier. It costs no more rent.",
            details={"provider_sid": number.provider_sid, "name": number.friendly_name},
        )  # fmt: skip
        refund_unused_days(number, now)
    return True


def _tell_refused(number: Number, refusal: CarrierHolds) -> None:
    """Kept on the number, told once to those who may release, and tried again all the same."""
    with transaction.atomic():
        Number.objects.filter(pk=number.pk).update(give_back_refusal=refusal.sentence[:200])
        notify(
            workspace=number.workspace,
            key=f"not-given-back:{number.public_id}",
            permission=NUMBERS_RELEASE,
            subject=f"{number.international} could not be given back",
            body=f"{refusal.sentence}\n\nNothing is charged for it. It is tried again by itself.\n",
        )
