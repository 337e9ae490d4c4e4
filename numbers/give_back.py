"""Giving a number back at the provider: decided in the database, done outside of it.

Whoever decides sets ``giving_back_at`` by a conditional update, in the transaction that has
the reason. From then on nothing puts the number back (an undo or a payment looks at it), it
costs no more rent, and the sweep calls the provider until that confirms.
"""

import logging

from django.db import transaction
from django.db.models import F
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


def decide(numbers: NumberQuerySet) -> int:
    """Mark those of ``numbers`` that are still ours to give back. Returns how many.

    A number must be inactive for it (parked, suspended or vanished): the database refuses
    to give back one that works.
    """
    return numbers.filter(giving_back_at=None, released_at=None).update(
        giving_back_at=timezone.now()
    )


def give_back(number: Number) -> bool:
    """Call the provider for a number that is marked, and commit that it is gone.

    Safe to repeat: one that the provider does not have any more is gone too. Returns
    whether it is gone; if the provider does not answer, the number stays marked.
    """
    Number.objects.filter(pk=number.pk).update(give_back_tried_at=timezone.now())
    try:
        provider.release(sid=number.provider_sid)
    except ProviderError as error:
        log.warning("%s could not be given back: %s", number.e164, error)
        if isinstance(error, ReleaseRefused):
            _tell_refused(number, CarrierHolds(number, error.reason))
        return False
    with transaction.atomic():
        now = timezone.now()
        gone = Number.objects.filter(
            pk=number.pk, giving_back_at__isnull=False, released_at=None
        ).update(released_at=now, give_back_refusal="")
        if gone:
            audit.record(
                workspace=number.workspace, by=None, action="number.released", subject=number,
                text="Given back to the carrier. It costs no more rent.",
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


def give_back_due() -> int:
    """Everything that is marked, longest untried first: one that fails stops no other.

    Returns how many are gone.
    """
    due = (
        Number.objects.filter(giving_back_at__isnull=False, released_at=None)
        .select_related("workspace")
        .order_by(F("give_back_tried_at").asc(nulls_first=True), "pk")
    )
    gone = 0
    for number in due[:AT_MOST]:
        try:
            gone += give_back(number)
        except Exception:  # the sweep's outermost edge: the next number is someone else's
            log.exception("%s could not be given back", number.e164)
    return gone
