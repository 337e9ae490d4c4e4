"""Comparing one number with the carrier for its own people: what was seen, when, and its cure.

The walk over all numbers (``sync.py``) does the same every hour.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from numbers import cures, sync
from numbers.compare import Kind
from numbers.models import Number
from numbers.number_refusals import NotAtCarrier, NumberGivenBack
from numbers.refusals import refusal_for
from numbers.sync_models import Difference, NumberCheck, SyncRun
from telephony.errors import NotFound, ProviderError
from workspaces.models import User

MOST = 20
# What the people of the workspace can set right: the rest is support's.
CURABLE = {
    Kind.WEBHOOKS: "Send them here again",
    Kind.OVERRIDDEN: "Take it off",
    Kind.SERVICE: "Take it out of the service",
    Kind.NAME: "Write our name again",
    Kind.CAPABILITIES: "Take over what the carrier says",
    Kind.EMERGENCY: "Take over what the carrier says",
    Kind.BUNDLE: "Take over what the carrier says",
    Kind.RETURNED: "Use it again",
}
FIELDS = {
    "voice_url": "Calls", "voice_fallback_url": "Calls, second address",
    "voice_status_url": "Reports on calls", "message_url": "Messages",
    "message_fallback_url": "Messages, second address", "name": "Name",
    "capabilities": "Can do", "status": "Status", "voice_application": "Application for calls",
    "message_application": "Application for messages", "trunk": "Trunk", "sid": "Sid",
    "voice_method": "Method for calls", "voice_fallback_method": "Method, second address",
    "voice_status_method": "Method for reports", "message_method": "Method for messages",
    "message_fallback_method": "Method for messages, second address",
    "emergency_address_status": "Emergency address", "bundle_sid": "Documents",
    "messaging_service": "Messaging service", "service_name": "Name of the service",
    "service_url": "Messages", "us_registration": "Registration (A2P)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A difference as a row: each field with what we have and what the carrier has."""

    difference: Difference

    @property
    def fields(self) -> list[tuple[str, str, str]]:
        ours, theirs = self.difference.ours, self.difference.theirs
        return [
            (FIELDS.get(name, name), _words(ours.get(name)), _words(theirs.get(name)))
            for name in dict.fromkeys([*ours, *theirs])
        ]

    @property
    def cure_label(self) -> str:
        """Empty where the workspace can do nothing about it."""
        if self.difference.ended_at is not None:
            return ""
        return CURABLE.get(Kind(self.difference.kind), "")

    @property
    def can_be_left(self) -> bool:
        return self.difference.asks and self.difference.left_at is None and bool(self.cure_label)


@dataclass(frozen=True, slots=True)
class Look:
    """A time at which the number was compared. ``by`` is empty for the hourly walk."""

    at: datetime
    by: str
    found: int | None
    answered: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """Newest first. ``compared_at`` is None for a number that was never compared yet."""

    compared_at: datetime | None
    looks: Sequence[Look]
    differences: Sequence[Seen]


def history_of(number: Number) -> History:
    """Three queries."""
    checks = NumberCheck.objects.for_workspace(number.workspace).filter(number=number)
    runs = SyncRun.objects.filter(
        complete=True, dry_run=False, started_at__gt=number.created_at, ended_at__isnull=False
    )
    if number.released_at:
        runs = runs.filter(started_at__lt=number.released_at)
    looks = [
        Look(check.at, str(check.by or ""), check.found, check.answered)
        for check in checks.select_related("by").order_by("-at")[:MOST]
    ]
    looks += [Look(run.ended_at or run.started_at, "", None) for run in runs[:5]]
    looks.sort(key=lambda look: look.at, reverse=True)
    differences = Difference.objects.filter(workspace=number.workspace, number=number)
    ordered = differences.order_by("-last_seen_at", "-pk")[:MOST]
    return History(
        compared_at=next((look.at for look in looks if look.answered), None),
        looks=looks[:MOST],
        differences=[Seen(difference) for difference in ordered],
    )


def check_now(*, number: Number, by: User) -> list[Difference]:
    """Compare it, and set right what needs no question. Returns what is still open.

    Raises a ``Refusal`` where the carrier gives no answer; what was set right stays so.
    """
    if number.released_at:
        raise NumberGivenBack(number)
    with asking_about(number):
        for difference in sync.check_number(number, by=by):
            if difference.asks or difference.left_at or difference.kind not in cures.CURES:
                continue
            try:
                cures.cure(difference, by=by)
            except cures.NothingToCure:
                continue
    return list(Difference.objects.open().of(number))


def cure_now(*, difference: Difference, by: User) -> None:
    """Set one difference right. Raises a ``Refusal``."""
    if Kind(difference.kind) not in CURABLE or difference.number is None:
        raise cures.NothingToCure
    with asking_about(difference.number):
        cures.cure(difference, by=by)


@contextmanager
def asking_about(number: Number) -> Iterator[None]:
    """What goes wrong at the carrier, as a ``Refusal`` that a person can act on."""
    try:
        yield
    except NotFound as error:
        raise NotAtCarrier(number) from error
    except ProviderError as error:
        raise refusal_for(error) from error


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value) or "nothing"
    return str(value or "nothing")
