"""Months are counted from the purchase in one step, so that they do not drift."""

from datetime import UTC, datetime

import pytest

from numbers.rent_periods import period_start


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
