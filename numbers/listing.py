"""The Numbers page as a question: what is looked for, in which order, from where on.

All of it is read from the address. Each order and each filter walks along an index
(``number_indexes.py``), so that a page costs the same with three numbers as with a hundred
thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    F,
    FilteredRelation,
    IntegerField,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.lookups import LessThan
from django.utils import timezone

from lib import keyset
from numbers.finding import Asked, condition, understand
from numbers.list_models import Tag, Tagging
from numbers.models import Number, NumberQuerySet
from numbers.number_indexes import LAST_USE, NAME
from workspaces.models import Workspace

PAGE_SIZE = 50
# Counting stops here: nobody reads further, and counting on would cost more than the page.
COUNT_TO = 1000
UNUSED_AFTER = timedelta(days=30)
NOT_IN_THE_LIST = ("notes", "words", "provider_sid", "answered_by", "used_by")


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort: by ``columns`` and then by the number's id, all in one direction."""

    label: str
    columns: tuple[Any, ...]
    kinds: tuple[type, ...]
    starts_descending: bool = False


ORDERS: dict[str, Order] = {
    "created": Order("Created", (F("created_at"),), (datetime,), starts_descending=True),
    "number": Order("Number", (F("e164"),), (str,)),
    "name": Order("Friendly name", (NAME,), (str,)),
    "capabilities": Order("Capabilities", (F("capabilities"),), (list,)),
    "type": Order("Type", (F("number_type"), F("created_at")), (str, datetime)),
    "country": Order("Country", (F("country"), F("area_code")), (str, str)),
    "status": Order("Status", (F("status"), F("created_at")), (str, datetime)),
    "payment": Order("Next payment", (F("rent__due_at"),), (datetime,)),
    "price": Order("Price", (F("monthly_price"),), (Decimal,), starts_descending=True),
    "used": Order("Last used", (LAST_USE,), (datetime,), starts_descending=True),
    "answers": Order("Answered by", (F("answered_by"),), (str,)),
    "uses": Order("Used by", (F("used_by"),), (str,)),
    "health": Order("Health", (F("health"), F("created_at")), (int, datetime), True),
}

STATUSES: dict[str, tuple[str, Q]] = {
    "active": ("Active", Q(status="active")),
    "inactive": ("Inactive", Q(status="inactive")),
    "off": ("Inactive: switched off", Q(deactivated_at__isnull=False)),
    "parked": ("Released, can be undone", Q(parked_at__isnull=False)),
    "leaving": ("Will be released", Q(release_at__isnull=False, parked_at__isnull=True)),
    "released": ("Given back", Q(released_at__isnull=False)),
}
PROBLEMS: dict[str, tuple[str, Q]] = {
    "any": ("Any problem", Q(health__gt=Number.Health.GOOD)),
    "broken": ("Broken", Q(health__gte=Number.Health.UNPAID)),
    "warning": (
        "Warning", Q(health__gt=Number.Health.GOOD, health__lt=Number.Health.UNPAID)
    ),
    "unpaid": ("Monthly fee overdue", Q(health=Number.Health.UNPAID)),
    "outbound": ("Outbound stopped", Q(health=Number.Health.OUTBOUND_STOPPED)),
    "gone": ("Not at the carrier", Q(health=Number.Health.GONE)),
    "elsewhere": ("Calls or messages go elsewhere", Q(health=Number.Health.ELSEWHERE)),
    "not_in_use": ("Not in use at the carrier", Q(health=Number.Health.NOT_IN_USE)),
    "differs": ("Not the same at the carrier", Q(health=Number.Health.DIFFERS)),
    "held": ("Not taken back by the carrier", Q(health=Number.Health.HELD)),
    "connecting": ("Not connected yet", Q(health=Number.Health.CONNECTING)),
}  # fmt: skip
UNUSED = {"30": "Not used for 30 days", "never": "Never used"}


@dataclass(frozen=True, slots=True)
class Look:
    """What the address asks for; ``after`` is the place where the page before ended."""

    text: str = ""
    status: str = ""
    number_type: str = ""
    country: str = ""
    capabilities: tuple[str, ...] = ()
    tag: Tag | None = None
    unused: str = ""
    problem: str = ""
    sort: str = "created"
    descending: bool = True
    after: str = ""

    @property
    def asked(self) -> Asked:
        return understand(self.text)

    @property
    def has_filters(self) -> bool:
        return bool(
            self.status or self.number_type or self.country or self.capabilities or self.tag
            or self.unused or self.problem
        )  # fmt: skip

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.has_filters)

    @property
    def order_words(self) -> str:
        label = ORDERS[self.sort].label.lower()
        return f"{label}, {'descending' if self.descending else 'ascending'}"

    def parameters(self) -> list[tuple[str, str]]:
        """The address of this look, without what is left at its default."""
        order = f"{'-' if self.descending else ''}{self.sort}"
        pairs = [
            ("q", self.text), ("status", self.status), ("type", self.number_type),
            ("country", self.country), *(("can", name) for name in self.capabilities),
            ("tag", self.tag.name if self.tag else ""), ("unused", self.unused),
            ("problem", self.problem),
            ("sort", "" if order == "-created" else order), ("after", self.after),
        ]  # fmt: skip
        return [(name, value) for name, value in pairs if value]

    def query_string(self, **others: str) -> str:
        """The address with some parameters replaced; an empty one is left out."""
        pairs = [(name, value) for name, value in self.parameters() if name not in others]
        return urlencode([*pairs, *((name, value) for name, value in others.items() if value)])


