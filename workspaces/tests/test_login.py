"""Getting in: what is told to a stranger, how often one may try, sessions, second factors."""

import re
import time
from datetime import UTC, datetime

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from cryptography.fernet import InvalidToken
from django.contrib.auth import hashers
from django.contrib.auth.password_validation import validate_password
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from conftest import signed_in
from workspaces.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "numbers-demo"
NEW = "three-blue-lamps-hum"


def log_in(email: str, password: str = PASSWORD, browser: Client | None = None):
    browser = browser or Client()
    return browser.post("/accounts/login/", {"login": email, "password": password})


def without_tokens(page) -> str:
    """What a person sees; the token against forged forms is another each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page.text)


def test_a_wrong_password_and_an_unknown_address_read_the_same(owner):
    wrong, unknown = log_in(owner.email, "wrong"), log_in("nobody@acme.test", "wrong")
    assert wrong.status_code == unknown.status_code == 200
    same = without_tokens(wrong).replace(owner.email, "nobody@acme.test")
    assert same == without_tokens(unknown)


def test_an_unknown_address_costs_as_much_hashing(owner, monkeypatch):
    """So that the time of an answer tells nothing."""
    counted = []
    hasher = hashers.get_hasher()
    encode = type(hasher).encode
    monkeypatch.setattr(type(hasher), "encode", lambda *words: counted.append(1) or encode(*words))
    log_in(owner.email, "wrong")
    known = len(counted)
    log_in("nobody@acme.test", "wrong")
    assert len(counted) - known == known == 1


def test_a_forgotten_password_reads_the_same_and_mails_both(owner):
    answers = [
        Client().post("/accounts/password/reset/", {"email": email})
        for email in (owner.email, "nobody@acme.test")
    ]
    assert len({(answer.status_code, answer.headers["Location"]) for answer in answers}) == 1
    assert [message.to for message in mail.outbox] == [[owner.email], ["nobody@acme.test"]]
    assert "There is no login with this address" in mail.outbox[1].body


def test_links_in_mails_lead_to_the_public_address_whatever_host_was_asked(owner):
    Client().post(
        "/accounts/password/reset/", {"email": owner.email}, headers={"Host": "localhost"}
    )
    [link] = re.findall(r"https?://\S+", mail.outbox[0].body)
    assert link.startswith("https://desk.test/accounts/password/reset/key/")
    assert Client().get(link.removeprefix("https://desk.test"), follow=True).status_code == 200


def test_a_new_password_ends_every_session(owner):
    browser, other = Client(), Client()
    log_in(owner.email, browser=browser)
    log_in(owner.email, browser=other)
    browser.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
    )
    assert browser.get("/w/acme/numbers/").status_code == 200
    assert other.get("/w/acme/numbers/").headers["Location"].startswith("/accounts/login/")
    assert log_in(owner.email).status_code == 200, "the old password is no good any more"


@pytest.mark.parametrize(
    "password", ["short-one", "password1234", "owner@acme.test", "1234567890123", "qwertyuiop12"]
)
def test_a_poor_password_is_refused_offline(owner, password):
    with pytest.raises(ValidationError):
        validate_password(password, owner)


def test_after_five_failures_an_address_waits_even_with_the_right_password(owner):
    for _ in range(5):
        log_in(owner.email, "wrong")
    answer = log_in(owner.email)
    assert answer.status_code == 200
    assert "Too many wrong passwords" in answer.text


def test_an_address_that_does_not_exist_waits_too(owner):
    for _ in range(5):
        log_in("nobody@acme.test", "wrong")
    assert "Too many wrong passwords" in log_in("nobody@acme.test", "wrong").text


def test_too_many_requests_say_when_to_try_again(owner, settings):
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/m/ip"}
    Client().post("/accounts/password/reset/", {"email": "a@acme.test"})
    answer = Client().post("/accounts/password/reset/", {"email": "b@acme.test"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "300"
    assert "Too many attempts in a short time. Try again in 5 minutes." in answer.text


def test_behind_a_proxy_attempts_are_counted_by_the_address_that_it_added(owner, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}

    def try_from(address: str) -> int:
        form = {"login": "nobody@acme.test", "password": "wrong"}
        forwarded = {"X-Forwarded-For": address}
        return Client().post("/accounts/login/", form, headers=forwarded).status_code

    assert try_from("10.0.0.1, 198.51.100.7") == 200
    assert try_from("10.9.9.9, 198.51.100.7") == 429, "what the browser claims is not believed"
    assert try_from("10.0.0.1, 198.51.100.8") == 200


def test_a_login_that_is_switched_off_stays_out(member):
    member.is_active = False
    member.save()
    assert log_in(member.email).headers["Location"] == "/accounts/inactive/"
    assert "switched off" in Client().get("/accounts/inactive/").text


def test_nobody_signs_up_alone(db):
    form = {"email": "new@acme.test", "password1": NEW, "password2": NEW}
    assert "By invitation" in Client().post("/accounts/signup/", form).text
    assert not EmailAddress.objects.exists()


def test_it_leads_back_to_where_one_wanted_to_go_and_to_no_other_site(owner):
    for wanted, there in (("/w/acme/wallet/", "/w/acme/wallet/"), ("https://evil.test/", "/")):
        form = {"login": owner.email, "password": PASSWORD, "next": wanted}
        assert Client().post("/accounts/login/", form).headers["Location"] == there


# --- Sessions -----------------------------------------------------------------------------


def test_sessions_are_listed_and_ended_one_by_one(owner):
    here, there = Client(), Client(headers={"User-Agent": "Firefox/146.0 Linux"})
    log_in(owner.email, browser=here)
    log_in(owner.email, browser=there)
    page = here.get("/accounts/sessions/")
    assert "Firefox on Linux" in page.text
    other = UserSession.objects.exclude(session_key=here.session.session_key).get()
    assert here.post(f"/sessions/{other.pk}/end/").status_code == 302
    assert there.get("/w/acme/numbers/").status_code == 302
    assert here.get("/w/acme/numbers/").status_code == 200


def test_all_others_are_ended_at_once(owner):
    here, there = Client(), Client()
    log_in(owner.email, browser=here)
    log_in(owner.email, browser=there)
    here.post("/accounts/sessions/")
    assert there.get("/w/acme/numbers/").status_code == 302
    assert here.get("/w/acme/numbers/").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(owner, as_outsider):
    browser = Client()
    log_in(owner.email, browser=browser)
    session = UserSession.objects.get(user=owner)
    assert as_outsider.post(f"/sessions/{session.pk}/end/").status_code == 404
    assert browser.get("/w/acme/numbers/").status_code == 200


# --- A second factor ----------------------------------------------------------------------


@pytest.fixture
def _one_moment():
    """A code is good for the half minute in which it is shown, so the clock stands still."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


