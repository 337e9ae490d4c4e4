"""What people change about a number they own. Each change and its line in the audit trail
are one commit; a change that is there already is neither made nor told again.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from numbers import names
from numbers.models import Number
from numbers.number_refusals import (
    NumberGivenBack,
    NumberIsReleased,
    ReleaseIsScheduled,
    UndoTooLate,
)
from workspaces import audit
from workspaces.models import User


def rename(*, number: Number, by: User, name: str) -> None:
    """Call the number ``name``, here at once and at the carrier as soon as it answers."""
    with transaction.atomic():
        changed = _change(
            number, by, ~Q(friendly_name=name), "number.renamed",
            f"Called “{name}”" if name else "Called by its number",
            {"friendly_name": [number.friendly_name, name]},
            friendly_name=name, name_unsent_since=timezone.now(),
        )  # fmt: skip
        if changed:
            names.ring_for(number)


def write_notes(*, number: Number, by: User, notes: str) -> None:
    _change(
        number, by, ~Q(notes=notes), "number.noted", "Notes changed" if notes else "Notes removed",
        {"notes": [number.notes, notes]}, notes=notes,
    )  # fmt: skip


def deactivate(*, number: Number, by: User) -> None:
    """Switch it off: nothing is received and nothing is sent; the monthly fee goes on."""
    _change(
        number, by, Q(deactivated_at__isnull=True), "number.deactivated", "Switched off", {},
        deactivated_at=timezone.now(),
    )  # fmt: skip


def activate(*, number: Number, by: User) -> None:
    """Take back that somebody switched it off. Other reasons, such as a fee that is overdue,
    stay as they are.
    """
    _change(
        number, by, Q(deactivated_at__isnull=False), "number.activated", "Switched on", {},
        deactivated_at=None,
    )  # fmt: skip


def lock(*, number: Number, by: User) -> None:
    """Nobody can release it until it is unlocked. One that is going to be released refuses."""
    if number.release_at and not number.parked_at:
        raise ReleaseIsScheduled(number)
    _change(
        number, by, Q(locked_at__isnull=True, release_at__isnull=True), "number.locked",
        "Locked against release", {}, locked_at=timezone.now(),
    )  # fmt: skip


def unlock(*, number: Number, by: User) -> None:
    _change(
        number, by, Q(locked_at__isnull=False), "number.unlocked", "Unlocked for release", {},
        locked_at=None,
    )  # fmt: skip


def refuse_if_leaving(number: Number) -> None:
    """Raises the ``Refusal`` for a number that is released or given back, as it is now."""
    facts = ("parked_at", "giving_back_at", "released_at")
    now = Number.objects.filter(pk=number.pk).values(*facts).get()
    if now["released_at"]:
        raise NumberGivenBack(number)
    if now["giving_back_at"]:
        raise UndoTooLate(number)
    if now["parked_at"]:
        raise NumberIsReleased(number)


@transaction.atomic
def _change(
    number: Number, by: User, still: Q, action: str, text: str, details: dict[str, Any],
    **values: Any,
) -> bool:  # fmt: skip
    """Make the change where it is ``still`` to be made; returns whether it was."""
    mine = Number.objects.for_workspace(number.workspace).owned().filter(pk=number.pk)
    if not mine.filter(still, parked_at=None, giving_back_at=None).update(**values):
        refuse_if_leaving(number)
        return False
    for name, value in values.items():
        setattr(number, name, value)
    audit.record(
        workspace=number.workspace, by=by, action=action, subject=number, text=text,
        details=details,
    )  # fmt: skip
    return True
