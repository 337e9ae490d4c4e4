"""What the inbox shows: conversations, and what was said in one of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DecimalField, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import JSONObject

from compliance.models import OptOut
from interactions.models import (
    Call,
    CallLeg,
    Conversation,
    MediaFile,
    Message,
    Usage,
    Voicemail,
)
from lib import e164 as formats
from lib import money
from workspaces.models import Workspace

PAGE_SIZE, FEW = 40, 5
ENTRIES = 40
FEWEST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. ``before`` is where the page before ended."""

    text: str = ""
    unread: bool = False
    number: str = ""
    before: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    conversations: list[Conversation]
    next_before: str


def conversations(workspace: Workspace, wanted: Wanted, *, most: int = PAGE_SIZE) -> Page:
    """One page of conversations, the newest first; as quick for the last page as the first."""
    rows: QuerySet = (
        Conversation.objects.for_workspace(workspace)
        .select_related("number")
        .order_by("-last_at", "-pk")
    )
    if wanted.unread:
        rows = rows.filter(unread__gt=0)
    if wanted.number:
        rows = rows.filter(number__public_id=wanted.number)
    if wanted.text:
        rows = rows.filter(_matches(workspace, wanted.text))
    if wanted.before:
        at, public_id = wanted.before
        # A conversation that was last touched in the very same moment comes after it by its id.
        last = Conversation.objects.for_workspace(workspace).filter(public_id=public_id)
        same_moment = Q(last_at=at, pk__lt=Subquery(last.values("pk")))
        rows = rows.filter(Q(last_at__lt=at) | same_moment)
    found = list(rows[: most + 1])
    more = found[most - 1] if len(found) > most else None
    return Page(found[:most], f"{more.last_at.isoformat()}~{more.public_id}" if more else "")


def _matches(workspace: Workspace, text: str) -> Q:
    """The digits of the contact, or words of any message."""
    said = Message.objects.for_workspace(workspace).filter(body__icontains=text)
    matches = Q(pk__in=said.values("conversation"))
    digits = formats.digits_from(text) if not text.isalpha() else ""
    if len(digits) >= FEWEST_DIGITS:
        matches |= Q(contact__contains=digits)
    elif text.isalnum():
        matches |= Q(contact__icontains=text)
    return matches


def read_before(text: str) -> tuple[datetime, str] | None:
    """The end of a page from the address; None for anything else."""
    moment, _sign, public_id = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        # The first day of all, somewhere east of Greenwich, is a moment that no clock has.
        return (at.astimezone(UTC), public_id) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def with_opt_out(conversation: QuerySet) -> QuerySet:
    """The conversation with ``opted_out``: whether its contact must not be written to."""
    in_force = OptOut.objects.filter(
        workspace=OuterRef("workspace"), contact=OuterRef("contact"), opted_in_at=None
    )
    return conversation.annotate(opted_out=Exists(in_force))


@dataclass(frozen=True, slots=True)
class Entry:
    """A call or message as a line of a conversation, with what it cost."""

    item: Call | Message
    is_call: bool
    cost: str
    media: list[dict[str, Any]]
    voicemails: list[dict[str, Any]]

    @property
    def at(self) -> datetime:
        return self.item.at


def entries(conversation: Conversation, before: datetime | None) -> tuple[list[Entry], str]:
    """The newest entries before a moment, the oldest of them first, and where to go on.

    Two queries, however many there are.
    """
    messages = Message.objects.filter(conversation=conversation).annotate(
        files=ArraySubquery(_media()), cost=_cost("message")
    )
    calls = Call.objects.filter(conversation=conversation).annotate(
        recordings=ArraySubquery(_voicemails()),
        forwarded=ArraySubquery(_legs()),
        cost=_cost("call"),
    )
    found: list[Message | Call] = [
        *_newest(messages.select_related("sent_by"), before),
        *_newest(calls, before),
    ]
    found.sort(key=lambda item: item.at, reverse=True)
    shown = found[:ENTRIES]
    go_on = shown[-1].at.isoformat() if len(found) > ENTRIES else ""
    return [_entry(item) for item in reversed(shown)], go_on


def _newest(rows: QuerySet, before: datetime | None) -> Iterable[Any]:
    if before is not None:
        rows = rows.filter(at__lt=before)
    return rows.order_by("-at", "-pk")[: ENTRIES + 1]


def _media() -> QuerySet:
    return (
        MediaFile.objects.filter(message=OuterRef("pk"))
        .order_by("position")
        .values(json=JSONObject(id="public_id", state="state", because="refused_because"))
    )


def _voicemails() -> QuerySet:
    return (
        Voicemail.objects.filter(call=OuterRef("pk"))
        .order_by("at")
        .values(
            json=JSONObject(id="public_id", state="state", seconds="seconds", text="transcription")
        )
    )


def _legs() -> QuerySet:
    return CallLeg.objects.filter(call=OuterRef("pk"), seconds__gt=0).values("e164")


def _cost(subject: str) -> Subquery:
    """What was charged for it; rows that are held or due count as the estimate they are."""
    total = (
        Usage.objects.filter(**{subject: OuterRef("pk")})
        .values(subject)
        .annotate(sum=Sum("amount"))
        .values("sum")
    )
    return Subquery(total, output_field=DecimalField())


def _entry(item: Any) -> Entry:
    is_call = isinstance(item, Call)
    cost: Decimal | None = item.cost
    return Entry(
        item=item,
        is_call=is_call,
        # Prices of usage are in the provider's currency, which is the wallet's.
        cost=money.show(cost, "USD") if cost else "",
        media=[] if is_call else item.files,
        voicemails=item.recordings if is_call else [],
    )
