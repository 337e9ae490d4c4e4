"""Where the installation asks everyone for a second factor."""

import re
import time
from datetime import UTC, datetime

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from conftest import signed_in
from tests.test_production_settings import read

pytestmark = pytest.mark.django_db

SET_UP = "/accounts/2fa/"
ASKED = "Everyone here needs a second factor. Set one up to go on."


@pytest.fixture
def _asked_of_everyone(settings):
    settings.EVERYONE_NEEDS_SECOND_FACTOR = True


@pytest.fixture(autouse=True)
def _one_moment():
    """A code is good for the half minute in which it is shown, so the clock stands still."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


def set_up(browser: Client) -> str:
    """Switch the authenticator app on; the page with the recovery codes."""
    page = browser.get("/accounts/2fa/totp/activate/")
    secret = re.search(r'class="secret">(\w+)<', page.text).group(1)
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return browser.post("/accounts/2fa/totp/activate/", {"code": code}, follow=True).text


def done_leads_to(page: str) -> str:
    return re.search(r'href="([^"]*)">Done<', page).group(1)


def test_it_is_off_unless_the_installation_says_so(as_member):
    assert read("EVERYONE_NEEDS_SECOND_FACTOR") == {"EVERYONE_NEEDS_SECOND_FACTOR": False}
    changed = read("EVERYONE_NEEDS_SECOND_FACTOR", EVERYONE_NEEDS_SECOND_FACTOR="true")
    assert changed == {"EVERYONE_NEEDS_SECOND_FACTOR": True}
    assert as_member.get("/w/acme/numbers/").status_code == 200


@pytest.mark.usefixtures("_asked_of_everyone")
def test_signing_in_leads_to_set_one_up_and_then_on(member):
    browser = Client()
    wanted = "/w/acme/inbox/?only=unread"
    form = {"login": member.email, "password": "numbers-demo", "next": wanted}
    answer = browser.post("/accounts/login/", form, follow=True)
    assert answer.redirect_chain == [(wanted, 302), (SET_UP, 302)]
    assert ASKED in answer.text
    assert done_leads_to(set_up(browser)) == wanted
    assert browser.get(wanted).status_code == 200
    assert done_leads_to(browser.get("/accounts/2fa/recovery-codes/").text) == SET_UP, "only once"


@pytest.mark.usefixtures("_asked_of_everyone")
def test_a_form_leads_back_to_the_page_it_stood_on(acme, as_owner):
    page = "/w/acme/settings/"
    form = {"name": "Ours", "time_zone": "UTC", "colour": "blue"}
    came_from = {"Referer": f"http://testserver{page}"}
    assert as_owner.post(f"{page}save/", form, headers=came_from).headers["Location"] == SET_UP
    acme.refresh_from_db()
    assert acme.name == "Acme"
    assert done_leads_to(set_up(as_owner)) == page


@pytest.mark.usefixtures("_asked_of_everyone")
def test_a_fragment_leads_the_whole_page_there(as_member):
    answer = as_member.get("/w/acme/numbers/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == SET_UP


@pytest.mark.usefixtures("_asked_of_everyone")
def test_who_switches_it_off_again_is_asked_again(member, as_member):
    set_up(as_member)
    assert as_member.get("/w/acme/numbers/").status_code == 200
    as_member.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=member).exists()
    assert as_member.get("/w/acme/numbers/").headers["Location"] == SET_UP


@pytest.mark.usefixtures("_asked_of_everyone")
def test_recovery_codes_alone_are_none(member, as_member):
    Authenticator.objects.create(user=member, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert as_member.get("/w/acme/numbers/").headers["Location"] == SET_UP


@pytest.mark.usefixtures("_asked_of_everyone")
def test_a_passkey_is_one(member, as_member):
    Authenticator.objects.create(user=member, type=Authenticator.Type.WEBAUTHN, data={})
    assert as_member.get("/w/acme/numbers/").status_code == 200


@pytest.mark.usefixtures("_asked_of_everyone")
def test_probes_and_the_way_out_stay_open(as_member):
    assert as_member.get("/healthz").status_code == 200
    assert as_member.get("/readyz").status_code in (200, 503)
    assert as_member.post("/accounts/logout/").headers["Location"] == "/accounts/login/"


def test_done_leads_to_no_other_site(staff, settings):
    settings.SUPPORT_NEEDS_SECOND_FACTOR = True
    for wanted, there in (("/admin/find/", "/admin/find/"), ("https://evil.test/", "/"),
                          ("javascript:alert(1)", "/")):  # fmt: skip
        browser = signed_in(staff)
        Authenticator.objects.all().delete()
        browser.get("/admin/login/", {"next": wanted})
        assert done_leads_to(set_up(browser)) == there
