"""Each URL has a gate, and each of five people gets there what the table says."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from conftest import signed_in
from tests.isolation import world as worlds
from tests.isolation.url_table import ASKS_AGAIN, LOGIN, TABLE, Answer, Row
from tests.isolation.urls import Url, every_url
from tests.isolation.world import ANONYMOUS, OUTSIDER, PEOPLE, World
from workspaces.models import User
from workspaces.permissions import EXPLAINED
from workspaces.second_factor import OPEN_GATES

pytestmark = pytest.mark.django_db

URLS = every_url()


@pytest.fixture
def world(simulator, db) -> World:
    return worlds.build()


def sentence_for(url: Url) -> str:
    return (
        f"{url.name} ({url.route}) has no row in tests/isolation/url_table.py. Add one to its "
        f"app's list, with the answers that owner, member, viewer, outsider and anonymous get: "
        f'Row("GET (or POST) {url.name}", 200, 200, 200, 404, LOGIN, args=lambda world: {{…}})'
    )


def test_every_url_is_in_the_table():
    in_table = {row.name for row in TABLE}
    urls = [url for url in URLS if url.gate != "staff"]
    missing = [sentence_for(url) for url in urls if url.name not in in_table]
    assert not missing, "\n".join(missing)


def test_every_row_is_of_a_url():
    assert {row.name for row in TABLE} - {url.name for url in URLS} == set()


def test_every_url_has_a_gate():
    missing = [
        f"{url.name} ({url.route}): its view must wear one of the gates in workspaces/access.py: "
        "workspace_view(PERMISSION), signed_in, public or webhook"
        for url in URLS
        if not url.gate
    ]
    assert not missing, "\n".join(missing)


def test_every_page_of_a_workspace_names_a_permission_and_no_other_does():
    wrong = [url for url in URLS if url.is_of_a_workspace != (url.gate in EXPLAINED)]
    assert wrong == []


def test_every_url_has_a_name_of_its_own():
    names = [url.name for url in URLS if url.gate != "staff"]
    assert "" not in names
    assert sorted(set(names)) == sorted(names)


def address_of(row: Row, world: World) -> str:
    url = next(url for url in URLS if url.name == row.name)
    slug = {"workspace_slug": world.workspace.slug} if url.is_of_a_workspace else {}
    return reverse(row.name, kwargs=slug | row.args(world))


def ask(row: Row, world: World, person: str) -> HttpResponse:
    world.person = person
    client = signed_in(world.people[person]) if person != ANONYMOUS else Client()
    address, query = address_of(row, world), row.query(world)
    if row.method == "POST":
        return client.post(address, row.form(world), query_params=query)
    return client.generic(row.method, address, query_params=query)


def answer_of(response: HttpResponse) -> Answer:
    if response.status_code == 302 and response["Location"].startswith(reverse(settings.LOGIN_URL)):
        return LOGIN
    return response.status_code


@contextmanager
def undone() -> Iterator[None]:
    """What one person changes is not there for the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.request)
def test_each_person_gets_what_the_table_says(row: Row, world: World):
    got, marks = {}, world.marks_of_acme()
    for person in PEOPLE:
        with undone():
            response = ask(row, world, person)
        got[person] = answer_of(response)
        if person in (ANONYMOUS, OUTSIDER):
            assert [mark for mark in marks if mark in response.text] == [], person
    assert got == row.answers()


def test_an_old_session_is_asked_for_the_password_before_what_is_grave(world: World, settings):
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0  # nothing is recent
    before, asked = rows_of(world.acme.pk), set()
    in_a_workspace = {url.name for url in URLS if url.is_of_a_workspace}
    for row in (row for row in TABLE if row.name in in_a_workspace):
        with undone():
            response = ask(row, world, "owner")
            if response.headers.get("Location", "").startswith("/accounts/reauthenticate/"):
                assert rows_of(world.acme.pk) == before, row.request
                asked.add(f"{row.request} do=release" if releases(row, world) else row.request)
    assert asked == ASKS_AGAIN


def test_without_a_second_factor_nothing_opens_where_everyone_needs_one(world: World, settings):
    settings.EVERYONE_NEEDS_SECOND_FACTOR = True
    before, gates = rows_of(world.acme.pk), {url.name: url.gate for url in URLS}
    opened = set()
    for row in TABLE:
        with undone():
            response = ask(row, world, "owner")
            if response.headers.get("Location") != reverse("mfa_index"):
                opened.add(row.name)
                continue
            assert rows_of(world.acme.pk) == before, row.request
    closed_to_strangers = {name for name in opened if gates[name] not in OPEN_GATES}
    assert {name for name in closed_to_strangers if not name.startswith("mfa_")} == {
        "account_reauthenticate"
    }
    assert len(TABLE) - len(opened) > 100


