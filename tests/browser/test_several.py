"""Several numbers at once: ticked in the results, one order, and a receipt that tells each."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from numbers.models import Number, NumberOrder, OrderLine
from tests.browser.audit import audit
from tests.browser.steps import BUY, NEW_YORK, an_hour_later, confirm, results, still, tab_to
from wallet.models import Entry, Kind, Wallet

PRICE = Decimal("1.38")
SOMEBODY_ELSE = "AC" + "2" * 32
scripting = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])


def tick(page: Page, count: int) -> list[str]:
    """Tick the first ones; returns them as they are shown."""
    boxes = page.get_by_role("checkbox", name="+1")
    expect(boxes.nth(count - 1)).to_be_visible()
    for place in range(count):
        boxes.nth(place).check()
    return page.locator(".results .number").all_inner_texts()[:count]


def review_button(page: Page) -> Locator:
    return page.locator("#pick-form").get_by_role("button")


def lines(page: Page) -> Locator:
    return page.locator(".order-lines > li")


def line_of(page: Page, number: str) -> Locator:
    return lines(page).filter(has_text=number)


def has_bought(workspace, simulator, count: int) -> bool:
    """One order with one hold, which is over; a number and a charge for each success."""
    wallet = Wallet.objects.get(workspace=workspace)
    charges = Entry.objects.filter(kind=Kind.PURCHASE).count()
    made = (Number.objects.count(), charges, NumberOrder.objects.count())
    return made == (count, count, 1) and (wallet.balance, wallet.held) == (50 - count * PRICE, 0)


@scripting
def test_three_that_are_ticked_are_one_order(browse, owner, acme, simulator, javascript):
    page = browse(owner, NEW_YORK, java_script_enabled=javascript)
    chosen = tick(page, 3)
    expect(review_button(page)).to_have_text(
        "Review 3 numbers" if javascript else "Review ticked numbers"
    )
    review_button(page).click()
    expect(page.get_by_role("heading", name="3 numbers for Acme")).to_be_visible()
    for number in chosen:
        expect(page.locator(".quoted")).to_contain_text(number)
    expect(page.locator("dl", has_text="Balance after")).to_contain_text("$45.86")
    confirm(page)
    expect(page.get_by_role("heading", name="All 3 numbers are yours")).to_be_visible()
    for number in chosen:
        expect(line_of(page, number)).to_contain_text("Yours")
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("$45.86")
    page.get_by_role("link", name="To the numbers").click()
    expect(page.get_by_role("row")).to_have_count(4)
    assert has_bought(acme, simulator, 3)


def test_twenty_are_one_order_and_a_twenty_first_is_refused(browse, owner, acme, simulator):
    page = browse(owner, f"{BUY}?country=US")
    tick(page, 21)
    expect(review_button(page)).to_have_text("21 ticked, at most 20")
    review_button(page).click()
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading", name="Too many numbers at once")).to_be_visible()
    expect(alert).to_contain_text("You chose 21 numbers, and one order holds at most 20.")
    audit(page)
    page.goto(f"{NEW_YORK}&type=local")
    tick(page, 20)
    review_button(page).click()
    expect(page.get_by_role("heading", name="20 numbers for Acme")).to_be_visible()
    confirm(page)
    expect(page.get_by_role("heading", name="All 20 numbers are yours")).to_be_visible()
    assert has_bought(acme, simulator, 20)


@scripting
def test_the_receipt_tells_the_one_that_failed(browse, owner, acme, simulator, javascript):
    page = browse(owner, NEW_YORK, java_script_enabled=javascript)
    first, taken, third = tick(page, 3)
    review_button(page).click()
    simulator.seed(re.sub(r"[^+\d]", "", taken), account=SOMEBODY_ELSE)
    confirm(page)
    expect(page.get_by_role("heading", name="2 of 3 numbers are yours")).to_be_visible()
    expect(
        page.get_by_text("The other could not be bought, and nothing was charged")
    ).to_be_visible()
    for number in (first, third):
        expect(line_of(page, number)).to_contain_text("Yours")
        expect(line_of(page, number)).to_contain_text("$1.38")
    expect(line_of(page, taken)).to_contain_text("Not bought")
    expect(line_of(page, taken)).to_contain_text("not charged")
    expect(line_of(page, taken)).to_contain_text("was available a moment ago and is not any more")
    expect(page.locator("dl", has_text="Charged")).to_contain_text("$2.76")
    assert has_bought(acme, simulator, 2)
    page.get_by_role("link", name="Search again").click()
    expect(page).to_have_url(re.compile(re.escape(NEW_YORK) + "$"))


@scripting
def test_one_without_an_answer_settles_while_one_looks_on(
    browse, owner, acme, simulator, javascript
):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    page = browse(owner, NEW_YORK, java_script_enabled=javascript)
    first, *_ = tick(page, 3)
    review_button(page).click()
    confirm(page)
    expect(page.get_by_role("heading", name="2 of 3 numbers are yours so far")).to_be_visible()
    expect(page.get_by_text("you will not be charged twice")).to_be_visible()
    expect(line_of(page, first)).to_contain_text("Checking with the carrier")
    if javascript:
        with still(page):
            audit(page)
    an_hour_later()
    expect(page.get_by_role("heading", name="All 3 numbers are yours")).to_be_visible()
    assert has_bought(acme, simulator, 3)


def test_what_is_gone_before_the_review_is_left_out_and_told(browse, owner, acme, simulator):
    page = browse(owner, NEW_YORK)
    gone, *_ = tick(page, 3)
    simulator.seed(re.sub(r"[^+\d]", "", gone), account=SOMEBODY_ELSE)
    review_button(page).click()
    expect(page.get_by_role("heading", name="One number is left out")).to_be_visible()
    expect(page.get_by_text(f"{gone}: Someone else just took this number.")).to_be_visible()
    expect(page.get_by_role("heading", name="2 numbers for Acme")).to_be_visible()
    audit(page)
    confirm(page)
    expect(page.get_by_role("heading", name="All 2 numbers are yours")).to_be_visible()
    assert has_bought(acme, simulator, 2)


@scripting
def test_with_nothing_ticked_one_is_told_what_to_do(browse, owner, javascript):
    page = browse(owner, NEW_YORK, java_script_enabled=javascript)
    review_button(page).click()
    expect(page.get_by_text("Tick the numbers that you want to review.")).to_be_visible()
    expect(results(page)).to_have_count(20)
    if javascript:
        audit(page)


def test_too_little_money_for_all_of_them_is_told_at_the_review(browse, outsider, globex):
    page = browse(outsider, "/w/globex/numbers/buy/?country=US&area_code=212")
    tick(page, 2)
    review_button(page).click()
    expect(page.get_by_role("heading", name="$0.76 is missing")).to_be_visible()
    expect(page.get_by_text("$2.00 is available and these 2 numbers cost $2.76.")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm purchase")).to_have_count(0)
    audit(page)
    page.get_by_role("link", name="Add funds").click()
    page.get_by_role("link", name="Back to the purchase").click()
    expect(page.get_by_role("heading", name="2 numbers for Globex")).to_be_visible()


def test_several_are_bought_with_the_keyboard_alone(browse, owner, acme, simulator):
    page = browse(owner, NEW_YORK)
    boxes = page.get_by_role("checkbox", name="+1")
    for place in range(2):
        tab_to(page, boxes.nth(place))
        page.keyboard.press("Space")
    button = page.get_by_role("button", name="Review 2 numbers")
    tab_to(page, button)
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Confirm purchase for $2.76")
    expect(button).to_be_visible()
    tab_to(page, button)
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="All 2 numbers are yours")).to_be_visible()
    assert has_bought(acme, simulator, 2)


def test_each_page_on_the_way_is_readable_for_all(browse, owner, simulator):
    page = browse(owner, NEW_YORK)
    _, taken, _ = tick(page, 3)
    audit(page)
    review_button(page).click()
    expect(page.get_by_role("heading", name="3 numbers for Acme")).to_be_visible()
    audit(page)
    simulator.seed(re.sub(r"[^+\d]", "", taken), account=SOMEBODY_ELSE)
    confirm(page)
    expect(page.get_by_role("heading", name="2 of 3 numbers are yours")).to_be_visible()
    audit(page)
    assert OrderLine.objects.filter(state="refused").count() == 1


def test_confirming_twice_is_one_order(browse, owner, acme, simulator):
    page = browse(owner, NEW_YORK)
    tick(page, 2)
    review_button(page).click()
    page.get_by_role("button", name="Confirm purchase").dblclick()
    expect(page.get_by_role("heading", name="All 2 numbers are yours")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="All 2 numbers are yours")).to_be_visible()
    assert has_bought(acme, simulator, 2)
