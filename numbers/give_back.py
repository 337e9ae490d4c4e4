"""Giving a number back to the carrier, until the carrier confirms it.

Think of the process dying on each line. ``giving_back_at`` is committed before anybody calls:
from there on nothing is undone and the sweep asks again, however often. Asking for a number
that is gone already is fine, so asking twice harms nothing.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from numbers.models import Number, NumberQuerySet
from numbers.number_refusals import CarrierHolds
from numbers.release import undo_time
from telephony import provider
from telephony.errors import ProviderError, ReleaseRefused
from workspaces import audit
from workspaces.notices import notify
from workspaces.permissions import NUMBERS_RELEASE

log = logging.getLogger(__name__)

AT_MOST = 50
# Longer than a call can last, so that two processes do not ask at the same time.
ASK_AGAIN = timedelta(minutes=5)


def give_back_due() -> int:
    """Give back what was parked for long enough, each number on its own. Returns how many
    went.
    """
    due = list(_due().order_by("parked_at", "pk").values_list("pk", flat=True)[:AT_MOST])
    return sum(give_back(number_id) for number_id in due)


def _due() -> NumberQuerySet:
    now = timezone.now()
    patience = timedelta(seconds=settings.TWILIO_TIMEOUT_SECONDS) + ASK_AGAIN
    return (
        Number.objects.owned()
        .filter(parked_at__lte=now - undo_time())
        .filter(Q(giving_back_at=None) | Q(giving_back_at__lt=now - patience))
    )


def give_back(number_id: int) -> bool:
    """Ask the carrier to take the number, and note it when it has. Whoever moves
    ``giving_back_at`` asks; everybody else finds it moved.
    """
    if not _due().filter(pk=number_id).update(giving_back_at=timezone.now()):
        return False
    number = Number.objects.select_related("workspace").get(pk=number_id)
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
        mine = Number.objects.owned().filter(pk=number.pk)
        if not mine.update(released_at=timezone.now(), give_back_refusal=""):
            return False
        audit.record(
            workspace=number.workspace, by=None, action="number.given_back", subject=number,
            text="Given back to the carrier",
            details={"provider_sid": number.provider_sid, "name": number.friendly_name},
        )  # fmt: skip
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
