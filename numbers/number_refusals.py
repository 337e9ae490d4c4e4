"""Each way in which a number cannot be changed or released, with what can be done instead."""

from typing import ClassVar

from django.urls import reverse

from lib import e164 as formats
from lib.errors import Fix, Refusal
from numbers.models import Number


class NumberRefusal(Refusal):
    money: ClassVar[str] = "Nothing was changed."

    def __init__(self, number: Number, sentence: str, *, fix: str = "", anchor: str = "") -> None:
        url = reverse("numbers:detail", args=[number.workspace.slug, number.public_id])
        shown = formats.international(number.e164)
        super().__init__(
            sentence.format(number=shown), fix=Fix(fix, f"{url}{anchor}") if fix else None
        )


class NumberGivenBack(NumberRefusal):
    code = "given_back"
    title = "This number is not yours any more"

    def __init__(self, number: Number) -> None:
        super().__init__(number, "{number} was given back to the carrier, and that is final.")


class NumberIsReleased(NumberRefusal):
    code = "is_released"
    title = "This number is released"

    def __init__(self, number: Number) -> None:
        super().__init__(
            number,
            "{number} is released and waits to be given back. Undo the release first.",
            fix="Open the number", anchor="#release",
        )  # fmt: skip


class NumberLocked(NumberRefusal):
    code = "locked"
    title = "This number is locked"

    def __init__(self, number: Number) -> None:
        super().__init__(
            number,
            "{number} is locked against release. Unlock it first, if it really may go.",
            fix="Open the number", anchor="#release",
        )  # fmt: skip


class ReleaseIsScheduled(NumberRefusal):
    code = "release_scheduled"
    title = "This number will be released"

    def __init__(self, number: Number) -> None:
        super().__init__(
            number,
            "{number} is going to be released. Cancel that first; then it can be locked.",
            fix="Open the number", anchor="#leaving",
        )  # fmt: skip


class UndoTooLate(NumberRefusal):
    code = "undo_too_late"
    title = "It is too late to undo this"

    def __init__(self, number: Number) -> None:
        super().__init__(number, "{number} is being given back to the carrier already.")


class WrongDigits(NumberRefusal):
    code = "wrong_digits"
    title = "Those are not its last four digits"

    def __init__(self, number: Number) -> None:
        super().__init__(number, "Type the last four digits of {number} to release it.")


class NotAtCarrier(NumberRefusal):
    code = "not_at_carrier"
    title = "The carrier does not have this number"

    def __init__(self, number: Number) -> None:
        super().__init__(
            number,
            "{number} is not among the numbers of this site's account at the carrier. Write to "
            "support with the number.",
        )


class CarrierHolds(NumberRefusal):
    code = "carrier_holds"
    title = "The carrier does not take this number back"

    BECAUSE: ClassVar[dict[str, str]] = {
        "emergency": "an emergency address is registered for it. Ask your administrator to "
        "unregister the address with the carrier, then release it again",
        "porting": "it is being ported to another carrier. It leaves by itself when that is done",
        "held": "the carrier keeps it for a reason of its own. Write to support",
    }

    def __init__(self, number: Number, reason: str) -> None:
        super().__init__(
            number, f"{{number}} cannot be released at the moment: {self.BECAUSE[reason]}.",
            fix="Compare with the carrier" if reason == "emergency" else "", anchor="checks/",
        )  # fmt: skip
