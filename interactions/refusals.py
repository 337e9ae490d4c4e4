"""Why a message cannot be sent or a route cannot be saved, in sentences to act on."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.urls import reverse

from lib import e164 as formats
from lib import money
from lib.errors import Fix, Refusal
from numbers.models import Number
from telephony.errors import NotConfigured, NotDeliverable, ProviderError, ProviderUnavailable


class NotSent(Refusal):
    money = "Nothing was sent and nothing was charged."


class NothingToSend(NotSent):
    code = "nothing_to_send"
    title = "There is nothing to send"

    def __init__(self) -> None:
        super().__init__("Write a text or choose a picture.")


class TextTooLong(NotSent):
    code = "text_too_long"
    title = "The text is too long"

    def __init__(self, length: int, longest: int) -> None:
        super().__init__(
            f"It has {length} characters, and the carrier takes {longest}. Shorten it, or send "
            "it as two messages."
        )


class PictureRefused(NotSent):
    code = "picture_refused"
    title = "This file cannot be sent"

    def __init__(self) -> None:
        super().__init__("Choose a JPEG, PNG, GIF or WebP picture of at most 5 MB.")


class NumberCannotSend(NotSent):
    code = "number_cannot_send"
    title = "This number cannot send that"

    def __init__(self, number: Number, what: str) -> None:
        super().__init__(
            f"{number.international} cannot send {what}. What a number can do is shown on the "
            "Numbers page; another number of the workspace may be able to."
        )


class NumberIsInactive(NotSent):
    code = "number_inactive"
    title = "This number is not active"

    def __init__(self, number: Number) -> None:
        because = number.inactive_because
        reason = because.label.lower() if because else "its monthly fee is overdue"
        super().__init__(
            f"Nothing can be sent from {number.international}: {reason}.",
            fix=Fix("See the numbers", reverse("numbers:index", args=[number.workspace.slug])),
        )


class CannotBeWrittenTo(NotSent):
    code = "cannot_be_written_to"
    title = "This contact cannot be answered"

    def __init__(self, contact: str) -> None:
        super().__init__(
            f"{contact or 'An unknown caller'} is not a phone number that takes messages."
        )


class NoRate(NotSent):
    code = "no_rate"
    title = "We do not know what that costs"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"The carrier tells no price for {formats.international(e164)}, so it cannot be used. "
            "Write to support if you need it."
        )


class RateRaised(NotSent):
    code = "rate_raised"
    title = "The price has changed"

    def __init__(self, *, old: Decimal, new: Decimal, currency: str) -> None:
        super().__init__(
            f"It was {money.show(old, currency)} when you looked and is "
            f"{money.show(new, currency)} now. Send again if you still want to."
        )


class CarrierRefused(NotSent):
    """The provider does not take the message."""

    code = "carrier_refused"
    title = "The carrier did not take it"

    BECAUSE: ClassVar[dict[str, str]] = {
        "opted_out": "The recipient has opted out of messages from this number. They can write "
        "START to it to hear from you again.",
        "bad_recipient": "The recipient's number is not valid, or cannot receive texts.",
        "bad_sender": "This number cannot be used as a sender. Choose another one, or write to "
        "support.",
        "unreachable": "This number cannot reach that destination.",
        "not_enabled": "The country of the recipient is not enabled. Write to support.",
        "queue_full": "Too many messages are waiting on this number. Try again in a few minutes.",
        "trial": "The account behind this site is a trial and reaches verified numbers only.",
        "content": "The carrier does not accept the text or the picture.",
        "blocked": "Calls to this number are blocked.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.BECAUSE.get(reason, "The carrier refused. Write to support."))


class CarrierDown(NotSent):
    code = "carrier_down"
    title = "The carrier does not answer"

    def __init__(self) -> None:
        super().__init__("The carrier has a problem or is busy. Try again in a minute.")


class CarrierNotConfigured(NotSent):
    code = "provider_not_configured"
    title = "Messages cannot be sent at the moment"

    def __init__(self) -> None:
        super().__init__(
            "The Twilio credentials of this site are missing or wrong. Ask your administrator.",
            fix=Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}"),
        )


def refusal_for(error: ProviderError) -> Refusal:
    match error:
        case NotDeliverable():
            return CarrierRefused(error.reason)
        case NotConfigured():
            return CarrierNotConfigured()
        case ProviderUnavailable():
            return CarrierDown()
    return CarrierRefused("")


class RouteRefused(Refusal):
    money = "The route stays as it was."


class ForwardsToItself(RouteRefused):
    code = "forwards_to_itself"
    title = "That would go in a circle"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"{formats.international(e164)} is a number of this workspace, so the call would "
            "come back here. Forward to a phone instead."
        )


class ForwardsToOwn(RouteRefused):
    """To a number of another workspace that this person may look into."""

    code = "forwards_to_own"
    title = "That is a number of your own"

    def __init__(self, number: Number) -> None:
        name, address = number.workspace.name, [number.workspace.slug, number.public_id]
        super().__init__(
            f"{number.international} is a number of {name}: the call would arrive there, be paid "
            "for twice, and might go in a circle. Forward to the phone that answers it.",
            fix=Fix(f"See the number in {name}", reverse("numbers:detail", args=address)),
        )


class EmergencyDestination(RouteRefused):
    code = "emergency_destination"
    title = "Calls cannot be forwarded there"

    def __init__(self, typed: str) -> None:
        super().__init__(
            f"{typed} is an emergency or service number. Forward to an ordinary phone, written "
            "with its country code, for example +1 212 555 0123."
        )


class NotAPhone(RouteRefused):
    code = "not_a_phone"
    title = "That is not a phone number"

    def __init__(self, typed: str) -> None:
        super().__init__(
            f"{typed} is not a phone number. Write it with its country code, for example "
            "+1 212 555 0123."
        )


class PremiumDestination(RouteRefused):
    code = "premium_destination"
    title = "Calls are not forwarded to premium numbers"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"{formats.international(e164)} is a premium-rate number: every caller would cost "
            "you a lot. Forward to an ordinary phone."
        )


class ExpensiveDestination(RouteRefused):
    code = "expensive_destination"
    title = "That would be too expensive"

    def __init__(self, e164: str, price: Decimal, currency: str) -> None:
        most = money.show(Decimal(settings.FORWARD_MAX_PRICE_PER_MINUTE), currency)
        super().__init__(
            f"A minute to {formats.international(e164)} costs {money.show(price, currency)}. "
            f"Calls are forwarded to where a minute costs {most} or less. Support can raise "
            "that for this site."
        )


class UnknownRate(RouteRefused):
    code = "unknown_rate"
    title = "We do not know what that costs"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"The carrier tells no price for calls to {formats.international(e164)}, so nothing "
            "is forwarded there. Choose another phone."
        )
