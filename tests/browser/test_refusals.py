"""Every way in which the answer is no: the sentence, what to do, and that nothing was charged."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from playwright.sync_api import Page, expect

from conftest import make_member
from numbers.models import CountryOffer, Number, NumberOrder
from tests.browser.audit import audit
from tests.browser.steps import (
    BUY,
    FIRST_IN_NEW_YORK,
    NEW_YORK,
    REVIEW,
    confirm,
    results,
    review_first,
)
from wallet import ledger
from wallet.models import Entry, Kind, Wallet
from workspaces.permissions import Role

SOMEBODY_ELSE = "AC" + "2" * 32


@pytest.fixture(autouse=True)
def nothing_is_charged(transactional_db):
    """Whatever is refused here: no charge, no hold and no number is left."""
    yield
    assert not Entry.objects.exclude(kind=Kind.TOP_UP).exists()
    assert not Wallet.objects.exclude(held=0).exists()
    assert not Number.objects.exists()


def refused(page: Page, title: str, sentence: str) -> None:
    """The page says no with this title and sentence, and that nothing was charged."""
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading", name=title)).to_be_visible()
    expect(alert).to_contain_text(sentence)
    expect(alert).to_contain_text("Nothing was charged.")


def search_again(page: Page) -> None:
    """Search again keeps the filters of the search that led here."""
    page.get_by_role("link", name="Search again").click()
    expect(page).to_have_url(re.compile(re.escape(NEW_YORK) + "$"))
    expect(results(page).first).to_be_visible()


def test_too_little_money_tells_what_is_missing_and_comes_back(browse, globex, outsider):
    page = browse(outsider, "/w/globex/numbers/buy/?country=US&type=toll_free")
    review_first(page)
    number = page.locator("h2.number").inner_text()
    expect(page.get_by_role("heading", name="$0.58 is missing")).to_be_visible()
    expect(page.get_by_text("$2.00 is available and this number costs $2.58.")).to_contain_text(
        "Nothing was charged. Add $0.58 or more; you come back here afterwards."
    )
    expect(page.get_by_role("button", name="Confirm purchase")).to_have_count(0)
    audit(page)
    page.get_by_role("link", name="Add funds").click()
    expect(page).to_have_url(re.compile(r"/w/globex/wallet/.*missing=0\.58&next="))
    expect(page.get_by_label("Amount in USD")).to_have_value("5")  # the least that can be added
    page.get_by_role("link", name="$25.00").click()
    expect(page.get_by_label("Amount in USD")).to_have_value("25")
    expect(page.get_by_text("Missing for the purchase")).to_be_visible()
    expect(page.locator("dl.facts")).to_contain_text("$0.58")
    page.get_by_role("link", name="Back to the purchase").click()
    expect(page.get_by_role("heading", name=number)).to_be_visible()


def test_money_spent_since_the_review_is_told_at_confirm(browse, owner, acme):
    page = browse(owner, REVIEW)
    wallet = Wallet.objects.get(workspace=acme)
    elsewhere = ledger.hold(
        wallet=wallet, amount=Decimal(49), currency="USD", key="other", text="Another order",
        reference="ORD-OTHER",
    )  # fmt: skip
    confirm(page)
    refused(page, "Not enough money in the wallet", "$1.00 is available and this costs $1.38.")
    expect(page.get_by_role("alert").get_by_role("link", name="Add funds")).to_be_visible()
    expect(page.get_by_role("heading", name=FIRST_IN_NEW_YORK)).to_be_visible()
    audit(page)
    ledger.void(hold=elsewhere)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_without_the_permission_one_may_look_and_learns_who_can_grant_it(browse, owner, acme, role):
    make_member(acme, Role.ADMIN, "ada@acme.test", "Ada")
    page = browse(make_member(acme, role, "someone@acme.test"), NEW_YORK)
    review_first(page)
    expect(page.get_by_role("heading", name="You can look, but not buy")).to_be_visible()
    words = page.get_by_text("Buying needs the permission numbers_create.")
    expect(words).to_contain_text("In Acme, Olivia or Ada can grant it. Nothing was charged.")
    expect(page.get_by_role("button", name="Confirm purchase")).to_have_count(0)
    audit(page)


def test_a_number_taken_before_the_review(browse, owner, simulator):
    page = browse(owner, NEW_YORK)
    simulator.seed("+12127466496", account=SOMEBODY_ELSE)
    page.get_by_role("link", name=f"Review {FIRST_IN_NEW_YORK}").click()
    refused(
        page,
        "Someone else just took this number",
        f"{FIRST_IN_NEW_YORK} was available a moment ago",
    )
    audit(page)
    search_again(page)
    expect(results(page).first).not_to_contain_text(FIRST_IN_NEW_YORK)


def test_a_number_taken_before_the_confirm(browse, owner, simulator):
    page = browse(owner, REVIEW)
    simulator.seed("+12127466496", account=SOMEBODY_ELSE)
    confirm(page)
    expect(page.get_by_role("heading", name="The number was not bought")).to_be_visible()
    words = page.get_by_text("was available a moment ago and is not any more.").first
    expect(words).to_contain_text("Nothing was charged: the $1.38 that was set aside is available")
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("$50.00")
    audit(page)
    search_again(page)


def test_wrong_credentials_at_the_search(browse, owner, simulator):
    browse(owner, BUY)  # the country list is known, as it is on a site that has run for a while
    simulator.fault("unauthorized", times=-1)
    page = browse(owner, NEW_YORK)
    refused(
        page,
        "Numbers cannot be bought at the moment",
        "The Twilio credentials of this site are missing or wrong. Ask your administrator",
    )
    expect(page.get_by_role("link", name="Write to support")).to_be_visible()
    audit(page)


def test_no_credentials_at_all(browse, owner, acme, settings):
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = ""
    page = browse(owner, BUY)
    refused(page, "Numbers cannot be bought at the moment", "credentials of this site are missing")
    expect(page.get_by_text("For support staff")).to_have_count(0)
    audit(page)
    owner.is_staff = True
    owner.save()
    page.reload()
    expect(page.get_by_text("For support staff: the Twilio credentials")).to_be_visible()
    audit(page)


def test_wrong_credentials_at_the_confirm(browse, owner, simulator):
    page = browse(owner, REVIEW)
    simulator.fault("unauthorized", method="POST")
    confirm(page)
    expect(
        page.get_by_text("The Twilio credentials of this site are missing").first
    ).to_contain_text("Nothing was charged")
    audit(page)


def test_a_country_that_asks_for_an_address_is_refused_at_the_review(browse, owner):
    page = browse(owner, f"{BUY}?country=DE&type=local")
    review_first(page)
    refused(
        page,
        "This country asks for more before it sells a number",
        "in Germany need a registered address. Ask your administrator to register it",
    )
    expect(page.get_by_role("button", name="Confirm purchase")).to_have_count(0)
    audit(page)
    page.get_by_role("link", name="Choose another number").click()
    expect(page).to_have_url(re.compile(r"country=DE&type=local$"))


def test_documents_that_are_missing_are_told_at_the_confirm(browse, owner, simulator):
    page = browse(owner, REVIEW)
    simulator.fault("bundle_required", method="POST")
    confirm(page)
    expect(page.get_by_text("need approved identity documents").first).to_contain_text(
        "Nothing was charged"
    )
    audit(page)
    search_again(page)


def test_a_provider_that_is_down_at_the_search(browse, owner, simulator):
    page = browse(owner, NEW_YORK)
    simulator.fault("unavailable", path_contains="AvailablePhoneNumbers/", times=-1)
    page.get_by_role("button", name="Search").click()
    refused(page, "The carrier does not answer", "Try again in a minute.")
    audit(page)
    simulator.app.faults.clear()
    page.get_by_role("link", name="Try again").click()
    expect(results(page).first).to_be_visible()


def test_a_provider_that_is_down_before_anything_is_known(browse, owner, simulator):
    simulator.fault("unavailable", times=-1)
    page = browse(owner, BUY)
    refused(page, "The carrier does not answer", "Try again in a minute.")
    page.goto(REVIEW)
    refused(page, "The carrier does not answer", "Try again in a minute.")
    simulator.app.faults.clear()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name=FIRST_IN_NEW_YORK)).to_be_visible()


def test_a_provider_that_is_down_at_the_review(browse, owner, simulator):
    page = browse(owner, NEW_YORK)
    simulator.fault("server_error", times=-1)
    page.get_by_role("link", name=f"Review {FIRST_IN_NEW_YORK}").click()
    refused(page, "The carrier does not answer", "Try again in a minute.")
    audit(page)
    simulator.app.faults.clear()
    search_again(page)


def test_a_provider_that_is_busy_at_the_confirm(browse, owner, simulator):
    page = browse(owner, REVIEW)
    simulator.fault("rate_limited", method="POST", times=-1)
    confirm(page)
    expect(page.get_by_text("The carrier has a problem or is busy.").first).to_contain_text(
        "Nothing was charged"
    )
    audit(page)
    search_again(page)


def test_a_page_left_open_for_too_long_is_asked_again(browse, owner):
    page = browse(owner, REVIEW)
    with time_machine.travel(timedelta(minutes=31), tick=True):
        confirm(page)
        refused(page, "This page has been open for too long", "Search again, then confirm within")
        audit(page)
        page.get_by_role("link", name="Search again").click()
        expect(page.get_by_role("heading", name="Purchase a number")).to_be_visible()
    assert not NumberOrder.objects.exists()


def test_a_changed_price_is_asked_about_again(browse, owner):
    page = browse(owner, REVIEW)
    CountryOffer.objects.filter(country="US", number_type="local").update(
        provider_price=Decimal("1.25")
    )
    confirm(page)
    refused(page, "The price has changed", "It was $1.38 a month when you looked and is $1.50 now.")
    expect(page.get_by_role("button", name="Confirm purchase for $1.50")).to_be_visible()
    audit(page)
    assert not NumberOrder.objects.exists()
