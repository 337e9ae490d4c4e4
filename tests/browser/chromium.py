"""A pytest plugin: the system's Chromium for the tests marked ``browser``, or a loud word.

Where there is none they are skipped, which one line at the end of the run says. With
REQUIRE_BROWSER=1 they are not skipped, so they fail.
"""

import os
import shutil

import pytest

# The first is the same browser without a window, which needs a third less time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable",
         "google-chrome")  # fmt: skip
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
NONE_FOUND = "no Chromium was found: install chromium, or name one with CHROMIUM=/path/to/it"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM or os.environ.get("REQUIRE_BROWSER") == "1":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=NONE_FOUND))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if NONE_FOUND in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} BROWSER TESTS DID NOT RUN: {NONE_FOUND}.", red=True, bold=True
        )
