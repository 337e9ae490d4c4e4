"""Overdue rent in a real browser: the dates of each step, paying now, and everything back."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from numbers import dunning
from numbers.models import Number, RentDue
from numbers.rent import collect_due
from numbers.tests.rent_book import audit as audit_book
from numbers.tests.rent_book import balance, buy, lines, put_in
from tests.browser.audit import audit
from wallet import ledger
from wallet.models import Hold, Kind, Wallet

OVERDUE = "/w/acme/numbers/overdue/"
BOTH_WAYS = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])


@pytest.fixture
def hold(acme) -> Hold:
    """An order keeps 48 of the 50 dollars, so that 2 are available."""
    return ledger.hold(
        wallet=Wallet.objects.get(workspace=acme), amount=Decimal(48), currency="USD",
        key="order:1", text="A number", reference="ORD-1",
    )  # fmt: skip


@pytest.fixture
def stopped(acme, hold) -> Number:
    """It costs 3 dollars and fell due three to six days ago: nothing goes out from it."""
    number = buy(acme, timezone.now() - timedelta(days=34, hours=1), "3.00",
                 webhooks_set_at=timezone.now())  # fmt: skip
    due = RentDue.objects.get(pk=number.pk).due_at
    for days in (0, 1, 3):
        collect_due(due + timedelta(days=days))
        dunning.advance(due + timedelta(days=days))
    return number


def day(number: Number, days: int) -> str:
    """So many days after its due day, as people of the workspace read it."""
    due: datetime = RentDue.objects.get(pk=number.pk).overdue_since
    return f"{(due + timedelta(days=days)).astimezone(ZoneInfo('America/New_York')):%-d %b %Y}"


def row(page: Page, number: Number):
    return page.get_by_role("row", name=number.international)


@BOTH_WAYS
def test_from_the_banner_to_the_dates_to_pay_now_and_back(
    browse, owner, acme, hold, stopped, javascript
):
    page = browse(owner, "/w/acme/numbers/", java_script_enabled=javascript)
    expect(page.get_by_role("heading", name="Rent is overdue")).to_be_visible()
    page.get_by_role("link", name="See the numbers and their dates").click()
    expect(row(page, stopped)).to_contain_text("Outbound stopped")
    expect(row(page, stopped)).to_contain_text(
        f"inbound {day(stopped, 7)}, released {day(stopped, 21)}"
    )
    expect(page.locator("dl", has_text="Missing")).to_contain_text("$1.00")
    expect(page.get_by_role("button", name="Pay now")).to_have_count(0)

    ledger.void(hold=hold)  # the order came to nothing, and its money is free again
    page.reload()
    page.get_by_role("button", name="Pay now: $3.00").click()
    expect(page.get_by_text("Paid 1 month. What is paid works again.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing is overdue")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("$47.00")
    page.get_by_role("link", name="Numbers").first.click()
    expect(page.get_by_role("row", name=stopped.e164)).to_contain_text("Active")
    expect(page.get_by_role("heading", name="Rent is overdue")).to_have_count(0)
    assert Number.objects.get(pk=stopped.pk).outbound_stopped_at is None
    assert (len(lines(stopped)), balance(acme), audit_book()) == (1, 47, [])


@BOTH_WAYS
def test_a_number_that_is_due_shows_all_three_dates(browse, owner, acme, hold, javascript):
    number = buy(acme, timezone.now() - timedelta(days=31, hours=2), "3.00")
    collect_due()
    dunning.advance()
    page = browse(owner, OVERDUE, java_script_enabled=javascript)
    expect(row(page, number)).to_contain_text("Overdue")
    expect(row(page, number)).to_contain_text(
        f"outbound stops {day(number, 3)}, inbound {day(number, 7)}, released {day(number, 21)}"
    )


@BOTH_WAYS
def test_money_for_one_of_two_brings_back_the_one_that_fell_due_first(
    browse, owner, acme, hold, stopped, javascript
):
    later = buy(acme, timezone.now() - timedelta(days=31, hours=2), "46.00")
    collect_due()
    dunning.advance()
    ledger.capture(
        hold=hold, amount=Decimal(40), kind=Kind.PURCHASE, key="order:1:1", text="A number",
        reference="ORD-1",
    )  # fmt: skip
    page = browse(owner, OVERDUE, java_script_enabled=javascript)
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Pay now what $10.00 covers").click()
    expect(page.get_by_text("1 more wait for money.")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(row(page, later)).to_contain_text("$46.00")
    assert (len(lines(stopped)), len(lines(later)), balance(acme)) == (1, 0, 7)
    assert Number.objects.get(pk=stopped.pk).outbound_stopped_at is None


def test_funds_pay_and_restore_by_themselves(browse, owner, acme, stopped):
    page = browse(owner, OVERDUE)
    expect(row(page, stopped)).to_contain_text("Outbound stopped")
    put_in(acme, "1.00")
    page.reload()
    expect(page.get_by_role("heading", name="Nothing is overdue")).to_be_visible()
    assert Number.objects.get(pk=stopped.pk).outbound_stopped_at is None
    assert (len(lines(stopped)), balance(acme)) == (1, 48)


def test_a_double_click_on_pay_now_pays_once(browse, owner, acme, hold, stopped):
    ledger.void(hold=hold)
    page = browse(owner, OVERDUE)
    page.get_by_role("button", name="Pay now").dblclick()
    expect(page.get_by_role("heading", name="Nothing is overdue")).to_be_visible()
    assert (len(lines(stopped)), balance(acme), audit_book()) == (1, 47, [])


def test_each_page_about_rent_is_readable_for_all(browse, owner, acme, hold, stopped):
    page = browse(owner, "/w/acme/numbers/")
    audit(page)
    page.goto(OVERDUE)
    audit(page)
    ledger.void(hold=hold)
    page.reload()
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_role("heading", name="Nothing is overdue")).to_be_visible()
    audit(page)
    for place in ("costs/", "costs/unused/", "rent/2/"):
        answer = page.goto(f"/w/acme/numbers/{place}")
        assert answer.ok
        audit(page)
