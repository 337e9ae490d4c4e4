"""What happens, and when, to a number whose rent is not paid."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

# A reminder must be a day old before the step that it announced is taken, whatever has
# kept us from sending it in time.
SHORTEST_WARNING = timedelta(days=1)
# Told within a day of the due day, the days count from the due day; told later, from then.
TOLD_IN_TIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Days after the due day; ``extra`` is what support has added for the workspace."""

    outbound: int
    inbound: int
    release: int
    remind: int
    extra: int = 0

    def dates(self, overdue_since: datetime) -> "LadderDates":
        return LadderDates(
            outbound_stops_at=overdue_since + timedelta(days=self.outbound + self.extra),
            inbound_stops_at=overdue_since + timedelta(days=self.inbound + self.extra),
            released_at=overdue_since + timedelta(days=self.release + self.extra),
        )


@dataclass(frozen=True, slots=True)
class LadderDates:
    """The three dates that a person is told. No step comes before its date."""

    outbound_stops_at: datetime
    inbound_stops_at: datetime
    released_at: datetime


def ladder(extra: int = 0) -> Ladder:
    return Ladder(
        outbound=settings.RENT_OUTBOUND_STOPS_AFTER_DAYS,
        inbound=settings.RENT_INBOUND_STOPS_AFTER_DAYS,
        release=settings.RENT_RELEASED_AFTER_DAYS,
        remind=settings.RENT_REMIND_DAYS_BEFORE,
        extra=extra,
    )
