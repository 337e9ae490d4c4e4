"""Who answers a number and what else uses it, told by the apps that stand above this one.

``settings.NUMBER_USAGES`` is a list of dotted paths, like MIDDLEWARE, of functions
``(workspace, numbers) -> list[Usage]``: each tells for all given numbers at once, with a
query count that does not grow with them. An app that changes what it tells of a number calls
``keep_order``, since the list is sorted by it. ``settings.NUMBER_TRAFFIC`` lists functions
``(number) -> list[str]`` that tell of recent calls and messages in sentences.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from numbers.models import LONGEST_USAGE, Number, NumberQuerySet
from workspaces.models import Workspace

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Usage:
    """One thing that a number does for somebody.

    ``what`` is its kind in a word ("Assistant", "Campaign"), ``name`` its own name, ``url``
    where it is. ``answers``: calls and messages to the number go there. ``breaks`` says in a
    sentence what stops when the number is given back; empty where nothing does.
    """

    number_id: int
    what: str
    name: str
    url: str = ""
    answers: bool = False
    breaks: str = ""


@dataclass(slots=True)
class Usages:
    """Of one number."""

    answered_by: list[Usage] = field(default_factory=list)
    used_by: list[Usage] = field(default_factory=list)

    @property
    def breaks(self) -> list[Usage]:
        return [usage for usage in (*self.answered_by, *self.used_by) if usage.breaks]

    def __bool__(self) -> bool:
        return bool(self.answered_by or self.used_by)


def usages_of(workspace: Workspace, numbers: Sequence[Number]) -> dict[int, Usages]:
    """For each of the numbers, by primary key. Asks every app once, however many there are."""
    found = {number.pk: Usages() for number in numbers}
    if not numbers:
        return found
    for usage in _all(workspace, numbers):
        of_number = found[usage.number_id]
        (of_number.answered_by if usage.answers else of_number.used_by).append(usage)
    return found


@transaction.atomic
def keep_order(workspace: Workspace, numbers: NumberQuerySet) -> int:
    """Note with these numbers of the workspace what the list sorts them by. To be called in
    the transaction that changes who answers or uses them, after the change. Returns how many
    stood at another place.
    """
    # Locked before anything is asked: of two that come at once, the later sees the earlier's.
    mine = numbers.for_workspace(workspace).order_by("pk")
    locked = list(mine.select_for_update(no_key=True, of=("self",)))
    moved = []
    for number, usages in zip(locked, usages_of(workspace, locked).values(), strict=True):
        place = _place(usages.answered_by), _place(usages.used_by)
        if place != (number.answered_by, number.used_by):
            number.answered_by, number.used_by = place
            moved.append(number)
    return Number.objects.bulk_update(moved, ["answered_by", "used_by"])


def _place(usages: Sequence[Usage]) -> str:
    return ", ".join(usage.name for usage in usages).lower()[:LONGEST_USAGE]


def keep_every_order() -> int:
    """The same for all numbers of all workspaces, some at a time."""
    return sum(
        keep_order(workspace, Number.objects.filter(pk__in=some))
        for workspace in Workspace.objects.order_by("pk").iterator()
        for some in _batches(workspace)
    )


def _batches(workspace: Workspace) -> Iterator[list[int]]:
    mine = Number.objects.for_workspace(workspace).owned().order_by("pk")
    last = 0
    while some := list(mine.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        yield some
        last = some[-1]


def _all(workspace: Workspace, numbers: Sequence[Number]) -> Iterable[Usage]:
    for path in settings.NUMBER_USAGES:
        yield from import_string(path)(workspace, numbers)


def traffic_of(number: Number) -> list[str]:
    """Sentences on what came and went over the number lately."""
    return [line for path in settings.NUMBER_TRAFFIC for line in import_string(path)(number)]
