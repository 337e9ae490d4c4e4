"""How often somebody may do something, counted in the shared cache by all processes together.

The limits stand in ``settings.RATE_LIMITS``, a name to ``"30/m"``: thirty times in a minute
(``s``, ``m``, ``h`` or ``d``). The windows are fixed and begin with the clock's own minutes
and hours, so a count is one atomic increment and the wait is known to the second.
"""

import hashlib
import logging
import time

from django.conf import settings
from django.core.cache import cache

from lib.errors import Refusal

log = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class TooOften(Refusal):
    """``retry_after`` is in seconds. Where a view does not catch it, the middleware answers."""

    code = "too_often"
    title = "That was too often"
    status = 429

    def __init__(self, what: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"Too many {what} in a short time. Try again in {_in_words(retry_after)}.")


def seconds_to_wait(name: str, *, who: object) -> int:
    """Count one use by ``who``; 0 where the limit allows it, else how long to wait.

    ``who`` is what shares one count: a workspace's id, a person's, an address. Without a
    cache nothing is refused: a limit guards against a flood, never what is right.
    """
    uses, period = limit_of(name)
    now = time.time()
    # Hashed: whoever may choose it (a mail address) must not be able to make it too long.
    digest = hashlib.sha256(str(who).encode()).hexdigest()[:32]
    key = f"limit:{name}:{digest}:{int(now // period)}"
    try:
        cache.add(key, 0, 2 * period)
        count = cache.incr(key)
    except Exception:  # whatever the cache's client raises: see above
        log.exception("the limit of %s could not be counted", name)
        return 0
    return 0 if count <= uses else max(1, int(period - now % period))


def spend(name: str, *, who: object, what: str) -> None:
    """Count one use by ``who``, or raise ``TooOften``, whose sentence names ``what``: searches."""
    if wait := seconds_to_wait(name, who=who):
        raise TooOften(what, wait)


def limit_of(name: str) -> tuple[int, int]:
    """``"30/m"`` → 30 uses, 60 seconds."""
    uses, _, unit = settings.RATE_LIMITS[name].partition("/")
    return int(uses), SECONDS[unit]


def _in_words(seconds: int) -> str:
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds > size:
            count = -(-seconds // size)
            return f"{count} {unit}s"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
