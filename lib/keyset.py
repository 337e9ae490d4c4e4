"""Pages that begin after a row instead of at an offset: the thousandth costs what the first did.

A place in a list is the values it is sorted by, ended by what makes them unique. It stands in
the address as text that anybody may change: what cannot be read is taken for the beginning.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import BooleanField, Func

LONGEST = 600


class Beyond(Func):
    """``(columns) < (values)`` as PostgreSQL compares rows, which an index can follow."""

    output_field = BooleanField()

    def __init__(self, columns: Sequence[Any], values: Sequence[Any], *, descending: bool) -> None:
        super().__init__(*columns, *values)
        self.extra["sign"] = "<" if descending else ">"

    def as_sql(
        self, compiler: Any, connection: Any, *options: Any, **extra: Any
    ) -> tuple[str, tuple[Any, ...]]:
        parts = [compiler.compile(part) for part in self.source_expressions]
        half = len(parts) // 2
        columns, values = (
            ", ".join(sql for sql, _ in side) for side in (parts[:half], parts[half:])
        )
        params = tuple(value for _, given in parts for value in given)
        return f"(({columns}) {self.extra['sign']} ({values}))", params


def write(values: Sequence[Any]) -> str:
    """The place as text for an address."""
    text = json.dumps([_plain(value) for value in values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str, kinds: Sequence[type]) -> list[Any] | None:
    """The values, each of its kind; None for anything that ``write`` did not write."""
    if not text or len(text) > LONGEST:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) != len(kinds):
            return None
        return [_of_kind(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, TypeError, binascii.Error, InvalidOperation, RecursionError):
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _of_kind(value: Any, kind: type) -> Any:
    """Raises ``ValueError`` for what the database could not take."""
    if kind is list and isinstance(value, list):
        return [_text(item) for item in value]
    if kind is int and type(value) is int and abs(value) < 2**31:
        return value
    if kind is not str and kind is not datetime and kind is not Decimal:
        raise ValueError(value)
    text = _text(value)
    if kind is datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or not 1970 <= moment.year <= 2200:
            raise ValueError(value)
        return moment
    if kind is Decimal:
        amount = Decimal(text)
        if not amount.is_finite() or abs(amount) >= 10**12:
            raise ValueError(value)
        return amount
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    value.encode()  # half a surrogate is no text
    return value
