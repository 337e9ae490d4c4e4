"""What is around every page: workspaces, balance, sign-in, and the pages for what went wrong."""

import re

import pytest
from playwright.sync_api import expect

from conftest import make_member, make_workspace
from numbers.models import Number
from tests.browser.audit import audit
from tests.browser.steps import (
    BUY,
    FIRST_IN_NEW_YORK,
    NEW_YORK,
    REVIEW,
    confirm,
    results,
    tab_to,
)
from wallet.models import Wallet
from workspaces.models import Membership
from workspaces.permissions import Role


@pytest.fixture
def in_both(owner, globex):
    """The owner of acme, also an admin of globex."""
    Membership.objects.create(workspace=globex, user=owner, role=Role.ADMIN)
    return owner


def test_signing_in_leads_to_the_numbers_and_out_again(browse, owner):
    page = browse(None, "/")
    audit(page)
    page.get_by_label("Mail address").fill("owner@acme.test")
    page.get_by_label("Password").fill("something else")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text(
        "This mail address and this password do not belong together."
    )
    expect(page.get_by_label("Mail address")).to_have_value("owner@acme.test")
    audit(page)
    page.get_by_label("Password").fill("numbers-demo")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()
    page.locator("summary", has_text="Olivia").click()
    audit(page, ".menu[open]")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_after_signing_in_one_is_at_the_page_one_asked_for(browse, owner):
    page = browse(None, NEW_YORK)
    page.get_by_label("Mail address").fill("owner@acme.test")
    page.get_by_label("Password").fill("numbers-demo")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(NEW_YORK) + "$"))
    expect(results(page)).to_have_count(20)


def test_the_switcher_keeps_the_page_and_its_search(browse, in_both):
    page = browse(in_both, NEW_YORK)
    page.locator("summary", has_text="Acme").click()
    audit(page, ".menu[open]")
    page.get_by_role("navigation", name="Workspaces").get_by_role("link", name="Globex").click()
    expect(page).to_have_url(re.compile(r"/w/globex/numbers/buy/\?country=US&area_code=212$"))
    expect(page.get_by_text("It will belong to Globex.")).to_be_visible()
    expect(results(page)).to_have_count(20)
    page.goto("/numbers/")
    expect(page).to_have_url(re.compile(r"/w/globex/numbers/$"))


def test_the_switcher_works_with_the_keyboard(browse, in_both):
    page = browse(in_both, "/w/acme/numbers/")
    switcher = page.locator("summary", has_text="Acme")
    tab_to(page, switcher)
    page.keyboard.press("Enter")
    globex = page.get_by_role("link", name="Globex")
    expect(globex).to_be_visible()
    page.keyboard.press("Escape")
    expect(globex).to_be_hidden()
    expect(switcher).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, globex)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Globex has no numbers yet")).to_be_visible()


@pytest.fixture
def in_many(owner):
    """The owner of acme, and of a dozen brands."""
    for number in range(12):
        brand = make_workspace(f"brand-{number}", f"Brand {number:02}")
        Membership.objects.create(workspace=brand, user=owner, role=Role.OWNER)
    return owner


def test_with_many_workspaces_one_is_found_by_typing_and_the_page_is_kept(browse, in_many):
    page = browse(in_many, "/w/acme/wallet/?kind=rent")
    other_tab = page.context.new_page()
    other_tab.goto("/w/brand-3/wallet/")
    page.locator("summary", has_text="Acme").press("Enter")
    workspaces = page.get_by_role("navigation", name="Workspaces")
    last = workspaces.get_by_role("link", name="Brand 11")
    expect(last).to_have_count(0)
    find = page.get_by_label("Find a workspace")
    tab_to(page, find)
    page.keyboard.type("nd 11")
    expect(last).to_be_visible()
    expect(workspaces.get_by_role("link", name="Brand")).to_have_count(1)
    audit(page, ".menu[open]")
    tab_to(page, last)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/w/brand-11/wallet/\?kind=rent$"))
    expect(page.locator("summary", has_text="Brand 11")).to_be_visible()
    other_tab.reload()
    expect(other_tab.locator("summary", has_text="Brand 03")).to_be_visible()


def test_a_search_without_a_hit_says_so(browse, in_many):
    page = browse(in_many, "/w/acme/numbers/")
    page.locator("summary", has_text="Acme").click()
    page.get_by_label("Find a workspace").fill("globex")
    expect(page.get_by_text("No workspace of yours has this in its name.")).to_be_visible()


def test_a_menu_closes_when_focus_or_a_click_goes_elsewhere(browse, in_both):
    page = browse(in_both, "/w/acme/numbers/")
    page.locator("summary", has_text="Acme").click()
    globex = page.get_by_role("link", name="Globex")
    expect(globex).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Wallet"))
    expect(globex).to_be_hidden()
    page.locator("summary", has_text="Acme").click()
    expect(globex).to_be_visible()
    page.get_by_role("heading", name="Numbers", exact=True).click()
    expect(globex).to_be_hidden()


