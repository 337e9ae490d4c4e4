"""The search of the wizard, as a person meets it."""

import re

import pytest
from playwright.sync_api import Page, expect

from numbers import catalogue
from tests.browser.audit import audit
from tests.browser.steps import BUY, NEW_YORK, announced, hold_searches, results, search, tab_to


def note(page: Page):
    return page.locator("#area-code-note")


def test_the_area_code_tells_its_city_while_one_types(browse, owner):
    page = browse(owner, BUY)
    page.get_by_label("Area code").press_sequentially("212")
    expect(note(page)).to_have_text("New York, NY")
    expect(announced(page)).to_have_text("New York, NY")
    expect(page).to_have_url(re.compile(BUY + "$"))
    page.get_by_label("Country").select_option("CA")
    expect(note(page)).to_contain_text("212 is New York, in the United States.")
    page.get_by_label("Area code").fill("416")
    expect(note(page)).to_have_text("Toronto, ON")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_canadian_code_under_the_united_states_leads_to_canada(browse, owner, javascript):
    page = browse(owner, BUY, java_script_enabled=javascript)
    search(page, area_code="416")
    expect(note(page)).to_contain_text("416 is Toronto, in Canada.")
    expect(page.get_by_label("Area code")).to_have_value("416")
    expect(page.get_by_label("Area code")).to_have_attribute("aria-invalid", "true")
    if javascript:
        expect(announced(page)).to_have_text("The search has a problem. See the marked field.")
        audit(page)
    page.get_by_role("link", name="Search 416 in Canada").click()
    expect(results(page)).to_have_count(20)
    expect(results(page).first).to_contain_text("Toronto, ON")


def test_a_code_that_does_not_exist_is_explained(browse, owner):
    page = browse(owner, f"{BUY}?country=US&area_code=211")
    expect(note(page)).to_contain_text("211 is not an area code in the United States.")
    expect(results(page)).to_have_count(0)


def test_a_toll_free_prefix_leads_to_toll_free_numbers(browse, owner):
    page = browse(owner, f"{BUY}?country=US&area_code=800&type=local")
    page.get_by_role("link", name="Search toll-free numbers with 800").click()
    expect(results(page).first).to_contain_text("Toll-free")


def test_a_search_can_be_shared_and_reloaded(browse, owner):
    page = browse(owner, BUY)
    page.locator("summary", has_text="More filters").click()
    page.get_by_label("SMS").check()
    search(page, area_code="212", digits_or_letters="77")
    expect(results(page).first).to_be_visible()
    expect(page).to_have_url(
        re.compile(
            re.escape(f"{BUY}?country=US&area_code=212&capabilities=sms&pattern=77&where=anywhere")
            + "$"
        )
    )
    found = results(page).all_inner_texts()
    other = browse(owner, page.url)
    for same in (page, other):
        same.reload()
        assert results(same).all_inner_texts() == found
        expect(same.get_by_label("SMS")).to_be_checked()
        expect(same.get_by_label("Digits or letters")).to_have_value("77")


def test_back_returns_to_the_search_before(browse, owner):
    page = browse(owner, NEW_YORK)
    search(page, area_code="415")
    expect(results(page).first).to_contain_text("San Francisco, CA")
    page.go_back()
    expect(results(page).first).to_contain_text("New York, NY")
    expect(page.get_by_label("Area code")).to_have_value("212")
    page.go_forward()
    expect(results(page).first).to_contain_text("San Francisco, CA")
    expect(page.get_by_label("Area code")).to_have_value("415")


def test_letters_are_marked_as_the_digits_they_are(browse, owner):
    page = browse(owner, f"{BUY}?country=US&area_code=212&pattern=AT&where=end")
    expect(results(page).first).to_be_visible()
    for marked in page.locator(".results .number mark").all_inner_texts():
        assert marked == "28"
    assert page.locator(".results .number mark").count() == results(page).count()
    audit(page)


