"""What must be true of every page and every state of it: readable by all, at every width."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (1280, 375, 320)
# Dark changes colours and nothing else, so there only these rules can say something new.
RULES_ON_COLOURS = ["color-contrast", "link-in-text-block"]
AXE = Axe().axe_script
# What loads once it is seen has loaded, no answer is being put in, and nothing moves but what
# moves for ever: axe cannot judge a page that changes under it.
STILL = """() => {
    const unseen = window.htmx && document.querySelector("[hx-trigger=revealed]");
    unseen?.scrollIntoView();
    return !unseen
        && !document.querySelector(".htmx-swapping, .htmx-settling, .htmx-added")
        && document.getAnimations().every(animation =>
            animation.effect.getComputedTiming().iterations === Infinity);
}"""
RUN = """([part, rules]) => axe.run(part, {
    resultTypes: ["violations", "incomplete"], ...(rules.length ? {runOnly: rules} : {}),
}).then(result => [...result.violations, ...result.incomplete])"""


def audit(page: Page, part: str = "html") -> None:
    """axe finds nothing wrong and nothing undecided, in light and dark, wide and narrow; and
    nobody has to scroll sideways. Leaves the page as it was. ``part``: only what is in there,
    for what lies over the rest of the page, of which axe then cannot tell the colours.
    """
    before = page.viewport_size
    problems = []
    page.evaluate(AXE)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function(STILL)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{width} px: {wide} px wide")
        for scheme, rules in (("light", []), ("dark", RULES_ON_COLOURS)):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate(RUN, [part, rules])
            problems += [f"{width} px, {scheme}: {told}" for rule in found for told in _tell(rule)]
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)
    assert not problems, "\n".join([page.url, *problems])


def _tell(rule: dict[str, Any]) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:160]}: "
        + "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])
        for node in rule["nodes"]
    ]