def test_two_tabs_in_two_workspaces_are_both_right(browse, in_both, acme, globex):
    first = browse(in_both, REVIEW)
    second = first.context.new_page()
    second.goto(NEW_YORK.replace("acme", "globex"))
    expect(results(second).first).to_contain_text(FIRST_IN_NEW_YORK)
    confirm(first)
    expect(first.get_by_role("heading", name="is yours")).to_be_visible()
    assert Number.objects.get().workspace == acme
    second.get_by_role("link", name="Review").nth(1).click()
    expect(second.locator("dl", has_text="Starts in")).to_contain_text("Globex")
    confirm(second)
    expect(second.get_by_role("heading", name="is yours")).to_be_visible()
    assert Number.objects.for_workspace(globex).count() == 1
    assert Wallet.objects.get(workspace=globex).balance == 2 - Number.objects.first().monthly_price
    first.reload()
    expect(first.get_by_role("navigation", name="Main")).to_contain_text("$48.62")
    expect(second.get_by_role("navigation", name="Main")).to_contain_text("$0.62")


def test_a_viewer_sees_no_balance(browse, viewer):
    page = browse(viewer, BUY)
    expect(page.get_by_role("navigation", name="Main")).to_have_text("Numbers Inbox")
    page.goto("/w/acme/wallet/")
    expect(page.get_by_role("heading", name="This needs another permission")).to_be_visible()
    audit(page)


def test_the_empty_numbers_page_says_what_to_do(browse, owner):
    page = browse(owner, "/w/acme/numbers/")
    audit(page)
    page.get_by_role("link", name="Search for a number").click()
    expect(page.get_by_role("heading", name="Purchase a number")).to_be_visible()


def test_numbers_are_found_by_their_digits(browse, owner):
    page = browse(owner, REVIEW)
    confirm(page)
    page.get_by_role("link", name="To the numbers").click()
    found = page.get_by_role("link", name="+12127466496", exact=True)
    box = page.get_by_role("searchbox")
    for digits, is_found in (("(212) 746", True), ("6496", True), ("999", False)):
        box.fill(digits)
        box.press("Enter")
        expect(found).to_have_count(1 if is_found else 0)
    audit(page)
    page.reload()
    expect(found).to_have_count(0)
    page.get_by_role("link", name="Show all numbers").click()
    expect(found).to_have_count(1)


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/w/nobody/numbers/", "There is nothing at this address"),
        ("/w/globex/numbers/", "There is nothing at this address"),
        ("/w/acme/numbers/orders/ORD-NONE/", "There is nothing at this address"),
        ("/w/acme/numbers/orders/", "This address only takes forms"),
    ],
)
def test_addresses_that_lead_nowhere_say_so(browse, owner, globex, path, heading):
    page = browse(owner, path)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    audit(page)
    page.get_by_role("link", name="To your numbers", exact=True).click()
    expect(page).to_have_url(re.compile("/w/acme/numbers/$"))


def test_a_form_without_its_token_says_that_nothing_was_charged(browse, owner):
    page = browse(owner, REVIEW)
    page.locator("main input[name=csrfmiddlewaretoken]").evaluate("field => field.value = 'x'")
    confirm(page)
    expect(page.get_by_role("heading", name="This page has to be loaded again")).to_be_visible()
    expect(page.get_by_text("nothing was charged")).to_be_visible()
    audit(page)


def test_the_page_for_what_broke_is_readable(browse, owner, settings, live_server):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    from numbers_project.errors import server_error

    page = browse(owner, "/")
    html = server_error(None).content.decode()
    page.route("**/broken/", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto("/broken/")
    expect(page.get_by_role("heading", name="Something broke on our side")).to_be_visible()
    audit(page)


def test_someone_without_a_workspace_is_told_whom_to_ask(browse, db, acme):
    lonely = make_member(make_workspace("gone", "Gone"), Role.VIEWER, "lonely@acme.test")
    Membership.objects.filter(user=lonely).delete()
    page = browse(lonely, "/")
    expect(page.get_by_role("heading", name="You are not in a workspace yet")).to_be_visible()
    audit(page)


def test_the_password_can_be_reset(browse, owner, mailoutbox):
    page = browse(None, "/accounts/login/")
    page.get_by_role("link", name="Forgot the password?").click()
    audit(page)
    page.get_by_label("Mail address").fill("owner@acme.test")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    audit(page)
    # The mail names the public address; the browser is at that of the test.
    link = re.search(r"https://\S+?(/accounts/password/reset/key/\S+)", mailoutbox[0].body)
    page.goto(link.group(1))
    audit(page)
    page.get_by_label("New Password", exact=True).fill("short")
    page.get_by_label("New Password (again)").fill("short")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("This password is too short.")).to_be_visible()
    audit(page)
    page.get_by_label("New Password", exact=True).fill("a long and better one")
    page.get_by_label("New Password (again)").fill("a long and better one")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="The new password is set")).to_be_visible()
    audit(page)
    page.goto(link.group(1))
    expect(page.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    audit(page)
    page.goto("/accounts/login/")
    page.get_by_label("Mail address").fill("owner@acme.test")
    page.get_by_label("Password").fill("a long and better one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Acme has no numbers yet")).to_be_visible()


@pytest.mark.parametrize("path", ["/w/acme/numbers/", NEW_YORK, REVIEW])
def test_the_first_load_of_a_page_takes_six_requests(browse, owner, path):
    page = browse(owner)
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert 4 <= len(asked) <= 6, asked


@pytest.mark.parametrize("page_of", ["signup/", "logout/", "password/change/", "email/"])
def test_the_other_pages_of_an_account_are_readable(browse, owner, page_of):
    page = browse(None if page_of == "signup/" else owner, f"/accounts/{page_of}")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    audit(page)
