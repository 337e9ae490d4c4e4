"""The main job in a real browser: find a number, buy it once, see it on the Numbers page."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from numbers.models import Number, NumberOrder
from tests.browser.audit import audit
from tests.browser.steps import (
    BUY,
    FIRST_IN_NEW_YORK,
    NEW_YORK,
    REVIEW,
    an_hour_later,
    announced,
    confirm,
    results,
    review_first,
    search,
    still,
    tab_to,
)
from wallet.models import Wallet

PRICE = Decimal("1.38")


def has_bought_one(workspace, simulator) -> bool:
    """One order, one number, one charge, one purchase at the provider."""
    wallet = Wallet.objects.get(workspace=workspace)
    made = (NumberOrder.objects.count(), Number.objects.count(), len(simulator.owned()))
    return made == (1, 1, 1) and (wallet.balance, wallet.held) == (50 - PRICE, 0)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_number_is_found_bought_and_first_in_the_list(browse, owner, acme, simulator, javascript):
    page = browse(owner, "/", java_script_enabled=javascript)
    page.get_by_role("link", name="Purchase number").click()
    search(page, area_code="212")
    expect(results(page)).to_have_count(20)
    expect(page).to_have_url(re.compile("country=US&area_code=212"))
    review_first(page)
    expect(page.get_by_role("heading", name=FIRST_IN_NEW_YORK)).to_be_visible()
    expect(page.locator("dl", has_text="Balance after")).to_contain_text("$48.62")
    confirm(page)
    expect(page.get_by_role("heading", name=f"{FIRST_IN_NEW_YORK} is yours")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("$48.62")
    page.get_by_role("link", name="To the numbers").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("+12127466496")
    assert has_bought_one(acme, simulator)


def test_each_page_on_the_way_is_readable_for_all(browse, owner):
    page = browse(owner, "/")
    audit(page)
    page.goto(BUY)
    audit(page)
    search(page, area_code="212")
    expect(results(page)).to_have_count(20)
    audit(page)
    review_first(page)
    audit(page)
    confirm(page)
    expect(page.get_by_role("heading", name="Next steps")).to_be_visible()
    audit(page)
    page.get_by_role("link", name="To the numbers").click()
    audit(page)


def test_a_number_is_bought_with_the_keyboard_alone(browse, owner, acme, simulator):
    page = browse(owner, "/")
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press("Enter")
    tab_to(page, page.get_by_role("link", name="Purchase number"))
    press("Enter")
    area_code = page.get_by_label("Area code")
    expect(area_code).to_be_visible()
    tab_to(page, area_code)
    page.keyboard.type("212")
    press("Enter")
    expect(results(page)).to_have_count(20)
    expect(area_code).to_be_focused()
    tab_to(page, page.get_by_role("link", name=f"Review {FIRST_IN_NEW_YORK}"))
    press("Enter")
    button = page.get_by_role("button", name="Confirm purchase")
    expect(button).to_be_visible()
    tab_to(page, button)
    press("Space")
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    assert has_bought_one(acme, simulator)


def test_a_double_click_buys_once(browse, owner, acme, simulator):
    page = browse(owner, REVIEW)
    page.get_by_role("button", name="Confirm purchase").dblclick()
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    assert has_bought_one(acme, simulator)


def test_clicking_again_while_the_answer_is_on_its_way_buys_once(browse, owner, acme, simulator):
    page = browse(owner, REVIEW, java_script_enabled=False)
    sent = []

    def lose_the_first_answer(route):
        sent.append(route)
        if len(sent) == 1:
            route.fetch()  # it arrives and is carried out, and the browser still waits
        else:
            route.continue_()

    page.route("**/orders/", lose_the_first_answer)
    button = page.get_by_role("button", name="Confirm purchase").bounding_box()
    page.mouse.click(button["x"] + 20, button["y"] + 20)
    for _ in range(100):
        if Number.objects.exists():
            break
        page.wait_for_timeout(50)
    page.mouse.click(button["x"] + 20, button["y"] + 20)
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    assert len(sent) == 2
    assert has_bought_one(acme, simulator)


def test_while_it_is_being_bought_the_button_says_so(browse, owner):
    page = browse(owner, REVIEW)
    # An answer without content leaves the browser on this page, as it is before any answer.
    page.route("**/orders/", lambda route: route.fulfill(status=204))
    sent = []
    page.on("request", lambda request: "/orders/" in request.url and sent.append(request.method))
    confirm(page)
    button = page.get_by_role("button", name="Buying…")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(announced(page)).to_have_text("Buying…")
    button.click(force=True)
    assert sent == ["POST"]
    audit(page)


def test_back_and_reload_after_the_purchase_buy_nothing_more(browse, owner, acme, simulator):
    page = browse(owner, REVIEW)
    confirm(page)
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="This number is already yours")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm purchase")).to_have_count(0)
    audit(page)
    page.reload()
    page.go_forward()
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    assert has_bought_one(acme, simulator)


def test_a_second_tab_with_the_same_review_buys_nothing_more(browse, owner, acme, simulator):
    page = browse(owner, REVIEW)
    other = page.context.new_page()
    other.goto(REVIEW)
    confirm(page)
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    confirm(other)
    expect(other.get_by_role("heading", name="This number is already yours")).to_be_visible()
    other.get_by_role("link", name="Open the Numbers page").click()
    expect(other.get_by_role("row")).to_have_count(2)
    assert has_bought_one(acme, simulator)


def test_an_order_whose_answer_was_lost_settles_while_one_looks_on(browse, owner, acme, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    page = browse(owner, REVIEW)
    confirm(page)
    expect(page.get_by_role("heading", name="We are checking with the carrier")).to_be_visible()
    expect(page.get_by_text("$1.38 is set aside and not charged")).to_be_visible()
    with still(page):
        audit(page)
    an_hour_later()
    expect(page.get_by_role("heading", name="is yours")).to_be_visible()
    expect(announced(page)).to_have_text("The number is yours.")
    audit(page)
    assert has_bought_one(acme, simulator)


def test_an_order_that_never_arrived_gives_its_money_back_while_one_looks_on(
    browse, owner, acme, simulator
):
    simulator.fault("timeout_before", method="POST", path_contains="IncomingPhoneNumbers")
    page = browse(owner, REVIEW)
    confirm(page)
    expect(page.get_by_role("heading", name="We are checking")).to_be_visible()
    balance = page.get_by_role("navigation", name="Main")
    expect(balance).to_contain_text("$48.62")
    an_hour_later()
    expect(page.get_by_role("heading", name="The number was not bought")).to_be_visible()
    expect(balance).to_contain_text("$50.00")
    assert simulator.owned() == []


def test_without_javascript_the_order_page_asks_again_by_itself(browse, owner, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    page = browse(owner, REVIEW, java_script_enabled=False)
    confirm(page)
    expect(page.get_by_role("heading", name="We are checking with the carrier")).to_be_visible()
    an_hour_later()
    expect(page.get_by_role("heading", name="is yours")).to_be_visible(timeout=10_000)


def test_another_number_is_bought_from_the_receipt(browse, owner):
    page = browse(owner, REVIEW)
    confirm(page)
    page.get_by_role("link", name="Buy another").click()
    expect(page).to_have_url(re.compile(re.escape(NEW_YORK) + "$"))
    expect(results(page).first).not_to_contain_text(FIRST_IN_NEW_YORK)