@dataclass(frozen=True, slots=True)
class Page:
    """Some numbers of a list. ``found`` counts all of it, up to a thousand; ``more`` says that
    there are more than that. On a later page it is None.
    """

    numbers: Sequence[Number]
    next_after: str = ""
    found: int | None = None

    @property
    def found_words(self) -> str:
        if self.found is None:
            return ""
        if self.found > COUNT_TO:
            return f"{COUNT_TO:,}+ numbers"
        return f"{self.found:,} number{'' if self.found == 1 else 's'}"


class CountTo(Subquery):
    """How many rows a limited query has, as one more column: a round trip less."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def numbers_of(workspace: Workspace, look: Look, tags: Sequence[Tag]) -> NumberQuerySet:
    """All numbers that the look asks for, in its order, whatever its place.

    ``tags`` are the workspace's: a word can be a part of a tag's name.
    """
    numbers = Number.objects.for_workspace(workspace).filter(*_filters(workspace, look, tags))
    if look.tag:
        numbers = numbers.annotate(
            tagged=FilteredRelation("taggings", condition=Q(taggings__tag=look.tag))
        ).filter(tagged__tag=look.tag)
    if _has_places(look):
        # An inner join, so that the walk goes along the places of this workspace.
        numbers = numbers.filter(payment_place__workspace=workspace)
    return numbers.order_by(
        *(column.desc() if look.descending else column.asc() for column in _columns(look))
    )


def _columns(look: Look) -> list[Any]:
    if look.tag and look.sort == "created":
        # Along the index of the tag itself, which knows when each number was bought.
        return [F("tagged__bought_at"), F("tagged__number")]
    if _has_places(look):
        return [*_sorted_by(look), F("payment_place__number")]
    return [*_sorted_by(look), F("pk")]


def _sorted_by(look: Look) -> tuple[Any, ...]:
    return (F("payment_place__due_at"),) if _has_places(look) else ORDERS[look.sort].columns


def _has_places(look: Look) -> bool:
    """Numbers that were given back have no place among the payments (``payment_places.py``)."""
    return look.sort == "payment" and look.status != "released"


def _filters(workspace: Workspace, look: Look, tags: Sequence[Tag]) -> list[Q]:
    status = STATUSES[look.status][1] if look.status else Q()
    owned = Q() if look.status == "released" else Q(released_at__isnull=True)
    filters = [owned, status]
    if look.text:
        text = look.text.lower()
        named = [tag for tag in tags if text in tag.name.lower()]
        filters.append(condition(workspace, look.asked, named))
    if look.number_type:
        filters.append(Q(number_type=look.number_type))
    if look.country:
        filters.append(Q(country=look.country))
    if look.capabilities:
        filters.append(Q(capabilities__contains=list(look.capabilities)))
    if look.unused:
        filters.append(_unused(look.unused))
    if look.problem:
        filters.append(PROBLEMS[look.problem][1])
    return filters


def _unused(which: str) -> Q:
    """A number that was bought lately had no time to be used: it is not called unused."""
    if which == "never":
        return Q(last_used_at__isnull=True)
    before = timezone.now() - UNUSED_AFTER
    return Q(created_at__lt=before) & Q(LessThan(LAST_USE, Value(before)))


def page_of(workspace: Workspace, look: Look, tags: Sequence[Tag]) -> Page:
    """Up to fifty numbers from the look's place on, in one query."""
    everything = numbers_of(workspace, look, tags)
    order = ORDERS[look.sort]
    page = everything.with_tags().annotate(**_place(look))
    after = _read_place(workspace, look)
    if after is None:
        page = page.annotate(found=_count(workspace, look, tags))
    else:
        page = page.filter(keyset.Beyond(_columns(look), after, descending=look.descending))
    rows = list(page.defer(*NOT_IN_THE_LIST)[: PAGE_SIZE + 1])
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    return Page(
        numbers=rows,
        next_after=_write_place(rows[-1], order) if more else "",
        found=None if after is not None else rows[0].found if rows else 0,
    )


def _count(workspace: Workspace, look: Look, tags: Sequence[Tag]) -> CountTo:
    if look == Look(tag=look.tag, sort=look.sort, descending=look.descending) and look.tag:
        # Only owned numbers have tags, so this needs to look at no number.
        counted: QuerySet = Tagging.objects.for_workspace(workspace).filter(tag=look.tag)
    else:
        counted = numbers_of(workspace, replace(look, sort="created"), tags)
    return CountTo(counted.values("pk")[: COUNT_TO + 1])


def _place(look: Look) -> Mapping[str, Any]:
    """The values that a row is sorted by, as the database sees them."""
    return {f"place_{i}": column for i, column in enumerate(_sorted_by(look))}


def _write_place(number: Number, order: Order) -> str:
    values = [getattr(number, f"place_{i}") for i in range(len(order.columns))]
    return keyset.write([*values, number.public_id])


def _read_place(workspace: Workspace, look: Look) -> list[Any] | None:
    """The place ends with a public id, so that addresses do not tell how many numbers there
    are in all; the query looks the row's own id up, in this workspace only.
    """
    values = keyset.read(look.after, [*ORDERS[look.sort].kinds, str])
    if values is None:
        return None
    row = Number.objects.for_workspace(workspace).filter(public_id=values[-1])
    return [*map(Value, values[:-1]), Subquery(row.values("pk"))]
