"""Giving a number back to the carrier: decided in the database, done outside of it.

Think of the process dying on each line. Whoever decides sets ``giving_back_at`` by a
conditional update: a person's release whose day is over, or rent that was not paid. From then
on nothing puts the number back (an undo or a payment looks at it), it costs no more rent, and
the sweep asks the carrier until it confirms. Asking for a number that is gone already is fine,
so asking twice harms nothing.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from numbers.models import Number, NumberQuerySet
from numbers.number_refusals import CarrierHolds
from numbers.release import undo_time
from numbers.rent_refund import refund_unused_days
from telephony import provider
from telephony.errors import ProviderError, ReleaseRefused
from workspaces import audit
from workspaces.notices import notify
from workspaces.permissions import NUMBERS_RELEASE

log = logging.getLogger(__name__)

AT_MOST = 100
# Longer than a call can last, so that two processes do not ask at the same time.
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
    """Mark what was parked for long enough and ask for all that is marked, longest untried
    first: one that fails stops no other. Returns how many went.
    """
    decide(Number.objects.owned().filter(parked_at__lte=timezone.now() - undo_time()))
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
    """Ask the carrier to take a number that is marked, and note it when it has. Whoever moves
    ``give_back_tried_at`` asks; everybody else finds it moved. Returns whether it is gone; a
    number that the carrier does not take stays marked.
    """
    if not _due().filter(pk=number.pk).update(give_back_tried_at=timezone.now()):
        return False
    try:
        provider.release(sid=number.provider_sid)
    except ReleaseRefused as error:
        log.warning("%s is not taken back: %s", number.e164, error)
        _tell_refused(number, CarrierHolds(number, error.reason))
        return False
    except ProviderError as error:
        log.warning("%s could not be given back, and is tried again: %s", number.e164, error)
        return False
    return finish(number)


def finish(number: Number) -> bool:
    """The carrier has it: it is not ours any more, once and for good."""
    with transaction.atomic():
        now = timezone.now()
        mine = Number.objects.owned().filter(pk=number.pk, giving_back_at__isnull=False)
        if not mine.update(released_at=now, give_back_refusal=""):
            return False
        audit.record(
            workspace=number.workspace, by=None, action="number.given_back", subject=number,
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
