"""The activity pages: searchable, page by page, as a file, and of this workspace only."""

import csv
import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from workspaces import audit
from workspaces.activity import AREAS, PAGE_SIZE

pytestmark = pytest.mark.django_db

URL = "/w/acme/activity/"


@pytest.fixture
def record(acme, owner):
    def write(text: str = "Called “Sales”", **given):
        given = {"workspace": acme, "by": owner, "action": "number.renamed", **given}
        return audit.record(text=text, **given)

    return write


def texts(response) -> list[str]:
    return [event.text for event in response.context["events"]]


def test_it_tells_who_did_what_when_and_from_where(as_owner, record):
    token = audit.ORIGIN.set("192.0.2.7")
    record(label="+12125550123", details={"friendly_name": ["Front desk", "Sales"], "x": "y"})
    audit.ORIGIN.reset(token)
    page = as_owner.get(URL).content.decode()
    for words in ("Olivia", "Called “Sales”", "+12125550123", "192.0.2.7",
                  "friendly name: Front desk → Sales"):  # fmt: skip
        assert words in page


def test_events_of_another_workspace_do_not_show(as_owner, record, globex, outsider):
    record("ours")
    record("theirs", workspace=globex, by=outsider)
    assert texts(as_owner.get(URL)) == ["ours"]
    assert texts(as_owner.get(f"{URL}?q=theirs")) == []


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("q=funds", ["Funds added"]),
        ("q=FUNDS+olivia", ["Funds added"]),
        ("q=2125550123", ["Renamed"]),
        ("who=system", ["Paid"]),
        ("area=wallet", ["Paid", "Funds added"]),
        ("area=number", ["Renamed"]),
        ("about=abc123", ["Renamed"]),
        ("q=nothing", []),
        ("q=olivia&area=member", []),
    ],
)
def test_it_is_found_by_who_what_and_about(as_owner, record, address, found):
    record("Renamed", label="+12125550123", subject_id="abc123")
    # The subject's kind comes from a model; here it is written as that would.
    connection.cursor().execute("SET session_replication_role = replica")
    connection.cursor().execute("UPDATE workspaces_auditevent SET subject_kind = 'number'")
    connection.cursor().execute("SET session_replication_role = origin")
    record("Funds added", action="wallet.funded")
    record("Paid", action="wallet.paid", by=None)
    assert texts(as_owner.get(f"{URL}?{address}")) == found


def test_every_kind_of_event_is_in_an_area():
    """Whatever code writes: an event in none could only be found among everything."""
    code = "".join(
        path.read_text() for app in ("workspaces", "wallet", "numbers", "interactions")
        for path in Path(app).rglob("*.py") if "tests" not in path.parts
    )  # fmt: skip
    kinds = set(re.findall(r'\b(?:action=f?|^\s*)"([a-z]+\.)[a-z_{]+', code, re.MULTILINE))
    assert {"number.", "wallet.", "rent.", "limits.", "request."} <= kinds
    assert kinds <= {beginning for _, beginnings in AREAS.values() for beginning in beginnings}


def test_dates_are_days_of_the_workspace(as_owner, record, acme):
    zone = ZoneInfo(acme.time_zone)
    for day, hour in ((23, 23), (24, 0), (24, 23), (25, 0)):
        with time_machine.travel(datetime(2026, 11, day, hour, 30, tzinfo=zone)):
            record(f"{day} at {hour}")
    response = as_owner.get(f"{URL}?first=2026-11-24&last=2026-11-24")
    assert texts(response) == ["24 at 23", "24 at 0"]


def test_pages_follow_without_gap_or_repeat(as_owner, record):
    for i in range(PAGE_SIZE + 5):
        record(str(i))
    first = as_owner.get(URL)
    second = as_owner.get(f"{URL}?{first.context['more']}")
    assert texts(first) + texts(second) == [str(i) for i in reversed(range(PAGE_SIZE + 5))]
    headers = {"HX-Request": "true", "HX-Target": "more-events"}
    fragment = as_owner.get(f"{URL}?{first.context['more']}", headers=headers).content.decode()
    assert fragment.lstrip().startswith("<li>")
    assert "<html" not in fragment


def test_the_query_count_does_not_grow_with_rows(as_owner, record):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            as_owner.get(URL)
        return len(queries)

    record()
    as_owner.get(URL)
    few = count()
    for _ in range(30):
        record()
    assert count() == few <= 8


def test_the_export_has_all_that_match(as_owner, record):
    for i in range(PAGE_SIZE + 5):
        record(f"=number {i}")
    record("other")
    response = as_owner.get(f"{URL}export/?q=number")
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == PAGE_SIZE + 6
    assert rows[1][5] == f"'=number {PAGE_SIZE + 4}"


ODD = ["%00", "%F0%9F%98%80", "x" * 10_000, "2026-02-30", "-1", "<script>alert(1)</script>"]


@pytest.mark.parametrize("parameter", ["q", "who", "area", "about", "first", "last", "after"])
@pytest.mark.parametrize("value", ODD)
def test_odd_parameters_get_a_page(as_owner, record, parameter, value):
    record()
    for page in (URL, f"{URL}export/"):
        response = as_owner.get(f"{page}?{parameter}={value}")
        assert response.status_code in (200, 422)
        if not response.streaming:
            assert "<script>alert(1)" not in response.content.decode()


def test_the_oldest_and_the_latest_day_are_understood(as_owner, record):
    record()
    assert as_owner.get(f"{URL}?first=0001-01-01&last=9999-12-31").status_code == 200


def test_it_needs_its_permission(as_member, as_viewer, as_outsider, acme):
    for page in (URL, f"{URL}export/"):
        assert as_member.get(page).status_code == 403
        assert as_viewer.get(page).status_code == 403
        assert as_outsider.get(page).status_code == 404
        assert as_member.post(page).status_code in (403, 405)


def test_nothing_yet_says_so(as_owner, acme):
    assert "Nothing has happened yet" in as_owner.get(URL).content.decode()


def test_old_events_stay_below_new_ones(as_owner, record):
    with time_machine.travel(timezone.now() - timedelta(days=400)):
        record("old")
    record("new")
    assert texts(as_owner.get(URL)) == ["new", "old"]
