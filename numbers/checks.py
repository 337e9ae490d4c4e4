"""What must hold of the settings before anything is charged."""

from typing import Any

from django.conf import settings
from django.core import checks

from numbers.ladder import ladder


@checks.register(checks.Tags.compatibility)
def ladder_goes_up(**_: Any) -> list[checks.CheckMessage]:
    steps = ladder()
    if 0 < steps.remind <= steps.outbound < steps.inbound < steps.release:
        return []
    return [
        checks.Error(
            "The days after which unpaid numbers stop must rise, and a reminder must come "
            "before the first of them.",
            hint="Set RENT_REMIND_DAYS_BEFORE <= RENT_OUTBOUND_STOPS_AFTER_DAYS < "
            "RENT_INBOUND_STOPS_AFTER_DAYS < RENT_RELEASED_AFTER_DAYS, all above 0.",
            id="numbers.E001",
        )
    ]


@checks.register("operators", deploy=True)
def operators_can_be_told(**_: Any) -> list[checks.CheckMessage]:
    """Without it nobody hears that the provider's balance ends, and then everything stops."""
    if settings.OPERATOR_EMAILS:
        return []
    return [
        checks.Warning(
            "Nobody is told when the provider's balance runs low or numbers vanish.",
            hint="Set OPERATOR_EMAILS to the addresses of those who run the platform.",
            id="numbers.W001",
        )
    ]
