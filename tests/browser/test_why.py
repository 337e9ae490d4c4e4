"""Why can't I buy? For this person in this workspace: evidence, a fix, and a reference."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from numbers.models import DiagnosisReport
from tests.browser.audit import audit
from tests.browser.steps import BUY, NEW_YORK, results, tab_to

WHY = "/w/acme/numbers/why/"
CAUSES = [
    "Wallet balance", "Permission to buy", "Limits for today", "Numbers available",
    "Twilio credentials", "Rules of the country",
]  # fmt: skip
OK, PROBLEM = "In order", "This keeps you from buying"
scripting = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])


def finding(page: Page, title: str) -> Locator:
    return page.locator(".findings > li").filter(
        has=page.get_by_role("heading", name=title, exact=True)
    )


def only_problem(page: Page, title: str, evidence: str) -> Locator:
    """Everything is in order but this, which says so with its evidence."""
    expect(page.locator(".findings > li")).to_have_count(len(CAUSES))
    for other in CAUSES:
        expect(finding(page, other)).to_contain_text(PROBLEM if other == title else OK)
    expect(finding(page, title)).to_contain_text(evidence)
    return finding(page, title)


@scripting
def test_an_owner_with_nothing_in_the_way_sees_all_in_order(browse, owner, javascript):
    page = browse(owner, NEW_YORK, java_script_enabled=javascript)
    page.get_by_role("link", name="Why can’t I buy?").click()
    expect(page.get_by_role("heading", name="Why can’t I buy?")).to_be_visible()
    expect(page.get_by_label("Area code")).to_have_value("212")
    for title in CAUSES:
        expect(finding(page, title)).to_contain_text(OK)
    expect(finding(page, "Wallet balance")).to_contain_text("$50.00 is available")
    expect(page.get_by_text("Nothing here keeps you from buying.")).to_be_visible()
    if javascript:
        audit(page)
    page.get_by_role("link", name="See them").click()
    expect(results(page)).to_have_count(20)


@scripting
def test_a_member_learns_who_can_grant_it_and_where_to_ask(browse, owner, member, javascript):
    page = browse(member, f"{WHY}?country=US&area_code=212", java_script_enabled=javascript)
    found = only_problem(page, "Permission to buy", "Olivia can grant it")
    if javascript:
        audit(page)
    found.get_by_role("link", name="Choose a number and ask for it").click()
    page.get_by_role("link", name="Review").first.click()
    expect(page.get_by_role("button", name="Ask for this number")).to_be_visible()


@scripting
def test_a_broke_wallet_is_filled_from_here(browse, globex, outsider, javascript):
    page = browse(
        outsider, "/w/globex/numbers/why/?country=US&type=toll_free",
        java_script_enabled=javascript,
    )  # fmt: skip
    found = only_problem(page, "Wallet balance", "$0.58 is missing.")
    expect(found).to_contain_text("$2.00 is available; the cheapest such number costs $2.58")
    expect(page.get_by_text("One thing keeps you from buying.")).to_be_visible()
    if javascript:
        audit(page)
    found.get_by_role("link", name="Add funds").click()
    expect(page).to_have_url(re.compile(r"/w/globex/wallet/.*missing=0\.58&next="))


@scripting
def test_wrong_credentials_are_told_with_whom_to_write_to(browse, owner, simulator, javascript):
    browse(owner, BUY)  # the country list is known, as it is on a site that has run for a while
    simulator.fault("unauthorized", times=-1)
    page = browse(owner, WHY, java_script_enabled=javascript)
    found = finding(page, "Twilio credentials")
    expect(found).to_contain_text(PROBLEM)
    expect(found).to_contain_text("The Twilio credentials of this site are missing or wrong.")
    expect(found.get_by_role("link", name="Write to support")).to_have_attribute(
        "href", re.compile("^mailto:")
    )
    expect(finding(page, "Numbers available")).to_contain_text("Could not be checked")
    if javascript:
        audit(page)


def test_a_provider_that_has_never_answered_is_told_and_nothing_breaks(browse, owner, simulator):
    simulator.fault("unavailable", times=-1)
    page = browse(owner, WHY)
    expect(page.get_by_role("heading", name="The carrier does not answer")).to_be_visible()
    audit(page)


def test_nothing_available_leads_to_a_search_that_finds_some(browse, owner):
    page = browse(owner, f"{WHY}?country=US&area_code=310")
    found = only_problem(page, "Numbers available", "none in area code 310")
    audit(page)
    found.get_by_role("link", name="Search instead: 424, the same area").click()
    expect(results(page).first).to_be_visible()


@scripting
def test_the_findings_are_kept_under_a_reference_for_support(browse, member, javascript):
    page = browse(member, WHY, java_script_enabled=javascript)
    page.get_by_role("button", name="Get a reference for support").click()
    expect(page.get_by_role("heading", name="Tell support this reference")).to_be_visible()
    report = DiagnosisReport.objects.get()
    expect(page.get_by_role("heading", name=f"Report {report.reference}")).to_be_visible()
    only_problem(page, "Permission to buy", "numbers_create")
    if javascript:
        audit(page)


def test_it_works_with_the_keyboard_alone(browse, owner):
    page = browse(owner, WHY)
    tab_to(page, page.get_by_label("Area code"))
    page.keyboard.type("310")
    page.keyboard.press("Enter")
    expect(finding(page, "Numbers available")).to_contain_text("none in area code 310")
    button = page.get_by_role("button", name="Get a reference for support")
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tell support this reference")).to_be_visible()


def test_a_code_that_does_not_exist_is_told_at_the_field(browse, owner):
    page = browse(owner, f"{WHY}?country=US&area_code=999")
    expect(page.get_by_label("Area code")).to_have_attribute("aria-invalid", "true")
    audit(page)
