"""Waiting while the provider is busy: for work in the background that nobody waits for.

A request that is answered 429 is never processed, so asking again is safe, also for one that
writes (twilio.com/docs/api/errors/20429).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

TOO_MANY_REQUESTS = 429
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds, where the provider does not say how long

_left: ContextVar[float] = ContextVar("seconds_left_to_wait", default=0.0)


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Within it, requests wait for a busy provider, ``seconds`` at most in all. Outside of it
    nothing waits.
    """
    before = _left.set(seconds)
    try:
        yield
    finally:
        _left.reset(before)


def ask(request: Callable[[], requests.Response]) -> requests.Response:
    """Ask, and again after each pause that the provider wants, as long as patience lasts."""
    pause = FIRST_PAUSE
    while True:
        answer = request()
        if answer.status_code != TOO_MANY_REQUESTS:
            return answer
        asked_for = retry_after(answer)
        wait = pause if asked_for is None else asked_for
        if wait > _left.get():
            return answer
        _left.set(_left.get() - wait)
        time.sleep(wait)
        pause = min(2 * pause, LONGEST_PAUSE)


def retry_after(answer: requests.Response) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3); None where it says nothing.

    A time is counted from the answer's own ``Date``: our clock may be another one.
    """
    told = answer.headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    until, now = _time(told), _time(answer.headers.get("Date", ""))
    if until is None:
        return None
    return max((until - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _time(told: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
