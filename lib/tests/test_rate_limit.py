"""Limits: counted together, refused with the time to wait."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine

from lib import rate_limit
from lib.rate_limit import TooOften

AT_NOON = datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _a_limit(settings) -> None:
    settings.RATE_LIMITS = {"search": "3/m", "export": "2/h"}


def search(who: str = "acme") -> None:
    rate_limit.spend("search", who=who, what="searches")


@time_machine.travel(AT_NOON, tick=False)
def test_beyond_the_limit_it_says_when_to_try_again():
    for _ in range(3):
        search()
    with pytest.raises(TooOften) as refused:
        search()
    assert refused.value.retry_after == 45
    assert refused.value.sentence == ("Too many searches in a short time. Try again in 45 seconds.")


def test_the_next_window_begins_at_zero():
    with time_machine.travel(AT_NOON, tick=False) as clock:
        for _ in range(3):
            search()
        clock.shift(44)
        with pytest.raises(TooOften):
            search()
        clock.shift(1)
        search()


@time_machine.travel(AT_NOON, tick=False)
def test_each_has_a_count_of_its_own():
    for _ in range(3):
        search("acme")
    search("globex")
    rate_limit.spend("export", who="acme", what="exports")


@time_machine.travel(AT_NOON, tick=False)
def test_a_long_wait_is_told_in_minutes():
    for _ in range(2):
        rate_limit.spend("export", who="acme", what="exports")
    with pytest.raises(TooOften, match="Try again in 60 minutes"):
        rate_limit.spend("export", who="acme", what="exports")


@time_machine.travel(AT_NOON, tick=False)
def test_threads_together_get_no_more_than_the_limit(settings):
    settings.RATE_LIMITS = {"search": "20/m"}
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: rate_limit.seconds_to_wait("search", who="a"), range(50)))
    assert waits.count(0) == 20


def test_a_dead_cache_refuses_nobody(settings, caplog):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",  # nobody listens there
        }
    }
    for _ in range(5):
        search()
    assert "could not be counted" in caplog.text


def test_who_may_be_anything():
    search("x" * 10_000 + "\0\n🙂")
