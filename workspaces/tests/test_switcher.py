"""Switching: this very page in another workspace, found by name when there are many."""

import pytest

from conftest import make_member, make_workspace, signed_in
from workspaces.models import Membership
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(acme, owner) -> None:
    for number in range(12):
        workspace = make_workspace(f"brand-{number}", f"Brand {number:02}")
        Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)


@pytest.fixture
def two(owner, globex) -> None:
    Membership.objects.create(workspace=globex, user=owner, role=Role.OWNER)


def search(browser, words: str, here: str):
    return browser.get(
        "/workspaces/", query_params={"q": words, "here": here},
        headers={"HX-Request": "true", "HX-Target": "switch-list"},
    )  # fmt: skip


def test_it_leads_to_the_same_page(as_owner, two):
    page = as_owner.get("/w/acme/numbers/?q=212").text
    assert 'href="/w/globex/numbers/?q=212"' in page
    assert 'href="/w/globex/wallet/"' in as_owner.get("/w/acme/wallet/").text
    assert 'href="/w/globex/members/"' in as_owner.get("/w/acme/members/").text


def test_from_one_thing_it_leads_to_the_list_of_such(as_owner, owner, two, place, acme):
    member_id = Membership.objects.get(workspace=acme, user=owner).public_id
    page = as_owner.get(f"/w/acme/members/{member_id}/").text
    assert 'href="/w/globex/members/"' in page
    assert f"/w/globex/members/{member_id}" not in page


def test_an_answer_to_a_form_leads_to_the_start(as_owner, two):
    page = as_owner.post("/w/acme/members/invite/", {"email": "none"})
    assert page.status_code == 422
    assert 'href="/w/globex/numbers/"' in page.text


def test_two_tabs_in_two_workspaces_are_both_right(as_owner, two):
    """The address decides; what the session remembers is only where one starts."""
    for _ in range(2):
        for slug, name in (("acme", "Acme"), ("globex", "Globex")):
            page = as_owner.get(f"/w/{slug}/numbers/").text
            assert f'<span class="visually-hidden">Workspace: </span>{name}</span>' in page
            assert f'href="/w/{slug}/numbers/buy/' in page
    as_owner.post("/w/acme/settings/save/", {"name": "A", "time_zone": "UTC", "colour": "blue"})
    assert "Globex" in as_owner.get("/w/globex/settings/").text


def test_with_few_there_is_no_search_and_with_many_there_is(as_owner, two, many):
    page = as_owner.get("/w/acme/numbers/").text
    assert 'id="switch-search"' in page
    assert "Brand 06" in page
    assert "Brand 11" not in page, "only the first few are sent with every page"


def test_with_few_there_is_no_search(as_owner, two):
    assert 'id="switch-search"' not in as_owner.get("/w/acme/numbers/").text


def test_the_search_finds_by_name_and_keeps_the_page(as_owner, many):
    answer = search(as_owner, "brand 11", "/w/acme/wallet/?page=2")
    assert 'href="/w/brand-11/wallet/?page=2"' in answer.text
    assert "Brand 10" not in answer.text
    assert "<main" not in answer.text


@pytest.mark.parametrize("here", ["//evil.test/w/acme/", "javascript:alert(1)", "\0", "/[", "x"])
def test_it_leads_only_to_pages_of_ours(as_owner, many, here):
    answer = search(as_owner, "brand 11", here)
    assert answer.status_code == 200
    assert 'href="/w/brand-11/numbers/"' in answer.text
    assert "evil" not in answer.text


def test_it_finds_no_workspace_of_others(as_owner, globex, outsider):
    assert "No workspace of yours" in search(as_owner, "globex", "/w/acme/numbers/").text
    assert "Globex" not in as_owner.get("/workspaces/?q=glob").text


@pytest.mark.parametrize("words", ["%", "\0", "🙂", "x" * 10_000, "' OR 1=1 --"])
def test_any_words_get_a_page(as_owner, many, words):
    assert as_owner.get("/workspaces/", query_params={"q": words}).status_code == 200


def test_its_queries_do_not_grow_with_the_workspaces(
    acme, owner, two, many, django_assert_max_num_queries
):
    browser = signed_in(owner)
    browser.get("/w/acme/numbers/")
    with django_assert_max_num_queries(8):
        browser.get("/w/acme/numbers/")
    with django_assert_max_num_queries(8):
        browser.get("/workspaces/")


def test_somebody_in_no_workspace_is_told_what_to_do(globex, outsider):
    stranger = make_member(globex, Role.VIEWER, "gone@globex.test")
    stranger.memberships.all().delete()
    page = signed_in(stranger).get("/")
    assert "You are not in a workspace yet" in page.text
