"""The pages for what went wrong outside a view's own answers."""

import pytest
from django.test import Client, RequestFactory

from numbers_project.errors import forbidden, server_error

pytestmark = pytest.mark.django_db


def test_an_address_that_is_none_says_so(as_owner):
    page = as_owner.get("/w/acme/nothing/")
    assert page.status_code == 404
    assert "There is nothing at this address" in page.text


@pytest.mark.parametrize("path", ["/%00", "/w/%00/numbers/", "/w/%F0%9F%98%80/", "/" + "x" * 5000])
def test_hostile_addresses_are_not_found(as_owner, path):
    assert as_owner.get(path).status_code == 404


def test_whoever_is_not_signed_in_gets_the_same_page(client):
    assert "There is nothing at this address" in client.get("/nothing/").text


def test_a_wrong_method_has_words(as_owner):
    page = as_owner.post("/w/acme/numbers/")
    assert (page.status_code, page.headers["Allow"]) == (405, "GET, HEAD")
    assert "Nothing was changed and nothing was charged." in page.text


def test_what_is_forbidden_says_that_nothing_was_changed(owner):
    request = RequestFactory().get("/")
    request.user, request.htmx = owner, False
    page = forbidden(request, PermissionError())
    assert page.status_code == 403
    assert "Nothing was changed and nothing was charged." in page.content.decode()


def test_a_form_without_its_token_has_words(owner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    page = client.post("/accounts/logout/")
    assert page.status_code == 403
    assert "This page has to be loaded again" in page.text


def test_what_broke_is_told_without_request_database_and_context():
    page = server_error(None)
    assert page.status_code == 500
    assert "never charged twice" in " ".join(page.content.decode().split())


def test_answers_are_compressed_for_those_who_take_it(as_owner):
    page = as_owner.get("/w/acme/numbers/", headers={"accept-encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert {"Accept-Encoding", "HX-Request", "Cookie"} <= set(page.headers["Vary"].split(", "))


def test_pages_of_the_signed_in_are_kept_by_nobody(as_owner, client):
    assert as_owner.get("/w/acme/numbers/").headers["Cache-Control"] == "no-store"


def test_too_many_tries_to_sign_in_have_words(client, acme):
    for _ in range(40):
        page = client.post("/accounts/login/", {"login": "nobody@acme.test", "password": "x"})
        if page.status_code == 429:
            break
    assert page.status_code == 429
    assert "attempts" in page.text
