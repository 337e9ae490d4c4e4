"""Numbers as CSV, row by row: whatever their number, no more than a few hundred are held."""

import csv
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from lib.csv_lines import Line, harmless
from numbers.models import Number, NumberQuerySet
from numbers.number_rows import status_words
from telephony.values import NumberType
from workspaces.models import Workspace

AT_ONCE = 500
HEADER = [
    "number", "friendly name", "tags", "notes", "capabilities", "type", "country", "area code",
    "city", "region", "status", "created", "next payment", "price a month", "currency",
    "last used", "locked",
]  # fmt: skip


def csv_lines(workspace: Workspace, numbers: NumberQuerySet) -> Iterator[str]:
    """The header and a line for each number, read through a cursor of the server."""
    writer = csv.writer(Line())
    zone = ZoneInfo(workspace.time_zone)
    yield "\ufeff"  # so that spreadsheets read it as UTF-8
    yield writer.writerow(HEADER)
    for number in numbers.with_tags().iterator(chunk_size=AT_ONCE):
        yield writer.writerow(_values(number, zone))


def _values(number: Number, zone: ZoneInfo) -> list[Any]:
    def moment(at: Any) -> str:
        return at.astimezone(zone).isoformat(timespec="seconds") if at else ""

    charged = not (number.parked_at or number.released_at)
    return [
        number.e164, harmless(number.friendly_name), harmless(", ".join(number.tag_names)),
        harmless(number.notes), " ".join(number.capabilities),
        NumberType(number.number_type).label, number.country, number.area_code,
        harmless(number.locality), harmless(number.region), status_words(number),
        moment(number.created_at), moment(number.paid_until) if charged else "",
        number.monthly_price.normalize(), number.currency, moment(number.last_used_at),
        "yes" if number.locked_at else "",
    ]  # fmt: skip
