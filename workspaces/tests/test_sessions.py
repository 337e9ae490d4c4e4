"""Sessions end, by themselves too, and their key changes with each proof of who it is."""

import re
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client

from tests.test_production_settings import read
from workspaces.models import User
from workspaces.tasks import forget_ended_sessions

pytestmark = pytest.mark.django_db

PASSWORD = "numbers-demo"
PAGE = "/w/acme/numbers/"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def log_in(user: User, browser: Client | None = None) -> Client:
    """Sign in and follow to the first page, as a browser does."""
    browser = browser or Client()
    form = {"login": user.email, "password": PASSWORD}
    answer = browser.post("/accounts/login/", form, follow=True)
    assert answer.redirect_chain
    return browser


def key_of(browser: Client) -> str:
    return browser.cookies["session"].value


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


# --- Their end ------------------------------------------------------------------------------


def test_a_session_that_is_used_each_day_ends_after_a_month(owner, clock):
    browser = log_in(owner)
    for _ in range(29):
        clock.shift(timedelta(days=1))
        assert browser.get(PAGE).status_code == 200
    key = key_of(browser)
    clock.shift(timedelta(days=1))
    answer = browser.get(PAGE)
    assert answer.headers["Location"] == f"/accounts/login/?next={PAGE}"
    assert not Session.objects.filter(session_key=key).exists()
    assert not UserSession.objects.filter(session_key=key).exists()
    page = browser.get(answer.headers["Location"]).text
    assert "You signed in a long while ago. Sign in again to go on." in page


def test_signing_in_again_begins_another_month(owner, clock):
    browser = log_in(owner)
    for _ in range(3):
        clock.shift(timedelta(days=30))
        assert browser.get(PAGE).status_code == 302
        log_in(owner, browser)
        assert browser.get(PAGE).status_code == 200


def test_a_session_that_is_not_used_ends_after_two_weeks(owner, clock):
    browser = log_in(owner)
    clock.shift(timedelta(days=13))
    assert browser.get(PAGE).status_code == 200
    clock.shift(timedelta(days=13))
    assert browser.get(PAGE).status_code == 200, "looking at a page is use"
    clock.shift(timedelta(days=14))
    answer = browser.get(PAGE)
    assert answer.headers["Location"].startswith("/accounts/login/")


def test_a_session_is_written_once_an_hour_not_at_each_click(owner, clock):
    browser = log_in(owner)
    browser.get(PAGE)
    used = browser.session["used_at"]
    clock.shift(timedelta(minutes=59))
    browser.get(PAGE)
    assert browser.session["used_at"] == used
    clock.shift(timedelta(minutes=1))
    browser.get(PAGE)
    assert browser.session["used_at"] == used + 3600


def test_support_signs_in_each_working_day(staff, clock):
    browser = log_in(staff)
    clock.shift(timedelta(hours=11, minutes=59))
    assert browser.get("/admin/").status_code == 200
    clock.shift(timedelta(minutes=1))
    answer = browser.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"


def test_who_becomes_support_has_support_s_shorter_time(member, clock):
    browser = log_in(member)
    clock.shift(timedelta(hours=12))
    assert browser.get(PAGE).status_code == 200
    member.is_staff = True
    member.save()
    assert browser.get(PAGE).status_code == 302


def test_a_session_begins_when_it_is_first_seen(owner, clock):
    browser = Client()
    browser.force_login(owner)
    browser.get(PAGE)
    clock.shift(timedelta(days=13))
    assert browser.get(PAGE).status_code == 200
    clock.shift(timedelta(days=13))
    assert browser.get(PAGE).status_code == 200
    clock.shift(timedelta(days=4))
    assert browser.get(PAGE).status_code == 302


