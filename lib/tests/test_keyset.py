"""Places in a list: written and read back, and never more than a place."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import keyset

KINDS = [str, datetime, Decimal, int, list]
VALUES = ["a", datetime(2026, 11, 24, 9, 30, 5, 123456, tzinfo=UTC), Decimal("1.380000"), 3,
          ["sms", "voice"]]  # fmt: skip


def test_a_place_is_read_as_it_was_written():
    assert keyset.read(keyset.write(VALUES), KINDS) == VALUES


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (["a\x00b"], [str]),
        (["\ud800"], [str]),
        ([1], [str]),
        (["x"], [int]),
        ([True], [int]),
        ([2**40], [int]),
        (["2026-11-24T09:30:05"], [datetime]),
        (["0001-01-01T00:00:00+00:00"], [datetime]),
        (["NaN"], [Decimal]),
        (["1E+9999"], [Decimal]),
        ([[1]], [list]),
        (["a", "b"], [str]),
        ([None], [str]),
    ],
)
def test_what_the_database_could_not_take_is_no_place(values, kinds):
    assert keyset.read(keyset.write(values), kinds) is None


@given(st.text(max_size=200))
def test_any_text_is_a_place_or_none(text):
    found = keyset.read(text, [str, datetime])
    assert found is None or len(found) == 2


def test_a_long_text_is_not_even_looked_at():
    assert keyset.read("A" * 10_000, [str]) is None
