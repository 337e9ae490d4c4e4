"""What must be true of every page and every state of it: readable by all, at every width."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (1280, 375, 320)
SCHEMES = ("light", "dark")


def audit(page: Page) -> None:
    """axe finds nothing wrong and nothing undecided, in light and dark, wide and narrow; and
    nobody has to scroll sideways. Leaves the page as it was.
    """
    before = page.viewport_size
    problems = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{width} px: {wide} px wide")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            problems += [f"{width} px, {scheme}: {found}" for found in _axe(page)]
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)
    assert not problems, "\n".join([page.url, *problems])


def _axe(page: Page) -> list[str]:
    answer = Axe().run(page, options={"resultTypes": ["violations", "incomplete"]}).response
    return [_told(rule, node) for kind in ("violations", "incomplete") for rule in answer[kind]
            for node in rule["nodes"]]  # fmt: skip


def _told(rule: dict[str, Any], node: dict[str, Any]) -> str:
    checks = node["any"] + node["all"] + node["none"]
    return f"{rule['id']}: {node['html'][:160]}: {'; '.join(c['message'] for c in checks)}"
