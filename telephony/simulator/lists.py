"""Lists of the 2010 API: pages, their relative addresses, and filters by date."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from telephony.simulator.wire import Answer, Refused, Request

MOST_PER_PAGE = 1000


def page_of(
    request: Request, key: str, rows: list[dict[str, Any]], show: Callable[[dict], dict]
) -> Answer:
    """One page of rows, newest first."""
    size = int(request.get("PageSize") or 50)
    if size > MOST_PER_PAGE:
        raise Refused(400, 20007, "Page size too large")
    page = int(request.get("Page") or 0)
    token = request.get("PageToken").removeprefix("PA")
    start = next((i + 1 for i, row in enumerate(rows) if row["sid"] == token), page * size)
    shown = rows[start : start + size]

    def uri(number: int, after: str = "") -> str:
        query = {name: values[-1] for name, values in request.fields.items()}
        query |= {"PageSize": str(size), "Page": str(number)}
        query.pop("PageToken", None)
        if after:
            query["PageToken"] = f"PA{after}"
        return f"{request.path}?{urlencode(query)}"

    more = len(rows) > start + size
    return Answer(
        200,
        {
            key: [show(row) for row in shown],
            "page": page,
            "page_size": size,
            "start": start,
            "end": start + max(len(shown) - 1, 0),
            "uri": uri(page),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1, shown[-1]["sid"]) if more else None,
            "previous_page_uri": uri(page - 1) if page else None,
        },
    )


def meta_page_of(
    request: Request, key: str, rows: Sequence[Any], show: Callable[[Any], dict],
    base: str, filters: dict[str, str],
) -> Answer:  # fmt: skip
    """One page of a list of the newer APIs, whose addresses are whole and stand in ``meta``."""
    size, page = request.page_size(50), request.whole_number("Page", 0)

    def url(number: int) -> str:
        return f"{base}?{urlencode(filters | {'PageSize': size, 'Page': number})}"

    return Answer(
        200,
        {
            key: [show(row) for row in rows[page * size : (page + 1) * size]],
            "meta": {
                "first_page_url": url(0), "key": key,
                "next_page_url": url(page + 1) if (page + 1) * size < len(rows) else None,
                "page": page, "page_size": size,
                "previous_page_url": url(page - 1) if page else None, "url": url(page),
            },
        },
    )  # fmt: skip


def in_time(request: Request, name: str, moment: str) -> bool:
    """Whether a moment on the wire fits ``<name>>`` and ``<name><`` of the query."""
    at = parsedate_to_datetime(moment)
    after, before = request.get(f"{name}>"), request.get(f"{name}<")
    return (not after or at >= _read(after)) and (not before or at <= _read(before))


def _read(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
