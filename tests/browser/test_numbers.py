"""The Numbers page, a number's page and the activity, as people use them: with and without
JavaScript, with a mouse and with keys, on a desk and on a telephone.
"""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Download, Locator, Page, expect

from numbers import changes, release, tags
from numbers.listing import PAGE_SIZE
from numbers.models import Number
from numbers.purchase import purchase_number
from tests.browser.audit import audit
from tests.browser.steps import announced, tab_to
from workspaces.models import Membership
from workspaces.permissions import Role

LIST = "/w/acme/numbers/"
both = pytest.mark.parametrize("js", [True, False], ids=["with JavaScript", "without"])


@pytest.fixture
def stock(acme, owner, make_number):
    """A number of each kind, told apart by its name."""
    now = timezone.now()
    made = {
        "plain": make_number(acme, "+12125550101", friendly_name="Front desk", last_used_at=now),
        "toll free": make_number(
            acme, "+18005550102", friendly_name="Orders", number_type="toll_free", area_code="800",
            locality="", region="",
        ),
        "german": make_number(
            acme, "+4915155550103", friendly_name="Berlin", country="DE", number_type="mobile",
            area_code="151", locality="", region="", capabilities=["sms"], monthly_price=6,
        ),
        "off": make_number(acme, "+12125550104", friendly_name="Old line", deactivated_at=now),
        "unpaid": make_number(acme, "+12125550105", friendly_name="Unpaid", suspended_at=now),
        "locked": make_number(acme, "+12125550106", friendly_name="Printed", locked_at=now),
        "new": make_number(acme, "+12125550107", friendly_name="Just bought", webhooks_set_at=None),
    }  # fmt: skip
    tags.set_tags(number=made["plain"], by=owner, names=["vip", "reception"])
    return made


def rows(page: Page) -> Locator:
    return page.locator("tbody tr:has(a.number)")


def scroll_to(page: Page, part: str) -> None:
    """What is there then fetches its contents, and may do so while the page is scrolled."""
    page.locator(part).evaluate("element => element.scrollIntoView()")


def box(page: Page, e164: str) -> Locator:
    return page.get_by_role("checkbox", name=e164)


def filters(page: Page) -> Locator:
    """The form that finds and filters; the menu of the columns has the same words."""
    return page.get_by_role("search", name="Numbers")


def asks(page: Page, **parameters: list[str]) -> None:
    """The address asks for this and for nothing else, however its signs are written."""
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == parameters)


def open_list(browse, user, js: bool = True, path: str = LIST, **options) -> Page:
    return browse(user, path, java_script_enabled=js, **options)


def test_typing_finds_and_the_address_says_what(browse, owner, stock):
    page = open_list(browse, owner)
    page.get_by_role("searchbox").fill("(212) 555-0101")
    expect(rows(page)).to_have_count(1)
    asks(page, q=["(212) 555-0101"])
    expect(announced(page)).to_have_text("1 number")
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.go_back()
    expect(rows(page)).to_have_count(7)


@both
def test_finding_by_name_and_taking_it_back(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    page.get_by_role("searchbox").fill("front")
    page.get_by_role("button", name="Find").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="“front”").click()
    expect(rows(page)).to_have_count(7)


@both
def test_filters_narrow_the_list(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    page.get_by_text("Filter and sort").click()
    filters(page).get_by_label("Status").select_option("Inactive: switched off")
    if not js:
        page.get_by_role("button", name="Find").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Old line")
    filters(page).get_by_label("Status").select_option("Any")
    if js:
        expect(rows(page)).to_have_count(7)
    filters(page).get_by_label("Tag", exact=True).select_option("vip")
    if js:
        expect(rows(page)).to_have_count(1)
    filters(page).get_by_label("SMS").check()
    if not js:
        page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("list", name="Filters")).to_contain_text("SMS")
    expect(rows(page)).to_contain_text("Front desk")
    page.get_by_role("link", name="Clear all").click()
    expect(rows(page)).to_have_count(7)


def test_the_address_stays_short(browse, owner, stock):
    page = open_list(browse, owner)
    page.get_by_text("Filter and sort").click()
    filters(page).get_by_label("Type", exact=True).select_option("Toll-free")
    expect(page).to_have_url(re.compile(r"/numbers/\?type=toll_free$"))


