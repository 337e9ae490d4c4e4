"""What Twilio could not deliver to us: the errors of its Monitor."""

from dataclasses import dataclass
from datetime import datetime

from telephony.client import call

MOST = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """``code`` is one of twilio.com/docs/api/errors, ``about`` the SID of a call or message,
    ``address`` where Twilio asked.
    """

    sid: str
    at: datetime
    code: int
    about: str
    address: str


def errors_since(since: datetime) -> list[Alert]:
    """The newest first, at most a hundred. Raises a ``ProviderError``."""
    rows = call(
        lambda twilio: twilio.monitor.v1.alerts.list(
            log_level="error", start_date=since, limit=MOST
        )
    )
    return [
        Alert(row.sid, row.date_generated, int(row.error_code or 0), row.resource_sid or "",
              row.request_url or "")
        for row in rows
    ]  # fmt: skip