def test_a_fragment_leads_the_whole_page_to_the_login(owner, clock):
    browser = log_in(owner)
    clock.shift(timedelta(days=30))
    answer = browser.get(PAGE, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/accounts/login/")


def test_the_times_are_the_installation_s():
    names = ("SESSION_COOKIE_AGE", "SESSION_LIFETIME_DAYS", "SUPPORT_SESSION_HOURS")
    assert read(*names) == dict(zip(names, (14 * 86_400, 30, 12), strict=True))
    changes = {"SESSION_IDLE_DAYS": "1", "SESSION_LIFETIME_DAYS": "7", "SUPPORT_SESSION_HOURS": "4"}
    assert read(*names, **changes) == dict(zip(names, (86_400, 7, 4), strict=True))


@pytest.mark.parametrize("others", ["one", "all"])
def test_ending_others_asks_for_the_password_first_and_is_done_then(owner, clock, others):
    here, there = log_in(owner), log_in(owner)
    clock.shift(timedelta(minutes=16))
    other = UserSession.objects.get(session_key=key_of(there))
    address = f"/sessions/{other.pk}/end/" if others == "one" else "/accounts/sessions/"
    answer = here.post(address)
    assert unquote(answer.headers["Location"]) == f"/accounts/reauthenticate/?next={address}"
    assert there.get(PAGE).status_code == 200
    answer = here.post(answer.headers["Location"], {"password": PASSWORD})
    assert answer.headers["Location"] == "/accounts/sessions/"
    assert there.get(PAGE).status_code == 302
    assert here.get(PAGE).status_code == 200


def test_another_mail_address_asks_for_the_password_first(owner, clock):
    """Whoever has the mail address gets a new password by mail."""
    browser = log_in(owner)
    clock.shift(timedelta(minutes=16))
    form = {"email": "thief@evil.test", "action_add": ""}
    answer = browser.post("/accounts/email/", form)
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert mail.outbox == []


# --- Their keys -----------------------------------------------------------------------------


def test_signing_in_gives_a_key_that_nobody_had_before(owner):
    browser = Client()
    browser.post("/accounts/login/", {"login": "a@b.test", "password": "x"})
    browser.get(PAGE)
    session = browser.session  # whoever planted a key knows this one
    session["planted"] = 1
    session.save()
    planted = session.session_key
    log_in(owner, browser)
    assert key_of(browser) != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_the_password_again_gives_another_key_and_ends_the_copied_one(owner):
    browser = log_in(owner)
    browser.get(PAGE)
    thief = Client()
    thief.cookies["session"] = former = key_of(browser)
    assert thief.get(PAGE).status_code == 200
    answer = browser.post("/accounts/reauthenticate/?next=" + PAGE, {"password": PASSWORD})
    assert answer.headers["Location"] == PAGE
    assert key_of(browser) != former
    assert browser.get(PAGE).status_code == 200
    assert thief.get(PAGE).status_code == 302


def test_a_wrong_password_changes_no_key(owner):
    browser = log_in(owner)
    former = key_of(browser)
    assert browser.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code == 200
    assert key_of(browser) == former


def test_the_renewed_session_is_still_the_one_in_the_list(owner):
    """Else removing somebody, or ending it from another browser, would not end it."""
    browser, other = log_in(owner), log_in(owner)
    browser.post("/accounts/reauthenticate/?next=/", {"password": PASSWORD})
    [session] = UserSession.objects.filter(session_key=key_of(browser))
    assert "this one" in browser.get("/accounts/sessions/").text
    assert other.post(f"/sessions/{session.pk}/end/").status_code == 302
    assert browser.get(PAGE).status_code == 302


def test_a_second_factor_again_gives_another_key_too(owner, clock):
    browser = log_in(owner)
    page = browser.get("/accounts/2fa/totp/activate/")
    secret = re.search(r'class="secret">(\w+)<', page.text).group(1)

    def code() -> str:
        return format_hotp_value(hotp_value(secret, int(time.time()) // 30))

    browser.post("/accounts/2fa/totp/activate/", {"code": code()})
    former = key_of(browser)
    clock.shift(timedelta(minutes=1))
    answer = browser.post("/accounts/2fa/reauthenticate/?next=" + PAGE, {"code": code()})
    assert answer.headers["Location"] == PAGE
    assert key_of(browser) != former
    assert browser.get(PAGE).status_code == 200


# --- What is left of them -------------------------------------------------------------------


def test_ended_ones_are_deleted_with_what_the_list_says_and_others_stay(owner, member, clock):
    ended = key_of(log_in(owner))
    clock.shift(timedelta(days=13))
    used = log_in(member)
    clock.shift(timedelta(days=2))
    begun = key_of(log_in(owner))
    Session.objects.filter(session_key=begun).delete()  # not written yet

    forget_ended_sessions.delay()

    assert list(Session.objects.values_list("session_key", flat=True)) == [key_of(used)]
    listed = set(UserSession.objects.values_list("session_key", flat=True))
    assert ended not in listed and listed == {key_of(used), begun}
    assert used.get(PAGE).status_code == 200
