"""The gate asks the database each time, and asks the person again before what is grave."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from conftest import signed_in

pytestmark = pytest.mark.django_db

PASSWORD = {"password": "numbers-demo"}


def later(minutes: int):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes))


def test_soon_after_signing_in_nobody_is_asked_again(as_owner):
    with later(14):
        assert as_owner.get("/w/acme/members/").status_code == 200


def test_later_the_password_is_asked_and_leads_back(as_owner):
    with later(16):
        answer = as_owner.get("/w/acme/members/?x=1")
        address = answer.headers["Location"]
        assert address == "/accounts/reauthenticate/?next=%2Fw%2Facme%2Fmembers%2F%3Fx%3D1"
        assert "Is it you?" in as_owner.get(address).text
        answer = as_owner.post(address, PASSWORD | {"next": "/w/acme/members/?x=1"})
        assert answer.headers["Location"] == "/w/acme/members/?x=1"
        assert as_owner.get("/w/acme/members/").status_code == 200


def test_a_wrong_password_opens_nothing(as_owner):
    with later(16):
        assert as_owner.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code == 200
        assert as_owner.get("/w/acme/members/").status_code == 302


def test_what_is_sent_too_late_changes_nothing_and_leads_back_to_its_page(as_owner, viewer, place):
    page = f"http://testserver/w/acme/members/{place(viewer).public_id}/"
    with later(16):
        answer = as_owner.post(f"{page}role/", {"role": "admin"}, headers={"Referer": page})
    assert answer.headers["Location"].endswith(f"%2Fmembers%2F{place(viewer).public_id}%2F")
    assert place(viewer).role == "viewer"


def test_another_site_cannot_say_where_it_leads(as_owner):
    with later(16):
        answer = as_owner.post("/w/acme/members/invite/", headers={"Referer": "https://evil.test/"})
    assert answer.headers["Location"] == "/accounts/reauthenticate/?next=%2F"


def test_htmx_is_told_to_go_there(as_owner):
    with later(16):
        answer = as_owner.get("/w/acme/members/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/accounts/reauthenticate/")


def test_what_a_person_may_not_do_needs_no_password(as_viewer, as_outsider, acme):
    with later(16):
        assert as_viewer.get("/w/acme/members/").status_code == 403
        assert as_outsider.get("/w/acme/members/").status_code == 404


def test_other_pages_ask_nothing(as_owner):
    with later(16):
        assert as_owner.get("/w/acme/wallet/").status_code == 200


def test_a_login_that_support_switched_off_is_out_at_once(acme, member):
    browser = signed_in(member)
    member.is_active = False
    member.save()
    assert browser.get("/w/acme/numbers/").headers["Location"].startswith("/accounts/login/")
