"""Where people land, what they may not see, and the switcher around every page."""

import re

import pytest

from conftest import make_member, make_workspace, signed_in
from tests.orders import buy_any
from workspaces.models import Membership
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_both(owner, globex):
    Membership.objects.create(workspace=globex, user=owner, role=Role.ADMIN)
    return signed_in(owner)


def switcher(page) -> dict[str, str]:
    body = re.search(r'aria-label="Workspaces">(.*?)</nav>', page.text, re.DOTALL).group(1)
    return dict(re.findall(r'href="([^"]*)"[^>]*><span class="logo.*?</span>\s*([^<]+)</a>', body))


@pytest.mark.parametrize("path", ["/", "/numbers/"])
def test_home_is_the_workspace_that_was_open_last(in_both, path):
    assert in_both.get(path).url == "/w/acme/numbers/"
    in_both.get("/w/globex/numbers/")
    assert in_both.get(path).url == "/w/globex/numbers/"


def test_home_is_not_a_workspace_that_one_has_left(in_both, globex):
    in_both.get("/w/globex/numbers/")
    Membership.objects.filter(workspace=globex).delete()
    assert in_both.get("/").url == "/w/acme/numbers/"


def test_someone_without_a_workspace_is_told_whom_to_ask(db):
    lonely = make_member(make_workspace("gone", "Gone"), Role.VIEWER, "lonely@gone.test")
    Membership.objects.filter(user=lonely).delete()
    page = signed_in(lonely).get("/")
    assert page.status_code == 200
    assert "You are not in a workspace yet" in page.text
    assert "lonely@gone.test" in page.text


def test_home_asks_who_one_is(client):
    assert client.get("/").url == "/accounts/login/?next=/"


def test_home_is_only_for_reading(in_both):
    assert in_both.post("/").status_code == 405


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/w/acme/numbers/", "/w/globex/numbers/"),
        ("/w/acme/numbers/?q=212", "/w/globex/numbers/?q=212"),
        ("/w/acme/numbers/buy/?country=US&area_code=21",
         "/w/globex/numbers/buy/?country=US&amp;area_code=21"),
        ("/w/acme/wallet/", "/w/globex/wallet/"),
    ],
)  # fmt: skip
def test_the_switcher_leads_to_the_same_page(in_both, simulator, path, there):
    targets = switcher(in_both.get(path))
    assert targets[there] == "Globex"
    assert in_both.get(there.replace("&amp;", "&")).status_code in (200, 422)


def test_from_a_page_about_one_thing_it_leads_to_the_list(in_both, acme, owner, simulator):
    page = in_both.get(buy_any(acme, owner).get_absolute_url())
    assert "/w/globex/numbers/" in switcher(page)


def test_a_viewer_of_the_wallet_learns_who_can_grant_it(as_viewer, acme, owner):
    make_member(acme, Role.ADMIN, "ada@acme.test", "Ada")
    page = as_viewer.get("/w/acme/wallet/")
    assert page.status_code == 403
    for words in ("wallet_view", "see the balance and the statement", "viewer",
                  'owner@acme.test">Olivia</a> or <a href="mailto:ada@acme.test">Ada</a>',
                  "nothing was charged"):  # fmt: skip
        assert words in " ".join(page.text.split())


def test_htmx_is_led_to_the_login_as_a_whole_page(client):
    answer = client.get("/w/acme/numbers/buy/?country=US", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == (
        "/accounts/login/?next=/w/acme/numbers/buy/%3Fcountry%3DUS"
    )
    assert answer.content == b""


def test_the_queries_around_a_page_do_not_grow_with_the_workspaces(
    in_both, owner, simulator, django_assert_max_num_queries
):
    for number in range(20):
        workspace = make_workspace(f"more-{number}", f"More {number}")
        Membership.objects.create(workspace=workspace, user=owner, role=Role.VIEWER)
    in_both.get("/w/acme/numbers/")
    with django_assert_max_num_queries(8):
        page = in_both.get("/w/acme/numbers/")
    assert len(switcher(page)) == 8, "the others are found by the switcher's search"
