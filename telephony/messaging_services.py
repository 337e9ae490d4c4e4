"""Messaging services at Twilio. One that has a number in its pool of senders takes the number's
messages, whatever webhook the number has, unless the service is told to defer to that.

As in ``provider``: a ``ProviderError`` when something fails, nothing is retried. Twilio cannot
be asked in which service a number is: services are read, then their pools.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from twilio.rest import Client

from telephony.client import call
from telephony.errors import NotFound, ProviderError

PAGE_SIZE = 1000
MOST_SERVICES = 5000
ALREADY_IN_IT = 21710


class TooMany(ProviderError):
    """More services than are read: what was read is not all."""


@dataclass(frozen=True, slots=True)
class MessagingService:
    """``inbound_url`` is where it sends messages that come in; empty where it drops them.
    ``registered``: numbers of the US send through it with its A2P registration.
    """

    sid: str
    name: str
    inbound_url: str
    registered: bool


def taking_messages_from(message_url: str) -> list[MessagingService]:
    """All services that keep the messages of their numbers from ``message_url``."""
    rows = call(
        lambda twilio: twilio.messaging.v1.services.list(
            page_size=PAGE_SIZE, limit=MOST_SERVICES + 1
        )
    )
    if len(rows) > MOST_SERVICES:
        raise TooMany(f"more than {MOST_SERVICES} messaging services")
    return [
        MessagingService(row.sid, row.friendly_name or "", row.inbound_request_url or "",
                         bool(row.us_app_to_person_registered))
        for row in rows
        if not row.use_inbound_webhook_on_number and row.inbound_request_url != message_url
    ]  # fmt: skip


def sender_pages(service_sid: str) -> Iterator[list[str]]:
    """The sids of the numbers in its pool, a page at a time; a failure in between is raised."""
    page, sids = call(lambda twilio: _read(_pool(twilio, service_sid).page(page_size=PAGE_SIZE)))
    while True:
        yield sids
        following = call(partial(_next_page, page))
        if following is None:
            return
        page, sids = following


def has_sender(service_sid: str, sid: str) -> bool:
    try:
        call(lambda twilio: twilio.messaging.v1.services(service_sid).phone_numbers(sid).fetch())
    except NotFound:
        return False
    return True


def remove_sender(service_sid: str, sid: str) -> None:
    """Its messages go to its own webhook again. One that is not in the pool is fine."""
    try:
        call(
            lambda twilio: twilio.messaging.v1.services(service_sid).phone_numbers(sid).delete(),
            writes=True,
        )
    except NotFound:
        return


def add_sender(service_sid: str, sid: str) -> None:
    """One that is in this pool already is fine."""
    try:
        call(lambda twilio: _pool(twilio, service_sid).create(phone_number_sid=sid), writes=True)
    except ProviderError as error:
        if error.provider_code != ALREADY_IN_IT:
            raise


def _pool(twilio: Client, service_sid: str) -> Any:
    return twilio.messaging.v1.services(service_sid).phone_numbers


def _read(page: Any) -> tuple[Any, list[str]]:
    return page, [row.sid for row in page]


def _next_page(page: Any, _twilio: Client) -> tuple[Any, list[str]] | None:
    following = page.next_page()
    return None if following is None else _read(following)
