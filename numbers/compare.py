"""One number here and at the provider: what differs. No database, no calls."""

from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from numbers.models import Number
from numbers.sync_models import Difference
from telephony.values import Overrides, OwnedNumber, Webhooks
from telephony.webhook_urls import webhooks_for_numbers

Kind = Difference.Kind
NONE = Overrides()


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference as it was just seen. ``asks``: somebody else's doing, not to be undone
    without a word.
    """

    kind: Difference.Kind
    ours: dict[str, Any] = field(default_factory=dict)
    theirs: dict[str, Any] = field(default_factory=dict)
    asks: bool = False


def compare(number: Number, owned: OwnedNumber) -> list[Finding]:
    """Everything about one number that is not as we have it."""
    findings = [
        *([Finding(Kind.RETURNED)] if number.vanished_at else []),
        *_webhooks(owned, webhooks_for_numbers(owned.capabilities)),
        *_overrides(owned),
        *_capabilities(number, owned),
        *_regulation(number, owned),
    ]
    if number.friendly_name and owned.friendly_name != number.friendly_name:
        findings.append(
            Finding(Kind.NAME, {"name": number.friendly_name}, {"name": owned.friendly_name})
        )
    if owned.status not in ("", "in-use"):
        findings.append(
            Finding(Kind.NOT_IN_USE, {"status": "in-use"}, {"status": owned.status}, asks=True)
        )
    return findings


def _webhooks(owned: OwnedNumber, wanted: Webhooks) -> list[Finding]:
    if owned.webhooks == wanted:
        return []
    theirs, ours = asdict(owned.webhooks), asdict(wanted)
    other = {name: value for name, value in theirs.items() if value != ours[name]}
    # A method is nobody's address: only where it is sent can be meant.
    addresses = [value for name, value in other.items() if name.endswith("_url")]
    foreign = any(url and not _is_ours(url, wanted) for url in addresses)
    return [Finding(Kind.WEBHOOKS, {name: ours[name] for name in other}, other, asks=foreign)]


def _is_ours(url: str, wanted: Webhooks) -> bool:
    """An address of this site, maybe of an older version of it."""
    return urlsplit(url).netloc == urlsplit(wanted.voice_url).netloc


def _overrides(owned: OwnedNumber) -> list[Finding]:
    """An application or trunk set on a number makes the provider ignore our webhooks."""
    if owned.overrides == NONE:
        return []
    found = {name: sid for name, sid in asdict(owned.overrides).items() if sid}
    return [Finding(Kind.OVERRIDDEN, {}, found, asks=True)]


def _capabilities(number: Number, owned: OwnedNumber) -> list[Finding]:
    ours, theirs = sorted(number.capabilities), sorted(owned.capabilities)
    if ours == theirs:
        return []
    return [Finding(Kind.CAPABILITIES, {"capabilities": ours}, {"capabilities": theirs})]


def _regulation(number: Number, owned: OwnedNumber) -> list[Finding]:
    """The emergency address and the documents, against what the carrier told last."""
    emergency = emergency_of(owned)
    facts = [
        (Kind.EMERGENCY, "emergency_address_status", number.emergency_address_status, emergency),
        (Kind.BUNDLE, "bundle_sid", number.bundle_sid, owned.bundle_sid),
    ]
    return [
        Finding(kind, {name: ours}, {name: theirs})
        for kind, name, ours, theirs in facts
        if ours != theirs
    ]


def emergency_of(owned: OwnedNumber) -> str:
    """Empty where emergency services know no address for it, however the carrier says so."""
    status = owned.emergency_address_status
    return "" if status == "unregistered" else status
