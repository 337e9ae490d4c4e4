"""Choosing a number in a form: found, explained and chosen, with and without JavaScript."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.audit import audit
from tests.browser.steps import tab_to

PAGE = "/w/acme/new-campaign/"


@pytest.fixture(autouse=True)
def _a_page_with_a_picker(settings):
    settings.ROOT_URLCONF = "tests.browser.picker_urls"


@pytest.fixture
def stock(acme, make_number):
    for _ in range(25):
        make_number(acme)
    make_number(acme, "+14165550199", friendly_name="Toronto")
    make_number(acme, "+13125550198", friendly_name="Chicago", capabilities=["voice"])
    make_number(acme, "+13125550197", friendly_name="Off", deactivated_at=timezone.now())


@pytest.mark.parametrize("js", [True, False], ids=["with JavaScript", "without"])
def test_a_number_is_found_and_chosen(browse, owner, stock, js):
    page = browse(owner, PAGE, java_script_enabled=js)
    page.get_by_label("Name", exact=True).fill("Spring")
    page.get_by_role("searchbox").fill("toronto")
    if not js:
        page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("radio")).to_have_count(1)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Spring")
    page.get_by_role("radio").check()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Sends from +14165550199")).to_be_visible()


def test_enter_finds_what_was_typed_and_else_sends_the_form(browse, owner, stock):
    page = browse(owner, PAGE, java_script_enabled=False)
    page.get_by_role("searchbox").fill("toronto")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("radio")).to_have_count(1)
    page.get_by_role("radio").check()
    page.get_by_label("Name", exact=True).fill("Spring")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_text("Sends from +14165550199")).to_be_visible()


def test_unusable_numbers_say_why_and_lead_to_the_fix(browse, owner, stock):
    page = browse(owner, PAGE)
    page.get_by_role("searchbox").fill("312")
    expect(page.get_by_role("radio")).to_have_count(2)
    for radio in page.get_by_role("radio").all():
        expect(radio).to_be_disabled()
    expect(page.get_by_text("Cannot do SMS.")).to_be_visible()
    page.get_by_role("link", name="Switch it on").click()
    expect(page.get_by_role("button", name="Switch it on")).to_be_visible()


def test_it_works_with_keys(browse, owner, stock):
    page = browse(owner, PAGE)
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("Spring")
    tab_to(page, page.get_by_role("searchbox"))
    page.keyboard.type("toronto")
    expect(page.get_by_role("radio")).to_have_count(1)
    tab_to(page, page.get_by_role("radio"))
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sends from +14165550199")).to_be_visible()


def test_it_is_sound(browse, owner, stock):
    page = browse(owner, PAGE)
    audit(page)
    page.get_by_role("searchbox").fill("312")
    expect(page.get_by_role("radio")).to_have_count(2)
    audit(page)
    page.get_by_role("searchbox").fill("999999")
    expect(page.get_by_text("No number of this workspace matches.")).to_be_visible()
    audit(page)
