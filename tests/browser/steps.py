"""What people do in the wizard, by what they see."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from numbers.models import NumberOrder, OrderLine

FIRST_IN_NEW_YORK = "+1 212-746-6496"
BUY = "/w/acme/numbers/buy/"
NEW_YORK = f"{BUY}?country=US&area_code=212"
REVIEW = f"{BUY}review/?country=US&area_code=212&number=%2B12127466496&number_type=local"
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def search(page: Page, **fields: str) -> None:
    """Fill in the search form by its labels and send it."""
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " ").capitalize()).fill(text)
    page.get_by_role("button", name="Search").click()


def results(page: Page) -> Locator:
    return page.locator(".results > li")


def review_first(page: Page) -> None:
    page.get_by_role("link", name="Review").first.click()
    expect(page.get_by_role("heading", name="Review and confirm")).to_be_visible()


def confirm(page: Page) -> None:
    page.get_by_role("button", name="Confirm purchase").click()


def an_hour_later() -> None:
    """As if it had been ordered an hour ago: the sweep may look now, and is too late to buy."""
    hour_ago = timezone.now() - timedelta(hours=1)
    NumberOrder.objects.update(placed_at=hour_ago)
    OrderLine.objects.update(called_at=hour_ago)


def hold_searches(page: Page) -> list[Route]:
    """Keep searches from arriving until the test continues them: a carrier that is slow."""
    held: list[Route] = []

    def take(route: Route) -> None:
        if route.request.headers.get("hx-target") == "search":
            held.append(route)
        else:
            route.continue_()

    page.route("**/buy/?**", take)
    return held


@contextmanager
def still(page: Page) -> Iterator[None]:
    """What the page asks by itself meanwhile is answered afterwards, so that it stays as it is."""
    held: list[Route] = []
    is_over = False

    def hold(route: Route) -> None:
        if route.request.headers.get("hx-request") and not is_over:
            held.append(route)
        else:
            route.continue_()

    page.route("**/*", hold)
    yield
    is_over = True
    for route in held:
        route.continue_()


def announced(page: Page) -> Locator:
    """What a screen reader has been told last."""
    return page.locator("#announce")


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press the key until the target has focus; everything on the way shows that it has it."""
    page.wait_for_load_state()  # without its style sheet nothing shows
    page.evaluate(PAINTED)  # and before it was painted, Chromium drops what is typed
    for _ in range(100):
        page.keyboard.press(key)
        ring = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                return style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
            }"""
        )
        assert ring >= 2, page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached with {key}")