@both
def test_a_column_sorts_one_way_and_the_other(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    page.get_by_role("columnheader").get_by_role("link", name="Friendly name").click()
    expect(rows(page).first).to_contain_text("Berlin")
    page.get_by_role("columnheader", name="Friendly name").get_by_role("link").click()
    expect(rows(page).first).to_contain_text("Unpaid")
    expect(page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Friendly name"))


@both
def test_more_numbers_are_shown_on_demand(browse, owner, acme, make_number, js):
    for _ in range(PAGE_SIZE + 5):
        make_number(acme)
    page = open_list(browse, owner, js)
    expect(rows(page)).to_have_count(PAGE_SIZE)
    page.get_by_role("link", name="Show 50 more").click()
    expect(rows(page)).to_have_count(PAGE_SIZE + 5 if js else 5)
    if js:
        expect(announced(page)).to_have_text("5 more numbers")
        expect(rows(page).nth(PAGE_SIZE).get_by_role("link")).to_be_focused()
    else:
        page.get_by_role("link", name="To the beginning of the list").click()
        expect(rows(page)).to_have_count(PAGE_SIZE)


@both
def test_columns_are_chosen_and_remembered(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Last used").check()
    page.get_by_label("Capabilities", exact=True).uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Last used")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Capabilities")).to_have_count(0)
    page.goto(LIST)
    expect(page.get_by_role("columnheader", name="Last used")).to_be_visible()


@both
def test_several_are_tagged(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    expect(page.get_by_role("button", name="Tag")).to_be_hidden()
    box(page, "+18005550102").check()
    box(page, "+4915155550103").check()
    page.get_by_role("button", name="Tag").click()
    page.get_by_label("Tags to add").fill("spring, vip")
    page.get_by_role("button", name="Tag them").click()
    expect(page.get_by_role("heading", name="2 of 2 tagged")).to_be_visible()
    page.get_by_role("link", name="To the numbers").click()
    expect(rows(page).filter(has_text="Berlin")).to_contain_text("spring")


@both
def test_several_are_switched_off_and_on(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    for action, done in (("Deactivate", "switched off"), ("Activate", "switched on")):
        box(page, "+12125550101").check()
        box(page, "+18005550102").check()
        page.get_by_role("button", name=action, exact=True).click()
        page.get_by_role("button", name=f"{action} them").click()
        expect(page.get_by_role("heading", name=f"2 of 2 {done}")).to_be_visible()
        page.get_by_role("link", name="To the numbers").click()


@both
def test_several_are_released_and_those_that_stay_say_why(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    box(page, "+12125550101").check()
    box(page, "+12125550106").check()
    page.get_by_role("button", name="Release").click()
    page.get_by_label("How many numbers are these?").fill("2")
    page.get_by_role("button", name="Release them").click()
    expect(page.get_by_role("heading", name="1 of 2 released")).to_be_visible()
    expect(page.get_by_text("is locked against release")).to_be_visible()


def test_all_that_are_shown_are_chosen_at_once(browse, owner, stock):
    page = open_list(browse, owner)
    page.get_by_label("All shown").check()
    expect(page.get_by_text("With the 7 chosen:")).to_be_visible()
    box(page, "+12125550101").uncheck()
    expect(page.get_by_text("With the 6 chosen:")).to_be_visible()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("heading", name="Deactivate 6 numbers")).to_be_visible()


def told_in(download: Download, stock: dict[str, Number]) -> set[str]:
    """Which of the numbers are in the file."""
    text = download.path().read_text(encoding="utf-8")
    return {number.e164 for number in stock.values() if number.e164 in text}


@both
def test_the_list_is_downloaded(browse, owner, stock, js):
    page = open_list(browse, owner, js, f"{LIST}?country=DE")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert told_in(download.value, stock) == {"+4915155550103"}


@both
def test_the_chosen_are_downloaded_and_stay_chosen(browse, owner, stock, js):
    page = open_list(browse, owner, js)
    box(page, "+4915155550103").check()
    box(page, "+12125550101").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert told_in(download.value, stock) == {"+4915155550103", "+12125550101"}
    page.get_by_role("button", name="Tag").click()
    expect(page.get_by_role("heading", name="Tag 2 numbers")).to_be_visible()


@both
def test_a_number_is_edited(browse, owner, owned, js):
    page = open_list(browse, owner, js)
    rows(page).get_by_role("link").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Friendly name").fill("Sales Berlin")
    page.get_by_label("Tags").fill("sales, Berlin")
    page.get_by_label("Notes").fill("On the flyer")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("+1 212-555-0123 is saved.")).to_be_visible()
    expect(page.get_by_text("On the flyer")).to_be_visible()
    expect(page.locator(".under-title")).to_contain_text("Sales Berlin")
    if js:
        scroll_to(page, "#number-history")
    else:
        page.get_by_role("link", name="See who did what").click()
    expect(page.get_by_text("Called “Sales Berlin”")).to_be_visible()


@both
def test_a_number_is_switched_off_and_on(browse, owner, owned, js):
    page = open_list(browse, owner, js, owned.get_absolute_url())
    page.get_by_role("link", name="Deactivate").click()
    expect(page.get_by_text("The monthly fee of $1.38 goes on.")).to_be_visible()
    page.get_by_role("button", name="Deactivate it").click()
    expect(page.get_by_role("heading", name="Switched off")).to_be_visible()
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("is switched on.")).to_be_visible()


@both
def test_a_number_is_locked_and_unlocked(browse, owner, owned, js):
    page = open_list(browse, owner, js, owned.get_absolute_url())
    page.get_by_role("button", name="Lock against release").click()
    expect(page.get_by_text("it cannot be released until somebody")).to_be_visible()
    expect(page.get_by_role("link", name="Release", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("link", name="Release", exact=True)).to_be_visible()


@both
def test_a_number_is_released_and_the_release_undone(browse, owner, owned, js):
    page = open_list(browse, owner, js, owned.get_absolute_url())
    page.get_by_role("link", name="Release", exact=True).click()
    page.get_by_label("The last four digits").fill("9999")
    page.get_by_role("button", name="Release it").click()
    expect(page.get_by_role("alert")).to_contain_text("Type the last four digits")
    page.get_by_label("The last four digits").fill("0123")
    page.get_by_role("button", name="Release it").click()
    expect(page.get_by_text("you can have it back, as it was")).to_be_visible()
    page.get_by_role("button", name="Undo the release").click()
    expect(page.get_by_text("is back, as it was.")).to_be_visible()
    owned.refresh_from_db()
    assert owned.status == "active"


@both
def test_a_release_is_scheduled_and_cancelled(browse, owner, owned, js):
    page = open_list(browse, owner, js, f"{owned.get_absolute_url()}release/")
    page.get_by_label("At the end of the paid month").check()
    page.get_by_label("The last four digits").fill("0123")
    page.get_by_role("button", name="Release it").click()
    expect(page.get_by_role("heading", name="Will be released on")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("will not be released.")).to_be_visible()


@both
def test_the_carrier_is_asked_on_demand(browse, owner, owned, js):
    page = open_list(browse, owner, js, owned.get_absolute_url())
    page.get_by_role("button", name="Ask the carrier").click()
    expect(page.get_by_text("in-use")).to_be_visible()
    if js:
        expect(page.get_by_role("heading", name="Details")).to_be_visible()
        expect(announced(page)).to_have_text("The carrier has answered")


def test_costs_come_when_they_come_into_sight(browse, owner, owned):
    page = open_list(browse, owner, path=owned.get_absolute_url())
    scroll_to(page, "#costs")
    expect(page.get_by_text("Nothing was charged for it in this time.")).to_be_visible()


def test_costs_are_a_page_without_javascript(browse, owner, owned):
    page = open_list(browse, owner, False, owned.get_absolute_url())
    page.get_by_role("link", name="See the last twelve months").click()
    expect(page.get_by_text("Nothing was charged for it in this time.")).to_be_visible()


@both
def test_activity_is_searched(browse, owner, owned, js):
    changes.rename(number=owned, by=owner, name="Sales")
    changes.deactivate(number=owned, by=owner)
    page = open_list(browse, owner, js)
    page.get_by_role("link", name="Activity").click()
    page.get_by_label("What").fill("called")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".trail > li")).to_have_count(1)
    expect(page.locator(".trail")).to_contain_text("friendly name: Front desk → Sales")


