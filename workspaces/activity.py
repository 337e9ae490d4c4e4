"""Looking through the audit trail: who did what, when and from where."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet, Value

from lib import keyset
from lib.csv_lines import Line, harmless
from workspaces.models import AuditEvent, Workspace

PAGE_SIZE = 50
AT_ONCE = 500
MOST_WORDS = 5

# What people call it, and how the actions begin that are about it: every one is somewhere.
AREAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "number": ("Numbers", ("number.", "difference.")),
    "order": ("Orders", ("order.", "request.")),
    "route": ("Routing", ("route.",)),
    "wallet": ("Wallet", ("wallet.", "rent.")),
    "member": ("Members", ("member.",)),
    "workspace": ("Settings", ("workspace.", "limits.")),
}
HEADER = ["when", "who", "from", "action", "about", "what", "details"]


@dataclass(frozen=True, slots=True)
class Question:
    """What the address asks for. ``about`` is the public id of a number; dates are days in
    the workspace's time zone, both included.
    """

    text: str = ""
    who: str = ""
    area: str = ""
    about: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.who or self.area or self.about or self.first or self.last)

    def query_string(self, **others: str) -> str:
        pairs = {
            "q": self.text, "who": self.who, "area": self.area, "about": self.about,
            "first": self.first.isoformat() if self.first else "",
            "last": self.last.isoformat() if self.last else "", **others,
        }  # fmt: skip
        return urlencode([(name, value) for name, value in pairs.items() if value])


@dataclass(frozen=True, slots=True)
class EventPage:
    events: Sequence[AuditEvent]
    next_after: str


def events_of(workspace: Workspace, question: Question) -> QuerySet[AuditEvent]:
    """The events asked for, newest first."""
    events = AuditEvent.objects.for_workspace(workspace)
    if question.about:
        events = events.of_subject("number", question.about)
    if question.area:
        _, beginnings = AREAS[question.area]
        events = events.filter(reduce(or_, (Q(action__startswith=one) for one in beginnings)))
    if question.who:
        events = events.filter(by_name__icontains=question.who)
    for word in question.text.lower().split()[:MOST_WORDS]:
        events = events.filter(words__contains=word)
    zone = ZoneInfo(workspace.time_zone)
    if question.first:
        events = events.filter(at__gte=datetime.combine(question.first, time(), zone))
    if question.last:
        events = events.filter(at__lte=datetime.combine(question.last, time.max, zone))
    return events.order_by("-pk")


def page_of(workspace: Workspace, question: Question, after: str) -> EventPage:
    """Up to fifty events from the place on. A place that cannot be read is the beginning."""
    events = events_of(workspace, question)
    if place := keyset.read(after, [int]):
        events = events.filter(keyset.Beyond([F("pk")], [Value(place[0])], descending=True))
    found = list(events.defer("words")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    more = len(found) > PAGE_SIZE
    return EventPage(shown, keyset.write([shown[-1].pk]) if more else "")


def csv_lines(workspace: Workspace, question: Question) -> Iterator[str]:
    """The events as CSV, through a cursor of the server: as many as there are, few at once."""
    writer = csv.writer(Line())
    zone = ZoneInfo(workspace.time_zone)
    yield "\ufeff"  # so that spreadsheets read it as UTF-8
    yield writer.writerow(HEADER)
    for event in events_of(workspace, question).iterator(chunk_size=AT_ONCE):
        yield writer.writerow(_values(event, zone))


def _values(event: AuditEvent, zone: ZoneInfo) -> list[Any]:
    return [
        event.at.astimezone(zone).isoformat(timespec="seconds"), harmless(event.by_name),
        event.origin, event.action, harmless(event.label), harmless(event.text),
        harmless(event.changes_in_words),
    ]  # fmt: skip
