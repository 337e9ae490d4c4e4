"""The filters of a look as words, each with the address without it."""

from dataclasses import dataclass

from lib import e164 as formats
from numbers.listing import PROBLEMS, STATUSES, UNUSED, Look
from telephony.values import Capability, NumberType


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    without: str


def chips_of(look: Look) -> list[Chip]:
    """One for each filter, for taking it away with one click."""
    words = {
        "q": f"“{look.text}”" if look.text else "",
        "status": STATUSES[look.status][0] if look.status else "",
        "type": NumberType(look.number_type).label if look.number_type else "",
        "country": formats.country_name(look.country) if look.country else "",
        "tag": f"Tag: {look.tag}" if look.tag else "",
        "unused": UNUSED[look.unused] if look.unused else "",
        "problem": PROBLEMS[look.problem][0] if look.problem else "",
        "can": " and ".join(Capability(name).label for name in look.capabilities),
    }
    return [
        Chip(label, look.query_string(after="", **{name: ""}))
        for name, label in words.items()
        if label
    ]
