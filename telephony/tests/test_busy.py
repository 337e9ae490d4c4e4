"""A provider that is busy: background work waits as it is told, and nothing else does."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from telephony import busy, provider
from telephony.errors import ProviderUnavailable
from telephony.webhook_urls import webhooks_for_numbers


@pytest.fixture
def waited(monkeypatch) -> list[float]:
    """How long was waited, instead of waiting."""
    pauses: list[float] = []
    monkeypatch.setattr(busy.time, "sleep", pauses.append)
    return pauses


def test_nothing_waits_unless_it_is_patient(simulator, waited):
    simulator.fault("rate_limited", retry_after="1")
    with pytest.raises(ProviderUnavailable):
        provider.balance()
    assert waited == []


def test_it_waits_as_long_as_it_is_told(simulator, waited):
    simulator.fault("rate_limited", retry_after="7")
    simulator.fault("rate_limited", retry_after="0")
    with busy.patient(60):
        assert provider.balance().amount
    assert (waited, len(simulator.requests)) == ([7.0, 0.0], 3)


def test_where_nothing_is_told_it_waits_longer_each_time(simulator, waited):
    simulator.fault("rate_limited", times=7)
    with busy.patient(600):
        assert provider.balance().amount
    assert waited == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(("told", "asked"), [("61", 1), ("30", 3)])
def test_patience_is_for_all_requests_together(simulator, waited, told, asked):
    simulator.fault("rate_limited", retry_after=told, times=-1)
    with busy.patient(60), pytest.raises(ProviderUnavailable):
        provider.balance()
    assert (sum(waited) <= 60, len(simulator.requests)) == (True, asked)


def test_what_writes_is_done_once(simulator, waited):
    sid = simulator.seed("+12125550123")
    simulator.fault("rate_limited", method="POST", retry_after="2")
    with busy.patient(60):
        provider.configure(sid=sid, webhooks=webhooks_for_numbers(["voice"]), friendly_name="Ours")
    assert (waited, simulator.owned()[0]["friendly_name"]) == ([2.0], "Ours")


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("ours_is_ahead_by", [-10, 0, 10])
def test_a_time_is_counted_by_the_clock_of_who_told_it(time_machine, ours_is_ahead_by):
    time_machine.move_to(NOW + timedelta(minutes=ours_is_ahead_by), tick=False)
    assert busy.retry_after(answer(Date=NOW, **{"Retry-After": NOW + timedelta(seconds=9)})) == 9
    assert busy.retry_after(answer(Date=NOW, **{"Retry-After": NOW - timedelta(hours=1)})) == 0


def answer(**headers: datetime | str) -> requests.Response:
    answer = requests.Response()
    for name, value in headers.items():
        answer.headers[name] = value if isinstance(value, str) else format_datetime(value, True)
    return answer


@pytest.mark.parametrize("told", ["", "soon", "-5", "1.5", "²"])
def test_what_cannot_be_read_says_nothing(told):
    assert busy.retry_after(answer(**{"Retry-After": told})) is None
