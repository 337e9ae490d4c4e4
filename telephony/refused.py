"""Whether Twilio refused this site's credentials lately: noted where it is called, for staff.

The note stands in the shared cache, since a worker may be refused and a web process shows the
page. Its name is made of the credentials: after a restart with others it says nothing.
"""

import logging

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

log = logging.getLogger(__name__)

KEEP_SECONDS = 300
REASONS = ("rejected", "test_credentials")

_may_be_noted = False


def note_refused() -> None:
    _write(refused=True)


def note_accepted() -> None:
    """Asked after every call that worked, so the cache is asked only where this process knows
    of a note; those that others left run out.
    """
    if _may_be_noted:
        _write(refused=False)


def refused_lately() -> bool:
    global _may_be_noted
    try:
        refused = cache.get(_name()) is not None
    except Exception:  # whatever the cache's client raises: the page goes on without
        log.exception("it could not be read whether Twilio refused the credentials")
        return False
    _may_be_noted = _may_be_noted or refused
    return refused


def _write(*, refused: bool) -> None:
    global _may_be_noted
    try:
        if refused:
            cache.set(_name(), True, KEEP_SECONDS)
        else:
            cache.delete(_name())
    except Exception:  # whatever the cache's client raises: the call itself must go on
        log.exception("it could not be noted whether Twilio refused the credentials")
    _may_be_noted = refused


def _name() -> str:
    parts = (
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_API_KEY_SID,
        settings.TWILIO_API_KEY_SECRET,
    )  # fmt: skip
    return f"twilio-refused:{salted_hmac(__name__, '|'.join(parts)).hexdigest()[:32]}"