def test_nothing_found_offers_searches_that_find_something(browse, owner):
    page = browse(owner, f"{BUY}?country=US&area_code=310")
    expect(page.get_by_role("heading", name="No numbers found")).to_be_visible()
    audit(page)
    labels = page.locator(".chips a").all_inner_texts()
    assert "424, the same area" in labels
    for label in labels:
        page.locator(".chips a", has_text=label).click()
        expect(results(page).first).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="No numbers found")).to_be_visible()


def test_nothing_found_at_all_says_so(browse, owner, simulator):
    simulator.fault("no_inventory", path_contains="AvailablePhoneNumbers/", times=-1)
    page = browse(owner, NEW_YORK)
    expect(page.get_by_text("Try another country, or ask again tomorrow")).to_be_visible()
    audit(page)


def test_a_type_not_sold_in_the_country_is_explained(browse, owner):
    page = browse(owner, f"{BUY}?country=US&type=mobile")
    problem = page.get_by_text(
        "Mobile numbers are not sold in the United States. Choose Local or Toll-free."
    )
    expect(problem).to_be_visible()
    audit(page)


def test_the_capabilities_asked_for_are_all_there(browse, owner):
    page = browse(owner, f"{BUY}?country=GB&capabilities=voice&capabilities=sms")
    expect(results(page).first).to_be_visible()
    for result in results(page).all():
        expect(result.get_by_text("SMS: yes")).to_have_count(1)


def test_a_country_that_asks_for_an_address_says_so_beside_each_number(browse, owner):
    page = browse(owner, f"{BUY}?country=DE&type=local&area_code=30")
    expect(results(page).first).to_contain_text("Needs an address in the same area")
    expect(page.get_by_text("may ask for identity documents too")).to_be_visible()
    audit(page)


def test_countries_tell_their_code_and_the_lowest_price(browse, owner, simulator, db):
    catalogue.refresh_everything()
    page = browse(owner, BUY)
    options = page.get_by_label("Country").locator("option").all_inner_texts()
    assert "Canada (+1), from $1.38 a month" in options
    assert len(options) >= 25


def test_a_slow_carrier_is_said_and_shown(browse, owner):
    page = browse(owner, NEW_YORK)
    held = hold_searches(page)
    page.get_by_label("Area code").fill("415")
    expect(announced(page)).to_have_text("San Francisco, CA")
    search(page)
    waiting = page.get_by_text("Asking the carrier for numbers…")
    expect(waiting).to_be_visible()
    expect(announced(page)).to_have_text("Asking the carrier for numbers.")
    audit(page)
    held.pop().continue_()
    expect(results(page).first).to_contain_text("San Francisco, CA")
    expect(waiting).to_be_hidden()


def test_what_was_found_is_said_and_focus_stays_where_one_searched(browse, owner):
    page = browse(owner, BUY)
    button = page.get_by_role("button", name="Search")
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(announced(page)).to_have_text("40 numbers found. They follow the search form.")
    expect(button).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Review").first)


def test_a_lost_connection_says_that_nothing_was_changed(browse, owner, said):
    page = browse(owner, BUY)
    page.route("**/buy/?**", lambda route: route.abort())
    search(page, area_code="415")
    trouble = page.get_by_text("There is no connection. Nothing was changed. Try again.").last
    expect(trouble).to_be_visible()
    audit(page)
    assert any("ERR_FAILED" in line for line in said)
    said.clear()
    page.unroute("**/buy/?**")
    search(page, area_code="415")
    expect(results(page).first).to_contain_text("San Francisco, CA")
    expect(trouble).to_be_hidden()


def test_someone_whose_session_ended_signs_in_and_is_back_at_the_search(browse, owner):
    page = browse(owner, NEW_YORK)
    page.context.clear_cookies()
    page.get_by_label("Area code").fill("415")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("heading", name="Purchase a number")).to_have_count(0)
    page.get_by_label("Mail address").fill(owner.email)
    page.get_by_label("Password").fill("numbers-demo")
    page.get_by_role("button", name="Sign in").click()
    expect(results(page).first).to_contain_text("San Francisco, CA")