def test_the_whole_page_works_with_keys(browse, owner, stock):
    page = open_list(browse, owner)
    tab_to(page, page.get_by_role("searchbox"))
    page.keyboard.type("Berlin")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    tab_to(page, box(page, "+4915155550103"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Tag"), key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tag 1 number")).to_be_visible()
    tab_to(page, page.get_by_label("Tags to add"))
    page.keyboard.type("keys")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 of 1 tagged")).to_be_visible()


def test_more_numbers_are_shown_with_keys_on_a_telephone(browse, owner, acme, make_number):
    for _ in range(PAGE_SIZE + 5):
        make_number(acme)
    page = open_list(browse, owner, viewport={"width": 320, "height": 700})
    tab_to(page, page.get_by_role("link", name="Show 50 more"), key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(announced(page)).to_have_text("5 more numbers")
    first, second = rows(page).nth(PAGE_SIZE), rows(page).nth(PAGE_SIZE + 1)
    expect(first.get_by_role("link")).to_be_focused()
    expect(first).to_be_in_viewport()
    tab_to(page, second.get_by_role("link"))


def test_more_numbers_are_a_page_of_their_own_without_javascript(browse, owner, acme, make_number):
    for _ in range(PAGE_SIZE + 5):
        make_number(acme)
    page = open_list(browse, owner, False)
    page.get_by_role("link", name="Show 50 more").press("Enter")
    expect(rows(page)).to_have_count(5)
    page.get_by_role("link", name="To the beginning of the list").press("Enter")
    expect(rows(page)).to_have_count(PAGE_SIZE)


def press(page: Page, target: Locator) -> None:
    """With keys, and wait for the page that it leads to."""
    page.wait_for_load_state("networkidle")  # a part that is replaced lets go of the focus
    tab_to(page, target)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_number_is_changed_and_released_with_keys_on_a_telephone(browse, owner, owned):
    page = open_list(browse, owner, viewport={"width": 320, "height": 700})
    press(page, page.get_by_role("link", name="+12125550123"))
    press(page, page.get_by_role("link", name="Edit"))
    tab_to(page, page.get_by_label("Friendly name"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Sales")
    page.keyboard.press("Enter")
    expect(page.locator(".under-title")).to_contain_text("Sales")
    press(page, page.get_by_role("button", name="Lock against release"))
    press(page, page.get_by_role("button", name="Unlock"))
    press(page, page.get_by_role("link", name="Deactivate"))
    press(page, page.get_by_role("button", name="Deactivate it"))
    press(page, page.get_by_role("button", name="Switch it on"))
    press(page, page.get_by_role("link", name="Release", exact=True))
    tab_to(page, page.get_by_label("The last four digits"))
    page.keyboard.type("0123")
    page.keyboard.press("Enter")
    expect(page.get_by_text("you can have it back, as it was")).to_be_visible()
    press(page, page.get_by_role("button", name="Undo the release"))
    expect(page.get_by_text("is back, as it was.")).to_be_visible()


def test_several_are_changed_released_and_downloaded_with_keys_on_a_telephone(browse, owner, stock):
    page = open_list(browse, owner, viewport={"width": 320, "height": 700})
    for action, done in (("Deactivate", "switched off"), ("Release", "released")):
        page.wait_for_load_state("networkidle")
        for e164 in ("+18005550102", "+12125550101"):  # as they stand in the list
            tab_to(page, box(page, e164))
            page.keyboard.press("Space")
        tab_to(page, page.get_by_role("button", name=action, exact=True), key="Shift+Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if action == "Release":
            tab_to(page, page.get_by_label("How many numbers are these?"))
            page.keyboard.type("2")
        press(page, page.get_by_role("button", name=f"{action} them"))
        expect(page.get_by_role("heading", name=f"2 of 2 {done}")).to_be_visible()
        press(page, page.get_by_role("link", name="To the numbers"))
    tab_to(page, page.get_by_role("link", name="Export"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert "+4915155550103" in download.value.path().read_text(encoding="utf-8")


def test_the_list_is_narrowed_and_one_switched_on_with_keys_on_a_telephone(browse, owner, stock):
    page = open_list(browse, owner, viewport={"width": 320, "height": 700})
    tab_to(page, page.locator("summary", has_text="Filter and sort"))
    page.keyboard.press("Enter")
    tab_to(page, filters(page).get_by_label("Status"))
    for _ in range(3):  # active, inactive, inactive because it was switched off
        page.keyboard.press("ArrowDown")
    asks(page, status=["off"])
    expect(rows(page)).to_have_count(1)
    page.wait_for_load_state("networkidle")
    tab_to(page, page.locator("summary", has_text="Columns"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Last used"))
    page.keyboard.press("Space")
    press(page, page.get_by_role("button", name="Show these"))
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator("[data-label='Last used']")).to_be_visible()
    tab_to(page, box(page, "+12125550104"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Activate", exact=True), key="Shift+Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    press(page, page.get_by_role("button", name="Activate them"))
    expect(page.get_by_role("heading", name="1 of 1 switched on")).to_be_visible()


def test_a_release_is_scheduled_and_cancelled_with_keys_on_a_telephone(browse, owner, owned):
    page = open_list(browse, owner, viewport={"width": 320, "height": 700})
    press(page, page.get_by_role("link", name="+12125550123"))
    press(page, page.get_by_role("link", name="Release", exact=True))
    tab_to(page, page.get_by_label("Now", exact=True))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("At the end of the paid month")).to_be_checked()
    tab_to(page, page.get_by_label("The last four digits"))
    page.keyboard.type("0123")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Will be released on")).to_be_visible()
    press(page, page.get_by_role("button", name="Keep it"))
    expect(page.get_by_text("will not be released.")).to_be_visible()


def test_on_a_telephone_numbers_are_cards(browse, owner, stock):
    page = open_list(browse, owner, viewport={"width": 320, "height": 700})
    card = rows(page).filter(has_text="Front desk")
    assert card.bounding_box()["width"] <= 320
    expect(card.get_by_text("Local")).to_be_visible()
    expect(page.locator("thead")).not_to_be_in_viewport()
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Sort by").select_option("Friendly name")
    expect(rows(page).first).to_contain_text("Berlin")
    box(page, "+12125550101").check()
    page.get_by_role("button", name="Tag").click()
    expect(page.get_by_role("heading", name="Tag 1 number")).to_be_visible()


def test_every_state_of_the_list_is_sound(browse, owner, acme, stock, globex, make_number, said):
    make_number(globex, "+13125550777")
    Membership.objects.create(workspace=globex, user=owner, role=Role.VIEWER)
    page = open_list(browse, owner)
    audit(page)
    page.get_by_label("All shown").check()
    page.get_by_text("Filter and sort").click()
    audit(page)
    page.locator("summary", has_text="Columns").click()
    audit(page, ".menu[open]")
    for address in ("?q=front&status=active&tag=vip", "?q=3125550777", "?q=nothing", "?tag=none"):
        page.goto(LIST + address)
        audit(page)
    expect(page.get_by_text("There is no tag “none”").first).to_be_visible()


def test_an_empty_workspace_is_sound(browse, owner):
    audit(open_list(browse, owner))


FACTS = ["", "deactivated_at", "suspended_at", "outbound_stopped_at", "vanished_at", "parked_at",
         "release_at", "released_at"]  # fmt: skip


@pytest.mark.parametrize("fact", FACTS)
def test_every_state_of_a_number_is_sound(browse, owner, owned, fact):
    changes.write_notes(number=owned, by=owner, notes="On the flyer")
    tags.set_tags(number=owned, by=owner, names=["vip"])
    if fact:
        Number.objects.update(**{fact: timezone.now()})
    page = open_list(browse, owner, path=owned.get_absolute_url())
    scroll_to(page, "#costs")
    expect(page.get_by_text("Nothing was charged for it in this time.")).to_be_visible()
    audit(page)


def test_the_pages_that_change_a_number_are_sound(browse, owner, owned, simulator):
    page = open_list(browse, owner)
    for part in ("edit/", "deactivate/", "release/", "provider/", "costs/"):
        page.goto(owned.get_absolute_url() + part)
        audit(page)
    page.goto(f"{owned.get_absolute_url()}release/")
    page.get_by_label("The last four digits").fill("9999")
    page.get_by_role("button", name="Release it").click()
    audit(page)
    simulator.fault("server_error", path_contains="IncomingPhoneNumbers")
    page.goto(f"{owned.get_absolute_url()}provider/")
    audit(page)


def test_a_number_with_costs_is_sound(browse, acme, owner, quote):
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    number = order.lines.get().number
    page = open_list(browse, owner, path=f"{number.get_absolute_url()}costs/")
    expect(page.get_by_role("img", name="Costs by month")).to_be_visible()
    audit(page)


def test_several_at_once_are_sound(browse, owner, stock):
    page = open_list(browse, owner)
    chosen = "&".join(f"n={number.public_id}" for number in stock.values())
    for action in ("tag", "activate", "deactivate", "release"):
        page.goto(f"{LIST}bulk/?do={action}&{chosen}")
        audit(page)
    page.get_by_label("How many numbers are these?").fill("7")
    page.get_by_role("button", name="Release them").click()
    expect(page.get_by_role("heading", name="6 of 7 released")).to_be_visible()
    audit(page)


def test_activity_is_sound(browse, owner, owned):
    changes.rename(number=owned, by=owner, name="Sales")
    release.schedule_release(number=owned, by=owner, last_digits="0123")
    page = open_list(browse, owner, path="/w/acme/activity/")
    audit(page)
    page.goto("/w/acme/activity/?q=nothing")
    audit(page)
    page.goto("/w/acme/activity/?first=soon")
    audit(page)


# --- Long words ---------------------------------------------------------------------------

LONG = "Kundendienstanrufannahmestelle" + "Nordrheinwestfalen" + "Abteilungsleiter"
TAGS = [f"{n}bestandskundenaktion"[:20] for n in range(6)]
# What lies beyond the window, and what is wider inside than outside.
BEYOND = """() => {
    const seen = part =>
        part.checkVisibility() && !part.closest(".visually-hidden, thead, input");
    const told = part => `${part.localName}.${part.className} of ${part.scrollWidth} px`;
    return [...document.querySelectorAll("main *")].filter(seen).filter(part =>
        part.getBoundingClientRect().right > innerWidth + 1
        || (part.clientWidth && part.scrollWidth > part.clientWidth + 1)
    ).map(told);
}"""


@pytest.fixture
def long_named(acme, owner, make_number) -> Number:
    number = make_number(acme, "+12125550101", locality="Llanfairpwllgwyngyllgogerychwyrn")
    changes.rename(number=number, by=owner, name=LONG)
    changes.write_notes(number=number, by=owner, notes=LONG * 3)
    tags.set_tags(number=number, by=owner, names=TAGS)
    return number


@pytest.mark.parametrize("width", [1280, 320])
def test_long_names_and_tags_wrap(browse, owner, long_named, width):
    """Whole, without scrolling sideways: in the list, its cards, and all pages of the number."""
    assert (len(LONG), len(TAGS[0])) == (64, 20)
    page = browse(owner, viewport={"width": width, "height": 900})
    at = long_named.get_absolute_url()
    wide = {}
    for path in (
        LIST, f"{LIST}?q={LONG}", f"{LIST}?tag={TAGS[0]}", at, f"{at}edit/", f"{at}release/",
        f"{at}deactivate/", f"{at}why/", f"{at}costs/", f"{at}checks/", f"{at}route/",
        f"{at}test/", f"{LIST}bulk/?n={long_named.public_id}&do=tag",
        f"{LIST}help/", f"{LIST}costs/", f"{LIST}costs/unused/", "/w/acme/activity/",
        f"/w/acme/activity/?about={long_named.public_id}",
    ):  # fmt: skip
        assert page.goto(path).ok, path
        if path == at:
            scroll_to(page, "#number-history")
            expect(page.locator("#number-history")).to_contain_text(LONG)
        beyond = page.evaluate(BEYOND)
        if beyond or page.evaluate("document.documentElement.scrollWidth") > width:
            wide[path] = beyond
    assert not wide, "\n".join(f"{path}: {parts}" for path, parts in wide.items())
