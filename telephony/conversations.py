"""Calls and messages at Twilio, in our words.

As in ``provider``: one call each, a ``ProviderError`` when it fails, nothing is retried.
Sending and calling are not idempotent at Twilio: after a ``ProviderUnavailable`` whose
``outcome_unknown`` is true, look for it before doing it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from twilio.rest import Client

from telephony.client import call, download

LARGEST_PICTURE = 5 * 1024 * 1024
LARGEST_RECORDING = 20 * 1024 * 1024
PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A message as the provider has it. ``price`` is positive, None until it is billed."""

    sid: str
    status: str
    direction: str
    sender: str
    recipient: str
    body: str
    segments: int
    media: int
    error_code: int | None
    price: Decimal | None
    currency: str
    created_at: datetime | None

    @property
    def is_incoming(self) -> bool:
        return self.direction == "inbound"


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """A call as the provider has it. ``price`` is positive, None until it is billed."""

    sid: str
    parent_sid: str
    status: str
    direction: str
    caller: str
    called: str
    seconds: int | None
    answered_by: str
    price: Decimal | None
    currency: str
    created_at: datetime | None

    @property
    def is_incoming(self) -> bool:
        return self.direction == "inbound"


@dataclass(frozen=True, slots=True)
class ProviderRecording:
    sid: str
    status: str
    seconds: int


def send_message(
    *, sender: str, recipient: str, body: str, media_urls: list[str], status_url: str
) -> ProviderMessage:
    """Hand a message over for sending; ``status_url`` is told what becomes of it."""
    optional: dict[str, Any] = {"body": body or None, "media_url": media_urls or None}
    row = call(
        lambda twilio: twilio.messages.create(
            to=recipient, from_=sender, status_callback=status_url,
            **{name: value for name, value in optional.items() if value},
        ),
        writes=True,
    )  # fmt: skip
    return _message(row)


def fetch_message(*, sid: str) -> ProviderMessage:
    return _message(call(lambda twilio: twilio.messages(sid).fetch()))


def find_sent(*, sender: str, recipient: str, since: datetime) -> list[ProviderMessage]:
    """What was sent from one number to another since then, newest first."""
    rows = call(
        lambda twilio: twilio.messages.list(
            to=recipient, from_=sender, date_sent_after=since, limit=100
        )
    )
    return [_message(row) for row in rows]


def messages_since(since: datetime) -> Iterator[ProviderMessage]:
    """Every message of the account since then, page by page; a failure is raised."""
    page = call(lambda t: t.messages.page(date_sent_after=since, page_size=PAGE_SIZE))
    while page is not None:
        yield from map(_message, page)
        page = call(partial(_next_page, page))


def media_of(*, message_sid: str) -> list[tuple[str, str]]:
    """(SID, type) of each file of a message."""
    rows = call(lambda twilio: twilio.messages(message_sid).media.list(limit=20))
    return [(row.sid, row.content_type) for row in rows]


def place_call(
    *, caller: str, called: str, twiml: str, status_url: str, ring_seconds: int = 25,
    limit_seconds: int = 60,
) -> ProviderCall:  # fmt: skip
    """Call somebody; once they answer, do what ``twiml`` says."""
    row = call(
        lambda twilio: twilio.calls.create(
            to=called, from_=caller, twiml=twiml, status_callback=status_url,
            status_callback_event=["initiated", "ringing", "answered", "completed"],
            status_callback_method="POST", timeout=ring_seconds, time_limit=limit_seconds,
        ),
        writes=True,
    )  # fmt: skip
    return _call(row)


def fetch_call(*, sid: str) -> ProviderCall:
    return _call(call(lambda twilio: twilio.calls(sid).fetch()))


def find_placed(*, caller: str, called: str, since: datetime) -> list[ProviderCall]:
    rows = call(
        lambda twilio: twilio.calls.list(to=called, from_=caller, start_time_after=since, limit=100)
    )
    return [_call(row) for row in rows]


def calls_since(since: datetime) -> Iterator[ProviderCall]:
    """Every call of the account since then, page by page; a failure is raised."""
    page = call(lambda t: t.calls.page(start_time_after=since, page_size=PAGE_SIZE))
    while page is not None:
        yield from map(_call, page)
        page = call(partial(_next_page, page))


def fetch_recording(*, sid: str) -> tuple[bytes, str]:
    """The audio, as WAV, and its type. Raises ``NotFound`` when it was deleted."""
    path = f"{_account()}/Recordings/{sid}.wav"
    return download(path, most_bytes=LARGEST_RECORDING)


def fetch_media(*, message_sid: str, sid: str) -> tuple[bytes, str]:
    """A file of a message and its type as reported."""
    path = f"{_account()}/Messages/{message_sid}/Media/{sid}"
    return download(path, most_bytes=LARGEST_PICTURE)


def children_of(*, sid: str) -> list[ProviderCall]:
    """The legs of a call: the phones that it was forwarded to."""
    return [_call(row) for row in call(lambda t: t.calls.list(parent_call_sid=sid, limit=100))]


def recordings_of(*, sid: str) -> list[ProviderRecording]:
    """What was recorded in a call."""
    rows = call(lambda twilio: twilio.calls(sid).recordings.list(limit=20))
    return [
        ProviderRecording(
            row.sid, str(getattr(row.status, "value", row.status)), int(row.duration or 0)
        )
        for row in rows
    ]


def arrived(*, e164: str, since: datetime, most: int = 200) -> set[str]:
    """The SIDs of the calls and messages to a number since then, of each at most so many."""
    texts = call(lambda t: t.messages.list(to=e164, date_sent_after=since, limit=most))
    rings = call(lambda t: t.calls.list(to=e164, start_time_after=since, limit=most))
    return {row.sid for row in (*texts, *rings)}


def _account() -> str:
    return f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}"


def _next_page(page: Any, _twilio: Client) -> Any:
    return page.next_page()


def _price(row: Any) -> Decimal | None:
    """Twilio writes what it takes as a negative amount, in text, once it is known."""
    return None if row.price in (None, "") else abs(Decimal(str(row.price)))


def _message(row: Any) -> ProviderMessage:
    return ProviderMessage(
        sid=row.sid,
        status=str(getattr(row.status, "value", row.status)),
        direction=str(getattr(row.direction, "value", row.direction)),
        sender=row.from_ or "",
        recipient=row.to or "",
        body=row.body or "",
        segments=int(row.num_segments or 1),
        media=int(row.num_media or 0),
        error_code=row.error_code,
        price=_price(row),
        currency=(row.price_unit or "").upper(),
        created_at=_utc(row.date_created),
    )


def _call(row: Any) -> ProviderCall:
    return ProviderCall(
        sid=row.sid,
        parent_sid=row.parent_call_sid or "",
        status=str(getattr(row.status, "value", row.status)),
        direction=row.direction or "",
        caller=row._from or "",  # so it is called in the SDK
        called=row.to or "",
        seconds=int(row.duration) if row.duration else None,
        answered_by=row.answered_by or "",
        price=_price(row),
        currency=(row.price_unit or "").upper(),
        created_at=_utc(row.start_time or row.date_created),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
