"""What every page carries and what none holds, read from each page of the table."""

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from conftest import signed_in
from tests.isolation import world as worlds
from tests.isolation.test_every_url import ask
from tests.isolation.url_table import TABLE
from tests.isolation.urls import every_url
from tests.isolation.world import ANONYMOUS, World
from workspaces.models import User

pytestmark = pytest.mark.django_db

CONTENT_POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'",
    "frame-ancestors 'none'", "form-action 'self'",
}  # fmt: skip
# A file can do nothing wherever it is opened: it is no page.
FILE_POLICY = {"default-src 'none'", "sandbox"}
FILES = {"interactions:picture", "interactions:voicemail"}
# The answer to the form of these leads to the payment page.
LEADS_TO_STRIPE = {"wallet:add_funds", "wallet:top_up", "wallet:recharge"}
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Inline(HTMLParser):
    """Finds what a strict policy would stop, and what it is there to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        here = self.get_starttag_text()
        data = attributes.get("type") == "application/json"
        if tag == "style" or (tag == "script" and "src" not in attributes and not data):
            self.found.append(here)
        for name, value in attributes.items():
            address = name in ("href", "src", "action") and value.lower().startswith("javascript:")
            if name == "style" or re.fullmatch(r"on[a-z]+", name) or address:
                self.found.append(here)


def policy_of(name: str, response: HttpResponse) -> set[str]:
    """What the policy of a page must say; the refusal of a file is a page."""
    if name in FILES and response.status_code == 200:
        return FILE_POLICY
    if name in LEADS_TO_STRIPE:
        form = f"form-action 'self' {settings.STRIPE_CHECKOUT_ORIGIN}"
        return CONTENT_POLICY - {"form-action 'self'"} | {form}
    return CONTENT_POLICY


def troubles(response: HttpResponse, name: str = "") -> list[str]:
    policy = response.headers.get("Content-Security-Policy", "")
    wrong = [part for part in policy_of(name, response) if part not in policy.split("; ")]
    wrong += [f"{name}" for name, value in HEADERS.items() if response.headers.get(name) != value]
    wrong += [] if "unsafe" not in policy else ["something unsafe is allowed"]
    wrong += [] if "camera=()" in response.headers.get("Permissions-Policy", "") else ["features"]
    wrong += [] if "no-store" in response.headers.get("Cache-Control", "") else ["kept by caches"]
    if response.headers.get("Content-Type", "").startswith("text/html"):
        page = Inline()
        page.feed(response.text)
        wrong += page.found
    return wrong


@pytest.fixture
def world(simulator, db) -> World:
    return worlds.build()


@pytest.mark.parametrize("person", ["owner", "viewer", ANONYMOUS])
def test_every_page_carries_them_and_holds_nothing_inline(world, person):
    wrong = {}
    for row in (row for row in TABLE if row.method == "GET"):
        if found := troubles(ask(row, world, person), row.name):
            wrong[row.name] = found
    assert wrong == {}


def test_the_admin_does_too(world):
    staff = User.objects.create_superuser("staff@example.test", "numbers-demo")
    browser, wrong, seen = signed_in(staff), {}, 0
    samples = {"app_label": "numbers", "url": "x/"}
    for url in (url for url in every_url() if url.gate == "staff" and url.name[-1] != ":"):
        names = re.findall(r"<(?:\w+:)?(\w+)>", url.route)
        answer = browser.get(
            reverse(url.name, kwargs={name: samples.get(name, 1) for name in names})
        )
        seen += answer.status_code == 200
        if found := troubles(answer):
            wrong[url.name] = found
    assert wrong == {}
    assert seen > 30, "too few pages were seen to prove anything"


@pytest.mark.parametrize("path", ["/static/app.js", "/static/icons.svg"])
def test_files_carry_what_concerns_them(client: Client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_finder_finds():
    """The tests above could not fail if it did not."""
    page = Inline()
    page.feed(
        '<p style="x"><a href="javascript:x"><b onclick="x"><script>x</script><style></style>'
    )
    assert len(page.found) == 5
    page = Inline()
    page.feed('<script src="/a.js"></script><script type="application/json">{}</script>')
    assert page.found == []
