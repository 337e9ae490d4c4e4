"""People come, change and go: invitations, roles, second factors and sessions."""

import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.core import mail
from playwright.sync_api import Page, expect

from numbers.models import Number
from tests.browser.audit import audit
from workspaces.models import Membership
from workspaces.permissions import Role

PASSWORD = "numbers-demo"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def invite(browse, owner) -> Callable[[str], str]:
    """Olivia invites somebody on the members page; the path of the link in the mail."""

    def invite(email: str) -> str:
        page = browse(owner, "/w/acme/members/")
        page.get_by_label("Mail address").fill(email)
        page.get_by_role("radio", name=re.compile("^Member ")).check()
        page.get_by_role("button", name="Send the invitation").click()
        expect(page.get_by_text(f"An invitation is on its way to {email}.")).to_be_visible()
        expect(page.locator(".rows li", has_text=email)).to_contain_text("Sent, good until")
        audit(page)
        [message] = [one for one in mail.outbox if one.to == [email]]
        return re.search(r"https?://[^/\s]+(/invitations/\w+/)", message.body).group(1)

    return invite


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def open_member(page: Page, name: str) -> None:
    page.goto("/w/acme/members/")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def choose_role(page: Page, name: str, role: str) -> None:
    open_member(page, name)
    page.get_by_role("radio", name=re.compile(f"^{role} ")).check()
    page.get_by_role("button", name="Change the role").click()
    expect(page.get_by_text(f"{name} is {role.lower()} now.")).to_be_visible()


# --- Coming ---------------------------------------------------------------------------------


def test_somebody_new_follows_the_mail_makes_a_login_and_is_in(browse, invite, acme):
    link = invite("nina@new.test")
    page = browse(None, link)
    expect(page.get_by_role("heading", name="Join Acme")).to_be_visible()
    audit(page)
    page.get_by_label("First name").fill("Nina")
    page.get_by_label("Password").fill("password1234")
    page.get_by_role("button", name="Make my login and join").click()
    expect(page.get_by_text("This password is too common.")).to_be_visible()
    expect(page.get_by_label("First name")).to_have_value("Nina")
    audit(page)
    page.get_by_label("Password").fill("three-blue-lamps-hum")
    page.get_by_role("button", name="Make my login and join").click()
    expect(page.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()
    assert Membership.objects.for_workspace(acme).get(user__email="nina@new.test").role == "member"
    page.goto(link)
    expect(page.get_by_role("heading", name="This invitation is over")).to_be_visible()
    audit(page)


def test_somebody_with_a_login_signs_in_and_joins(browse, invite, acme, outsider):
    page = browse(None, invite("owner@globex.test"))
    expect(page.get_by_text("owner@globex.test has a login here already.")).to_be_visible()
    page.get_by_role("link", name="Sign in and join").click()
    sign_in(page, "owner@globex.test")
    audit(page)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are a member of Acme.")).to_be_visible()
    page.locator("summary", has_text="Acme").click()
    expect(page.get_by_role("link", name="Globex")).to_be_visible()
    assert Membership.objects.filter(user=outsider).count() == 2


def test_the_link_is_only_for_whom_it_names(browse, invite, acme, outsider):
    page = browse(outsider, invite("nina@new.test"))
    expect(page.get_by_text("You are signed in as owner@globex.test.")).to_be_visible()
    audit(page)
    page.get_by_role("button", name="Sign out").last.click()
    expect(page.get_by_role("button", name="Make my login and join")).to_be_visible()
    assert not Membership.objects.for_workspace(acme).filter(user=outsider).exists()


# --- Changing and going ---------------------------------------------------------------------


def test_a_role_changes_while_the_page_of_the_other_is_open(browse, owner, member, owned):
    theirs = browse(member, f"/w/acme/numbers/{owned.public_id}/edit/")
    ours = browse(owner, "/w/acme/members/")
    choose_role(ours, "Max", "Viewer")
    audit(ours)
    theirs.get_by_label("Friendly name").fill("Stolen")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("heading", name="This needs another permission")).to_be_visible()
    expect(theirs.locator("main")).to_contain_text("numbers_edit")
    expect(theirs.locator("main")).to_contain_text("Olivia can grant it.")
    audit(theirs)
    assert Number.objects.get().friendly_name != "Stolen"
    choose_role(ours, "Max", "Member")
    theirs.go_back()
    theirs.get_by_label("Friendly name").fill("Sales")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_text("Sales").first).to_be_visible()


