"""No value that somebody types into an address or a form is an error of ours, or leads
to another site.
"""

from urllib.parse import urljoin, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from conftest import signed_in
from tests.isolation import world as worlds
from tests.isolation.test_every_url import address_of, undone
from tests.isolation.url_table import TABLE, Row
from tests.isolation.world import World

pytestmark = pytest.mark.django_db

HOSTILE = [
    "\x00", "9" * 30, "9999-12-31",
    "0001-01-01T00:00:00+23:59~x", "2026-11-30T00:00:00+00:00~\x00", "http://[",
    "//evil.test/",
]  # fmt: skip
# What addresses may ask, whichever page it is.
ASKED = [
    "q", "after", "before", "since", "until", "days", "n", "do", "number", "country", "area_code",
    "amount", "missing", "next", "back", "here", "who", "what", "sort", "tag", "few", "returned",
    "field", "needs", "field_find", "pattern", "capabilities", "number_type", "kind", "only",
]  # fmt: skip


@pytest.fixture
def world(simulator, db) -> World:
    return worlds.build()


def ask(client: Client, row: Row, world: World, value: str) -> HttpResponse:
    query = dict.fromkeys([*ASKED, *row.query(world)], value)
    if row.method == "POST":
        form = dict.fromkeys(row.form(world), value)
        return client.post(address_of(row, world), form, query_params=query)
    return client.generic(row.method, address_of(row, world), query_params=query)


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_what_is_typed_is_no_error_of_ours_and_leads_to_no_other_site(value: str, world: World):
    broken, led = set(), {}
    for row in TABLE:
        with undone():
            client = signed_in(world.people["owner"])
            client.raise_request_exception = False
            answer = ask(client, row, world, value)
        there = answer.headers.get("Location", "") or answer.headers.get("HX-Redirect", "")
        if answer.status_code >= 500:
            broken.add(row.request)
        if urlsplit(urljoin("http://testserver/", there)).netloc != "testserver":
            led[row.request] = there
    # It says that a part is out of order, whatever it is asked.
    assert broken - {"GET readyz"} == set()
    assert led == {}


def test_an_address_that_nobody_can_read_is_not_gone_to(owner):
    form = {"login": owner.email, "password": "numbers-demo", "next": "http://["}
    assert Client().post("/accounts/login/", form).headers["Location"] == "/"
    referer = {"Referer": "http://["}
    answer = Client().post("/w/acme/settings/save/", headers=referer)
    assert answer.headers["Location"] == "/accounts/login/?next=/"
