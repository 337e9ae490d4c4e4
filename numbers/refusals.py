"""Each way in which the answer is no, with the sentence a person can act on."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.urls import reverse

from lib import e164 as formats
from lib.errors import Fix, Refusal
from telephony import errors
from telephony.values import NumberType
from workspaces.models import User, Workspace


class NumberJustTaken(Refusal):
    code = "number_taken"
    title = "Someone else just took this number"

    def __init__(self, *numbers: str) -> None:
        shown = " or ".join(map(formats.international, numbers[:3]))
        which = shown if len(numbers) < 4 else f"One of these {len(numbers)} numbers"
        super().__init__(
            f"{which} was available a moment ago and is not any more. "
            "Search again to choose another one."
        )


class AlreadyYours(Refusal):
    code = "already_yours"
    title = "This number is already yours"

    def __init__(self, e164: str, workspace: Workspace) -> None:
        super().__init__(
            f"{formats.international(e164)} is among the numbers of {workspace.name}.",
            fix=Fix("Open the Numbers page", reverse("numbers:index", args=[workspace.slug])),
        )


class PriceChanged(Refusal):
    """``dearer`` names each number with the price that was shown and the price now."""

    code = "price_changed"
    title = "The price has changed"

    def __init__(self, dearer: Sequence[tuple[str, Any, Any]], *, of: int) -> None:
        number, old, new = dearer[0]
        if of == 1:
            sentence = (
                f"It was {old} a month when you looked and is {new} now. "
                "Confirm again if you still want the number."
            )
        else:
            others = f", and {len(dearer) - 1} more changed too" if len(dearer) > 1 else ""
            sentence = (
                f"{formats.international(number)} was {old} a month when you looked and is {new} "
                f"now{others}. Confirm again if you still want them."
            )
        super().__init__(sentence)


class MayNotBuy(Refusal):
    code = "no_permission"
    title = "You can look, but not buy"
    status = 403

    def __init__(self, workspace: Workspace, granters: Sequence[User]) -> None:
        names = " or ".join(map(str, granters))
        super().__init__(
            f"Buying in {workspace} needs the permission numbers_create, which you do not have. "
            + (f"{names} can grant it." if names else "Ask your administrator for it."),
            fix=Fix("See what is missing", reverse("numbers:why", args=[workspace.slug])),
        )


class TooManyNumbers(Refusal):
    code = "too_many_numbers"
    title = "Too many numbers at once"

    def __init__(self, wanted: int, *, most: int) -> None:
        super().__init__(
            f"You chose {wanted} numbers, and one order holds at most {most}. Choose fewer, and "
            "order the others afterwards."
        )


class PriceUnknown(Refusal):
    code = "price_unknown"
    title = "We do not know the price"

    def __init__(self, *, country: str, number_type: NumberType) -> None:
        super().__init__(
            f"The carrier tells no price for {number_type.label} numbers in "
            f"{formats.country_in_text(country)}, so they cannot be sold. Try another "
            "type or country."
        )


class QuoteExpired(Refusal):
    code = "quote_expired"
    title = "This page has been open for too long"

    def __init__(self) -> None:
        super().__init__(
            "Prices and availability may have changed since. Search again, then confirm within "
            "30 minutes."
        )


class RegionRestricted(Refusal):
    code = "region_restricted"
    title = "This country asks for more before it sells a number"

    ASKS_FOR: ClassVar[dict[str, str]] = {
        "address": "a registered address",
        "local_address": "a registered address in the same area as the number",
        "foreign_address": "a registered address outside the country",
        "bundle": "approved identity documents",
        "identity": "approved identity documents",
        "trial": "an upgraded provider account: trial accounts cannot buy it",
    }

    def __init__(self, *, country: str, requirement: str) -> None:
        asks_for = self.ASKS_FOR.get(requirement, "additional verification")
        super().__init__(
            f"Numbers of this kind in {formats.country_in_text(country)} need {asks_for}. "
            "Ask your administrator to register it with the provider, or choose a country or "
            "type without the requirement."
        )


class NotOfferedHere(Refusal):
    code = "not_offered"
    title = "Not sold in this country"

    def __init__(self, *, country: str, number_type: NumberType | None) -> None:
        what = f"{number_type.label} numbers are" if number_type else "This kind of number is"
        super().__init__(
            f"{what} not sold in {formats.country_in_text(country)}. Choose another type or "
            "country."
        )


class ProviderNotConfigured(Refusal):
    code = "provider_not_configured"
    status = 503
    title = "Numbers cannot be bought at the moment"

    BECAUSE: ClassVar[dict[str, str]] = {
        "suspended": "The provider has suspended the account behind this site.",
        "test_credentials": "The site uses the provider's test credentials.",
    }

    def __init__(self, reason: str) -> None:
        because = self.BECAUSE.get(
            reason, "The Twilio credentials of this site are missing or wrong."
        )
        super().__init__(
            f"{because} Ask your administrator to check them in the settings.",
            fix=Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}"),
        )


class ProviderDown(Refusal):
    code = "provider_down"
    title = "The carrier does not answer"
    status = 503

    def __init__(self) -> None:
        super().__init__("The carrier has a problem or is busy. Try again in a minute.")


class ProviderRefused(Refusal):
    """A question that the provider refuses for a cause that we have no better words for."""

    code = "provider_refuses"
    title = "The carrier refuses to tell"
    status = 503

    def __init__(self, error: errors.ProviderError) -> None:
        super().__init__(
            f"The carrier answers, and refuses what was asked ({error.codes}). "
            "Trying again will hardly help. Write to support.",
            fix=Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}"),
        )


class GaveUp(Refusal):
    """The outcome was unknown, and the quiet time has passed without a trace of the number."""

    code = "no_answer"
    title = "We could not get an answer from the carrier"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"The carrier never confirmed {formats.international(e164)} and does not have it "
            "among our numbers, so we stopped asking. Search again to see whether it is still "
            "available."
        )


class NotAskedInTime(Refusal):
    """Placed, and nobody was there to buy it until the price it was ordered at had expired."""

    code = "not_asked_in_time"
    title = "The order waited for too long"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"{formats.international(e164)} could not be bought within half an hour, so its "
            "price may not hold any more. The carrier was not asked. Search again."
        )


class ProviderSaidNo(Refusal):
    """The provider refused for a cause that we have no better words for; it is in the log."""

    code = "provider_refused"
    title = "The carrier refused"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"The carrier does not sell {formats.international(e164)} at the moment. Choose "
            "another number, or write to support if it happens again."
        )


def refusal_for(
    error: errors.ProviderError,
    *,
    country: str = "",
    number_type: NumberType | None = None,
    e164: str = "",
) -> Refusal:
    """Our sentence for what the provider answered. Its own words stay in the log."""
    match error:
        case errors.NumberTaken():
            return NumberJustTaken(e164)
        case errors.RegionRefused():
            return RegionRestricted(country=country, requirement=error.requirement)
        case errors.NotConfigured():
            return ProviderNotConfigured(error.reason)
        case errors.TypeNotOffered():
            return NotOfferedHere(country=country, number_type=number_type)
        case errors.ProviderUnavailable():
            return ProviderDown()
        case _:
            return ProviderSaidNo(e164) if e164 else ProviderRefused(error)
