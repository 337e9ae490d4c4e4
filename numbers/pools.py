"""Messaging services at the carrier that keep the messages of our numbers from us.

Which service a number is in cannot be asked there. The walk reads every pool; a look at one
number asks pool by pool, and only so many, since somebody waits.
"""

from collections.abc import Iterator

from numbers.compare import Finding, Kind
from numbers.models import Number
from numbers.sync_models import Difference
from telephony import messaging_services
from telephony.messaging_services import MessagingService, TooMany
from telephony.values import Capability
from telephony.webhook_urls import webhooks_for_numbers

MOST_POOLS = 500
MOST_ASKED = 10


def walk_pools() -> Iterator[list[tuple[Number, Finding]]]:
    """Our numbers in such pools, a page of a pool at a time. Raises ``ProviderError``: then
    what came before is true, and not all.
    """
    services = _services()
    for service in services[:MOST_POOLS]:
        for sids in messaging_services.sender_pages(service.sid):
            ours = Number.objects.owned().filter(provider_sid__in=sids)
            yield [(number, _finding(service)) for number in ours]
    _all_of(services, MOST_POOLS)


def finding_of(number: Number) -> Finding | None:
    """The service that takes this number's messages, or none. Raises ``ProviderError`` also
    where there are too many services to say so.
    """
    if not any(number.can(kind) for kind in (Capability.SMS, Capability.MMS)):
        return None
    services = _services()
    if len(services) > MOST_ASKED:
        known = set(_known(number))
        services.sort(key=lambda service: service.sid not in known)
    for service in services[:MOST_ASKED]:
        if messaging_services.has_sender(service.sid, number.provider_sid):
            return _finding(service)
    _all_of(services, MOST_ASKED)
    return None


def _services() -> list[MessagingService]:
    ours = webhooks_for_numbers([Capability.SMS]).message_url
    return messaging_services.taking_messages_from(ours)


def _known(number: Number) -> list[str]:
    """Where the last walk has seen it."""
    rows = Difference.objects.open().of(number).filter(kind=Kind.SERVICE)
    return [theirs["messaging_service"] for theirs in rows.values_list("theirs", flat=True)]


def _all_of(services: list[MessagingService], most: int) -> None:
    if len(services) > most:
        raise TooMany(f"{len(services)} messaging services, of which {most} were asked")


def _finding(service: MessagingService) -> Finding:
    theirs = {
        "messaging_service": service.sid, "service_name": service.name,
        "service_url": service.inbound_url,
    }  # fmt: skip
    if service.registered:
        theirs["us_registration"] = "Messages to the US are sent under that of the service"
    return Finding(Kind.SERVICE, theirs=theirs, asks=True)
