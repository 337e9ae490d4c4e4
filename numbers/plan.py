"""What setting a difference right does, in words: for a dry run, and beside the button."""

from collections.abc import Iterable
from typing import Any

from numbers.sync_models import Difference

Kind = Difference.Kind
DOES = {
    Kind.MISSING: "The number becomes inactive and costs nothing, and its people are told",
    Kind.RETURNED: "The number is as it was before it vanished",
    Kind.ORDERED: "Its order is settled and gets it",
    Kind.RELEASED: "It is given back to the carrier again",
    Kind.WEBHOOKS: "Our webhooks are set again",
    Kind.OVERRIDDEN: "Application and trunk are taken off",
    Kind.SERVICE: "It is taken out of the messaging service",
    Kind.NAME: "Our name is written again",
    Kind.CAPABILITIES: "What the carrier says it can do is noted here",
    Kind.EMERGENCY: "What the carrier says is noted here",
    Kind.BUNDLE: "What the carrier says is noted here",
}
STAFF = "Nothing: staff assign it to a workspace, give it back or leave it"
CARRIER = "Nothing: staff have it put in use again at the carrier"
ACCOUNT = "Nothing: staff settle it with the carrier"
ALONE = {Kind.NOBODYS: STAFF, Kind.NOT_IN_USE: CARRIER, Kind.ACCOUNT: ACCOUNT}
ASKED = "Nothing before somebody says so, since it may be meant"
LEFT = "Nothing: it was left as it is on purpose"


def planned(seen: Iterable[Difference]) -> list[dict[str, Any]]:
    """Each difference that was just seen, not saved, with what a comparison would do about it."""
    seen = list(seen)
    left = {
        (row.provider_sid, row.kind, str(row.theirs_but_cost))
        for row in Difference.objects.open().filter(
            left_at__isnull=False, provider_sid__in={row.provider_sid for row in seen}
        )
    }
    return [
        {
            "e164": row.e164, "kind": Kind(row.kind).label, "ours": row.ours,
            "theirs": row.theirs,
            "does": LEFT
            if (row.provider_sid, row.kind, str(row.theirs_but_cost)) in left
            else by_itself(row),
        }
        for row in seen
    ]  # fmt: skip


def by_itself(difference: Difference) -> str:
    kind = Kind(difference.kind)
    if kind in ALONE:
        return ALONE[kind]
    return f"{ASKED}. Then: {lower(DOES[kind])}" if difference.asks else DOES[kind]


def lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