def code_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up(browser: Client) -> str:
    """Switch the authenticator app on; its secret."""
    page = browser.get("/accounts/2fa/totp/activate/")
    secret = re.search(r'class="secret">(\w+)<', page.text).group(1)
    answer = browser.post("/accounts/2fa/totp/activate/", {"code": code_for(secret)})
    assert answer.headers["Location"] == "/accounts/2fa/recovery-codes/"
    return secret


@pytest.mark.usefixtures("_one_moment")
def test_a_second_factor_is_asked_after_the_password(owner, as_owner):
    secret = set_up(as_owner)
    browser = Client()
    assert log_in(owner.email, browser=browser).headers["Location"] == "/accounts/2fa/authenticate/"
    assert browser.get("/w/acme/numbers/").status_code == 302, "a password alone is not enough"
    assert browser.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    browser.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert browser.get("/w/acme/numbers/").status_code == 200


@pytest.mark.usefixtures("_one_moment")
def test_a_code_works_once(owner, as_owner):
    code = code_for(set_up(as_owner))
    for works in (True, False):  # whoever looked over the shoulder comes too late
        browser = Client()
        log_in(owner.email, browser=browser)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert (browser.get("/w/acme/numbers/").status_code == 200) is works


@pytest.mark.usefixtures("_one_moment")
def test_a_recovery_code_works_once(owner, as_owner):
    set_up(as_owner)
    page = as_owner.get("/accounts/2fa/recovery-codes/")
    code = re.search(r"<li><code>(\w+)</code>", page.text).group(1)
    for works in (True, False):
        browser = Client()
        log_in(owner.email, browser=browser)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert (browser.get("/w/acme/numbers/").status_code == 200) is works


@pytest.mark.usefixtures("_one_moment")
def test_secrets_are_sealed_in_the_database(owner, as_owner):
    secret = set_up(as_owner)
    assert Authenticator.objects.count() == 2
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


@pytest.mark.usefixtures("_one_moment")
def test_a_former_key_still_opens_them(owner, as_owner, settings):
    secret, former = set_up(as_owner), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [former]
    row = Authenticator.objects.get(type="totp")
    assert row.wrap().validate_code(code_for(secret)) is not None
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        row.wrap().validate_code(code_for(secret))


def test_setting_it_up_asks_for_the_password_first(owner):
    browser = Client()
    browser.force_login(owner)
    answer = browser.get("/accounts/2fa/totp/activate/")
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.usefixtures("_one_moment")
def test_each_sign_in_and_each_failure_is_in_the_log(owner, as_owner, caplog):
    caplog.set_level("INFO", logger="workspaces.login")
    set_up(as_owner)
    browser = Client()
    log_in(owner.email, "a-password-mistyped", browser)
    log_in(owner.email, browser=browser)
    browser.post("/accounts/2fa/authenticate/", {"code": "000000"})
    said = [record.getMessage() for record in caplog.records if record.name == "workspaces.login"]
    assert said == [
        "a sign-in failed, from 127.0.0.1",
        f"a second factor of person {owner.pk} failed, from 127.0.0.1",
    ]
    log_in(owner.email, browser=Client())
    Authenticator.objects.all().delete()
    log_in(owner.email, browser=Client())
    assert caplog.messages[-1] == f"person {owner.pk} signed in, from 127.0.0.1"


# --- Support staff ------------------------------------------------------------------------


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("staff@example.test", PASSWORD)


@pytest.mark.usefixtures("_one_moment")
def test_support_gets_into_the_admin_only_with_a_second_factor(staff, settings):
    settings.SUPPORT_NEEDS_SECOND_FACTOR = True
    browser = signed_in(staff)
    answer = browser.get("/admin/numbers/number/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/"
    assert "Support staff need a second factor" in answer.text
    set_up(browser)
    assert browser.get("/admin/numbers/number/").status_code == 200


def test_in_the_demo_support_may_go_without(staff):
    assert signed_in(staff).get("/admin/").status_code == 200


def test_the_admin_has_no_login_of_its_own(client):
    answer = client.get("/admin/wallet/entry/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/wallet/entry/"
