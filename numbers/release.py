"""Releasing: said before, parked for a while, and then given back (``give_back.py``).

A parked number keeps everything it had: who answers, tags, notes, the carrier's settings.
Only ``parked_at`` says that it is switched off, so undoing is taking that away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format

from numbers import give_back
from numbers.carrier_holds import hold_of, told_hold_of
from numbers.changes import refuse_if_leaving
from numbers.models import Number, NumberQuerySet
from numbers.number_refusals import CarrierHolds, NumberLocked, UndoTooLate, WrongDigits
from numbers.usages import Usage, traffic_of, usages_of
from workspaces import audit
from workspaces.models import User
from workspaces.notices import notify
from workspaces.permissions import NUMBERS_RELEASE

LAST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a person should know before. ``unused_days`` are paid; ``refunds`` says whether
    the money for them comes back.
    """

    breaks: Sequence[Usage]
    traffic: Sequence[str]
    last_used_at: datetime | None
    unused_days: int
    refunds: bool
    paid_until: datetime


def undo_time() -> timedelta:
    return timedelta(hours=settings.NUMBER_UNDO_HOURS)


def undo_words() -> str:
    """``24 hours``; empty where a release cannot be undone."""
    hours = settings.NUMBER_UNDO_HOURS
    return f"{hours} hour{'' if hours == 1 else 's'}" if hours > 0 else ""


def consequences_of(number: Number) -> Consequences:
    return Consequences(
        breaks=usages_of(number.workspace, [number])[number.pk].breaks,
        traffic=traffic_of(number),
        last_used_at=number.last_used_at,
        unused_days=max((number.paid_until - timezone.now()).days, 0),
        refunds=settings.RENT_REFUNDS_UNUSED_DAYS,
        paid_until=number.paid_until,
    )


def refuse_if_kept(number: Number, hold: str | None = None) -> None:
    """Raises the ``Refusal`` for a number that may not be released: it is locked, leaving
    already, or the carrier holds it. The carrier is asked unless ``hold`` says what it told.
    """
    refuse_if_leaving(number)
    if number.locked_at:
        raise NumberLocked(number)
    if reason := hold_of(number) if hold is None else hold:
        raise CarrierHolds(number, reason)


def refuse_if_known_to_be_kept(number: Number) -> None:
    """The same without asking the carrier: what a page can say before anything is typed."""
    refuse_if_kept(number, told_hold_of(number))


def release_now(*, number: Number, by: User, last_digits: str, hold: str | None = None) -> None:
    """Park the number: from now on nothing is received or sent, and it can be undone for
    ``undo_time``. Raises a ``Refusal``; then nothing has changed. ``hold``: see
    ``refuse_if_kept``.
    """
    _check_digits(number, last_digits)
    refuse_if_kept(number, hold)
    with transaction.atomic():
        now = timezone.now()
        if not _still_here(number).update(parked_at=now):
            _refuse(number)
        number.parked_at = now
        _tell_parked(number, by, "Released", now)


def schedule_release(*, number: Number, by: User, last_digits: str) -> None:
    """Park it when the paid month ends; until then it works, and this can be cancelled."""
    _check_digits(number, last_digits)
    refuse_if_kept(number)
    with transaction.atomic():
        if not _still_here(number).update(release_at=number.paid_until):
            _refuse(number)
        number.release_at = number.paid_until
        audit.record(
            workspace=number.workspace, by=by, action="number.release_scheduled", subject=number,
            text=f"Will be released on {_day(number, number.paid_until)}",
        )  # fmt: skip


def cancel_release(*, number: Number, by: User) -> None:
    """Take a scheduled release back, before it has begun."""
    with transaction.atomic():
        waiting = Number.objects.for_workspace(number.workspace).owned().filter(pk=number.pk)
        if not waiting.filter(parked_at=None, release_at__isnull=False).update(release_at=None):
            refuse_if_leaving(number)
            return
        number.release_at = None
        audit.record(
            workspace=number.workspace, by=by, action="number.release_cancelled", subject=number,
            text="Will not be released",
        )  # fmt: skip


def undo_release(*, number: Number, by: User) -> None:
    """Put a released number back as it was. Raises ``UndoTooLate`` once it is decided that the
    carrier gets it.
    """
    with transaction.atomic():
        parked = Number.objects.for_workspace(number.workspace).owned().filter(pk=number.pk)
        parked = parked.filter(parked_at__isnull=False)
        if not parked.filter(giving_back_at=None).update(parked_at=None):
            if parked.exists():
                raise UndoTooLate(number)
            return
        # A schedule that has brought it here would release it again at once.
        Number.objects.filter(pk=number.pk, release_at__lte=timezone.now()).update(release_at=None)
        audit.record(
            workspace=number.workspace, by=by, action="number.release_undone", subject=number,
            text="Release undone",
        )  # fmt: skip


def park_due() -> None:
    """Park the numbers whose scheduled time has come, each in a commit of its own."""
    now = timezone.now()
    due = Number.objects.owned().filter(release_at__lte=now, parked_at=None)
    for number in due.select_related("workspace").order_by("release_at", "pk")[:100]:
        with transaction.atomic():
            if _still_here(number).filter(release_at__lte=now).update(parked_at=now):
                number.parked_at = now
                _tell_parked(number, None, "Released as planned", now)


def decide_due() -> int:
    """Mark what was parked for long enough: from then on it is given back, and nobody can undo
    it. Whichever of the two conditional updates comes first wins. Returns how many.
    """
    parked = Number.objects.owned().filter(parked_at__lte=timezone.now() - undo_time())
    return give_back.decide(parked)


def _still_here(number: Number) -> NumberQuerySet:
    mine = Number.objects.for_workspace(number.workspace).owned().filter(pk=number.pk)
    return mine.filter(parked_at=None, giving_back_at=None, locked_at=None)


def _refuse(number: Number) -> None:
    """Somebody was quicker: say with what."""
    refuse_if_leaving(number)
    raise NumberLocked(number)


def _check_digits(number: Number, last_digits: str) -> None:
    if last_digits != number.e164[-LAST_DIGITS:]:
        raise WrongDigits(number)


def _tell_parked(number: Number, by: User | None, text: str, now: datetime) -> None:
    workspace = number.workspace
    audit.record(
        workspace=workspace, by=by, action="number.parked", subject=number, text=text,
        details={"name": number.friendly_name},
    )  # fmt: skip
    notify(
        workspace=workspace,
        key=f"released:{number.public_id}:{now.isoformat()}",
        permission=NUMBERS_RELEASE,
        subject=f"{number.international} was released",
        body=render_to_string(
            "numbers/mail/released.txt",
            {"number": number, "workspace": workspace, "by": by,
             "until": now + undo_time() if undo_words() else None,
             "address": f"{settings.PUBLIC_BASE_URL}{number.get_absolute_url()}"},
        ),
    )  # fmt: skip


def _day(number: Number, moment: datetime) -> str:
    return date_format(moment.astimezone(ZoneInfo(number.workspace.time_zone)), "j M Y")