def releases(row: Row, world: World) -> bool:
    return {**row.query(world), **row.form(world)}.get("do") == "release"


def pages_of_the_admin() -> Iterator[tuple[str, str]]:
    """The name of each, and an address."""
    samples = {"app_label": "numbers", "url": "x/"}
    for url in (url for url in URLS if url.gate == "staff" and not url.name.endswith(":")):
        names = re.findall(r"<(?:\w+:)?(\w+)>", url.route)
        yield url.name, reverse(url.name, kwargs={name: samples.get(name, 1) for name in names})


def opens(answer: HttpResponse) -> bool:
    to_login = answer.status_code == 302 and "/login/" in answer["Location"]
    return not to_login and answer.status_code not in (403, 404, 405)


def test_no_page_of_the_admin_opens_for_a_customer(as_owner: Client, client: Client):
    opened = []
    for _, address in pages_of_the_admin():
        for browser in (client, as_owner):
            for answer in (browser.get(address), browser.post(address)):
                if opens(answer):
                    opened.append((address, answer.status_code))
    assert opened == []


# Its first page, empty; the words of its scripts; a person's own password.
OPEN_TO_ALL_STAFF = {
    "admin:index", "admin:jsi18n", "admin:password_change", "admin:password_change_done",
}  # fmt: skip


def test_staff_without_permissions_get_no_further_than_the_first_page(world: World):
    person = User.objects.create_user("helper@example.test", "numbers-demo", is_staff=True)
    browser, opened = signed_in(person), set()
    for name, address in pages_of_the_admin():
        for answer in (browser.get(address), browser.post(address)):
            # The history of a row that is not there leads back to the first page.
            if opens(answer) and answer.headers.get("Location") != reverse("admin:index"):
                opened.add(name)
    assert opened <= OPEN_TO_ALL_STAFF


# Money, and who gets in where.
STAFF_ARE_ASKED_AGAIN = {
    "admin:wallet_wallet_adjust", "admin:wallet_entry_refund", "admin:wallet_hold_void",
    "admin:numbers_orderline_refund", "admin:numbers_difference_decide",
    "admin:numbers_rentaccount_change", "admin:rent_collect", "admin:rent_grace",
    "admin:rent_end_grace", "admin:rent_waive",
    "admin:workspaces_workspace_add", "admin:workspaces_workspace_change",
    "admin:workspaces_user_add", "admin:workspaces_user_change",
}  # fmt: skip


def test_an_old_session_of_support_is_asked_too(world: World, settings):
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0  # nothing is recent
    browser = signed_in(User.objects.create_superuser("boss@example.test", "numbers-demo"))
    before, asked = rows_of(world.acme.pk), set()
    for name, address in pages_of_the_admin():
        with undone():
            for answer in (browser.post(address), browser.get(address)):
                if answer.headers.get("Location", "").startswith("/accounts/reauthenticate/"):
                    asked.add(name)
                    assert rows_of(world.acme.pk) == before, name
    assert asked == STAFF_ARE_ASKED_AGAIN


def rows_of(workspace_id: int) -> dict[str, list[dict[str, Any]]]:
    """All that belongs to the workspace, as the database has it."""
    found = {}
    for model in apps.get_models():
        for key in ("workspace", "wallet"):
            if any(field.name == key for field in model._meta.get_fields() if field.concrete):
                rows = model.objects.filter(**{f"{key}_id": workspace_id}).order_by("pk").values()
                found[model._meta.label] = list(rows)
    return found


WITH_IDS = [row for row in TABLE if row.takes_ids]


@pytest.mark.parametrize("row", WITH_IDS, ids=lambda row: row.request)
def test_ids_of_another_workspace_lead_nowhere(row: Row, world: World):
    """Acme's ids in the path, the query and the form of an outsider's own workspace."""
    before = rows_of(world.acme.pk)
    marks, given = world.marks_of_acme(), sent(row, world)
    world.workspace = world.globex
    response = ask(row, world, OUTSIDER)
    assert answer_of(response) == row.foreign
    assert [mark for mark in marks if mark in response.text and mark not in given] == []
    assert rows_of(world.acme.pk) == before


def sent(row: Row, world: World) -> str:
    """What the person wrote themselves may be read back to them."""
    return str([sample(world) for sample in (row.args, row.query, row.form)])


def test_the_rows_that_are_compared_are_really_there(world: World):
    """The test above could not fail if it compared nothing."""
    rows = rows_of(world.acme.pk)
    filled = {label for label, found in rows.items() if found}
    assert {"numbers.Number", "numbers.OrderLine", "wallet.Entry", "wallet.Wallet"} <= filled
