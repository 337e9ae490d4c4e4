"""What will be charged soon, told by the app that charges it (``settings.RENT_AHEAD``).

A workspace can have 100,000 numbers: what is needed of all of them comes summed, and rows
come a part at a time.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from lib import e164
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Charge:
    """The rent of one number. What is overdue has its date in the past."""

    due_at: datetime
    amount: Decimal
    number: str

    @property
    def text(self) -> str:
        return e164.international(self.number)


@dataclass(frozen=True, slots=True)
class Day:
    """What falls due from so many whole days ahead until the next; overdue rent is on day 0.

    ``cheapest`` is the least of its charges.
    """

    ahead: int
    amount: Decimal
    count: int
    cheapest: Decimal


def _told(what: str, *words: object, **options: Any) -> Any:
    return import_string(settings.RENT_AHEAD[what])(*words, **options)


def upcoming_days(
    workspace: Workspace, *, now: datetime, days: int, most: int = 0,
    covered: Decimal | None = None,
) -> tuple[list[Day], list[Charge]]:  # fmt: skip
    """The days on which something falls due, in order, and the first charges of them: more
    than ``most`` where their sum is not ``covered``, since which of them are not is then told.
    """
    return _told("days", workspace, now=now, days=days, most=most, covered=covered)


def upcoming_charges(
    workspace: Workspace, *, until: datetime, most: int, since: datetime | None = None,
    skip: int = 0,
) -> list[Charge]:  # fmt: skip
    """The charges that fall due up to then, the earliest first, at most so many of them."""
    return _told("charges", workspace, since=since, until=until, most=most, skip=skip)


def upcoming_dates(workspace: Workspace, *, until: datetime) -> list[tuple[date, Decimal]]:
    """What falls due on each date in the workspace's time zone, overdue rent on its own."""
    return _told("dates", workspace, until=until)


def rent_due(*, until: datetime, workspace: Workspace | None = None) -> dict[int, Decimal]:
    """The rent that falls due up to then, overdue rent too, by the workspace's id."""
    return _told("due", until=until, workspace=workspace)
