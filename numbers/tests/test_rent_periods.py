"""Months are counted from the purchase in one step, so that they do not drift."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers.rent_periods import period_at, period_start

anywhere = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ZONES = ["UTC", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]


@pytest.mark.parametrize(
    ("bought", "period", "start"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2026, 1, 31), 2, (2026, 3, 31)),
        ((2027, 12, 31), 2, (2028, 2, 29)),
        ((2026, 11, 24), 1, (2026, 12, 24)),
        ((2026, 11, 24), 2, (2027, 1, 24)),
        ((2026, 11, 24), 0, (2026, 11, 24)),
        ((2026, 11, 24), 26, (2029, 1, 24)),
    ],
)
def test_a_period_starts_whole_months_after_the_purchase(bought, period, start):
    assert period_start(datetime(*bought, 9, 30, tzinfo=UTC), period) == datetime(
        *start, 9, 30, tzinfo=UTC
    )


moments = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001  the zone comes apart
    max_value=datetime(2090, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.django_db
@anywhere
@given(bought=moments, period=st.integers(0, 600), zone=st.sampled_from(ZONES))
def test_the_database_counts_the_same_months_whatever_its_time_zone(bought, period, zone):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        expected = period_start(bought, period)
        cursor.execute("SELECT numbers_period_start(%s, %s) = %s", [bought, period, expected])
        assert cursor.fetchone()[0]


@pytest.mark.django_db
@anywhere
@given(bought=moments, later=st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_the_period_of_a_moment_is_the_last_that_has_begun(bought, later):
    moment = bought + later
    with connection.cursor() as cursor:
        cursor.execute("SELECT numbers_last_period(%s, %s)", [bought, moment])
        [period] = cursor.fetchone()
    assert period == period_at(bought, moment)
    assert period_start(bought, period) <= moment < period_start(bought, period + 1)


def test_a_daylight_saving_day_neither_shifts_nor_doubles_a_payment():
    """8 March 2026, 02:30 does not exist in New York; the instant is counted in UTC."""
    bought = datetime(2026, 2, 8, 7, 30, tzinfo=UTC)  # 02:30 in New York
    due = period_start(bought, 1)
    assert due == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert due.astimezone(ZoneInfo("America/New_York")).isoformat() == "2026-03-08T03:30:00-04:00"


def test_the_day_shown_is_that_of_the_workspace():
    """31 January, 23:30 in New York is 1 February in UTC: due on the 1st, shown as the day
    before at 23:30, or at 00:30 once the clocks have changed."""
    bought = datetime(2026, 2, 1, 4, 30, tzinfo=UTC)
    zone = ZoneInfo("America/New_York")
    shown = [period_start(bought, n).astimezone(zone).strftime("%d %b %H:%M") for n in range(3)]
    assert shown == ["31 Jan 23:30", "28 Feb 23:30", "01 Apr 00:30"]