def test_one_permission_more_is_there_with_the_next_click(browse, owner, viewer, owned):
    theirs = browse(viewer, f"/w/acme/numbers/{owned.public_id}/")
    expect(theirs.get_by_role("link", name="Edit")).to_have_count(0)
    ours = browse(owner, "/w/acme/members/")
    open_member(ours, "Vera")
    ours.get_by_label("numbers_edit").check()
    ours.get_by_role("button", name="Save the permissions").click()
    expect(ours.locator("label", has_text="numbers_edit")).to_contain_text("added")
    theirs.goto(f"/w/acme/numbers/{owned.public_id}/edit/")
    expect(theirs.get_by_role("button", name="Save")).to_be_visible()


def remove(page: Page, name: str) -> None:
    open_member(page, name)
    page.locator("summary", has_text=f"Remove {name} from Acme").click()
    audit(page)
    page.get_by_role("button", name="Remove now").click()
    expect(page.get_by_text(f"{name} is not a member any more.")).to_be_visible()


def test_who_is_removed_is_signed_out_everywhere_at_once(browse, owner, member):
    first, second = (browse(None, "/w/acme/numbers/") for _ in range(2))
    for page in (first, second):
        sign_in(page, "member@acme.test")
        expect(page.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()
    remove(browse(owner, "/w/acme/members/"), "Max")
    first.get_by_role("link", name="Inbox").click()
    expect(first.get_by_role("heading", name="Sign in")).to_be_visible()
    second.reload()
    expect(second.get_by_role("heading", name="Sign in")).to_be_visible()


def test_who_is_removed_from_one_workspace_stays_in_the_other(browse, owner, member, globex):
    Membership.objects.create(workspace=globex, user=member, role=Role.VIEWER)
    page = browse(member, "/w/acme/numbers/")
    remove(browse(owner, "/w/acme/members/"), "Max")
    page.get_by_role("link", name="Inbox").click()
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    page.get_by_role("link", name="To your numbers", exact=True).click()
    expect(page.get_by_role("heading", name="Globex has no numbers yet")).to_be_visible()


# --- Getting in -----------------------------------------------------------------------------


def code_for(secret: str) -> str:
    """What the app would show, with time enough left to type it."""
    left = 30 - time.time() % 30
    if left < 15:
        time.sleep(left + 0.1)
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_second_factor(page: Page) -> tuple[str, str]:
    """Switch the app on; its secret, and one of the recovery codes."""
    page.locator("summary", has_text="Olivia").click()
    page.get_by_role("link", name="Login and security").click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    audit(page)
    page.get_by_role("link", name="Set up").click()
    secret = page.locator(".secret").inner_text()
    audit(page)
    page.get_by_label("Type the code that it shows").fill(code_for(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    audit(page)
    return secret, page.locator(".codes code").first.inner_text()


def test_a_second_factor_is_set_up_and_asked_for_at_the_next_login(browse, owner):
    page = browse(owner, "/w/acme/numbers/")
    secret, recovery_code = set_up_second_factor(page)
    for code in (lambda: code_for(secret), lambda: recovery_code):
        page = browse(None, "/w/acme/numbers/")
        sign_in(page, "owner@acme.test")
        box = page.get_by_label("Code of your authenticator app, or a recovery code")
        box.fill("000000")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("#code-problem")).to_be_visible()
        audit(page)
        box.fill(code())
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()


def test_where_everyone_needs_a_second_factor_it_comes_first(browse, member, settings):
    settings.EVERYONE_NEEDS_SECOND_FACTOR = True
    page = browse(None, "/w/acme/wallet/")
    sign_in(page, "member@acme.test")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    expect(page.get_by_text("Everyone here needs a second factor.")).to_be_visible()
    audit(page)
    page.goto("/w/acme/inbox/")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.goto("/w/acme/wallet/")
    page.get_by_role("link", name="Set up").click()
    page.get_by_label("Type the code that it shows").fill(
        code_for(page.locator(".secret").inner_text())
    )
    page.get_by_role("button", name="Switch it on").click()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Wallet", exact=True)).to_be_visible()
    page.goto("/w/acme/inbox/")
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()


def test_a_passkey_will_do_too(browse, member, settings):
    settings.EVERYONE_NEEDS_SECOND_FACTOR = True
    page = browse(member, "/w/acme/inbox/")
    with_a_key(page)
    page.get_by_role("link", name="Add one").click()
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()


def with_a_key(page: Page) -> None:
    """As if the device had a sensor that knows its owner."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }})  # fmt: skip


def test_a_passkey_is_added_and_signs_in_alone(browse, owner):
    page = browse(owner, "/accounts/2fa/webauthn/add/")
    with_a_key(page)
    audit(page)
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Security key added.")).to_be_visible()
    page.context.clear_cookies()
    page.goto("/w/acme/numbers/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()


def test_sessions_are_listed_and_one_is_ended_from_another(browse, owner):
    other = browse(None, "/w/acme/numbers/", user_agent=FIREFOX)
    sign_in(other, "owner@acme.test")
    expect(other.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()
    page = browse(None, "/accounts/sessions/")
    sign_in(page, "owner@acme.test")
    rows = page.locator(".rows > li")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="this one")).to_contain_text("Chrome on Linux")
    audit(page)
    rows.filter(has_text="Firefox on Linux").get_by_role("button", name="End").click()
    expect(page.get_by_text("The session from 127.0.0.1 is ended.")).to_be_visible()
    expect(rows).to_have_count(1)
    other.reload()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_page_that_is_open_when_its_session_ends_leads_to_the_login_and_back(
    browse, member, owned
):
    page = browse(None, "/w/acme/numbers/")
    sign_in(page, "member@acme.test")
    expect(page.get_by_role("heading", name="Numbers", exact=True)).to_be_visible()
    [session] = UserSession.objects.filter(user=member)
    session.end()
    page.get_by_role("searchbox").first.fill("212")  # asks for a part of the page only
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_have_count(0)
    sign_in(page, "member@acme.test")
    expect(page).to_have_url(re.compile(r"/w/acme/numbers/\?.*q=212"))


def test_a_session_ends_by_itself_at_last_and_says_so(browse, member, settings):
    page = browse(None, "/w/acme/numbers/")
    sign_in(page, "member@acme.test")
    expect(page.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()
    settings.SESSION_LIFETIME_DAYS = 0
    page.get_by_role("link", name="Inbox").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("You signed in a long while ago. Sign in again")).to_be_visible()
    audit(page)
    settings.SESSION_LIFETIME_DAYS = 30
    sign_in(page, "member@acme.test")
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()


def test_before_the_members_the_password_is_asked_and_leads_on(browse, owner, viewer, settings):
    page = browse(owner, "/w/acme/numbers/")
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1  # it is too long ago
    page.goto("/w/acme/members/")
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    audit(page)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#password-problem")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="Vera")).to_be_visible()


def test_making_and_changing_a_workspace_is_readable(browse, owner, make_number, acme):
    page = browse(owner, "/w/acme/settings/")
    page.locator("summary", has_text="Archive Acme").click()
    audit(page)
    make_number(acme)
    page.reload()
    expect(page.get_by_text("1 number is in this workspace")).to_be_visible()
    audit(page)
    page.goto("/workspaces/new/")
    audit(page)
    page.get_by_label("Name").fill("")
    page.get_by_role("button").last.click()
    audit(page)
