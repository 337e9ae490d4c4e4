"""Looking at chosen numbers once more before they are bought: still there, and at what price?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings

from lib.errors import Refusal
from numbers.models import Number
from numbers.pricing import Price, price_of
from numbers.quote import QuotedNumber
from numbers.refusals import AlreadyYours, NumberJustTaken, RegionRestricted
from numbers.search import find_each
from telephony.values import AddressRequirement, AvailableNumber, NumberType
from workspaces.models import Workspace

Chosen = tuple[str, NumberType]


@dataclass(slots=True)
class Reviewed:
    """What can be bought this moment, in the order it was chosen, and what cannot, with why."""

    numbers: list[QuotedNumber] = field(default_factory=list)
    left_out: list[tuple[str, Refusal]] = field(default_factory=list)


def review_numbers(
    *, workspace: Workspace, country: str, chosen: Sequence[Chosen],
    price: Callable[[NumberType], Price] | None = None,
) -> Reviewed:  # fmt: skip
    """Ask the provider for each. Raises a ``Refusal`` when it cannot be asked at all.

    ``price`` tells what a type costs, for callers that have read the prices already.
    """
    price = price or partial(price_of, country)
    wanted = [e164 for e164, _ in chosen]
    ours = set(
        Number.objects.for_workspace(workspace)
        .owned()
        .filter(e164__in=wanted)
        .values_list("e164", flat=True)
    )
    found = find_each(country=country, chosen=[one for one in chosen if one[0] not in ours])
    available = {number.e164: number for number in found if number is not None}
    reviewed = Reviewed()
    for e164, number_type in chosen:
        try:
            if e164 in ours:
                raise AlreadyYours(e164, workspace)
            if e164 not in available:
                raise NumberJustTaken(e164)
            reviewed.numbers.append(QuotedNumber(available[e164], price(number_type)))
        except Refusal as refusal:
            reviewed.left_out.append((e164, refusal))
    return reviewed


def unmet_requirement(number: AvailableNumber) -> RegionRestricted | None:
    """The refusal that the provider would give: the country asks for an address, and the
    settings name none.
    """
    if number.address_requirement == AddressRequirement.NONE:
        return None
    if number.country in settings.TWILIO_ADDRESS_SIDS:
        return None
    return RegionRestricted(country=number.country, requirement="address")


def leave_out_unmet(reviewed: Reviewed) -> None:
    """Of several numbers, buy those that can be."""
    for one in list(reviewed.numbers):
        if refusal := unmet_requirement(one.number):
            reviewed.numbers.remove(one)
            reviewed.left_out.append((one.number.e164, refusal))
