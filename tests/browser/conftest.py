"""A real browser on the real pages, with the simulator at the wire."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import connections
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    WebError,
    expect,
)
from pytest_django.live_server_helper import LiveServer

from conftest import signed_in
from numbers.tests.conftest import (  # noqa: F401  fixtures
    available,
    connected,
    make_number,
    owned,
    quote,
)
from tests.browser.chromium import CHROMIUM, NONE_FOUND
from workspaces.models import User

Browse = Callable[..., Page]

# The browser itself logs each answer of 400 and above; which ones come is what the tests say.
STATUS_LINE = re.compile(r"Failed to load resource: the server responded with a status of [45]")
# htmx logs a request that a newer one of the same form replaced (hx-sync) as two errors; one
# that failed says htmx:sendError besides.
REPLACED = re.compile(r"htmx:(afterRequest|sendAbort),")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    assert CHROMIUM, NONE_FOUND
    quiet = ["background-networking", "component-update", "sync", "gpu"]
    return {
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--no-first-run", *(f"--disable-{part}" for part in quiet)],
    }


@pytest.fixture(scope="session")
def own_connections() -> None:
    """Closes those of this thread, which has others once Playwright's loop runs in it: Django
    keeps them by context there. A process that a test forks has no loop, finds the old ones
    again, and would share their sockets with its parent and its siblings.
    """
    connections.close_all()


@pytest.fixture(scope="session")
def playwright(own_connections: None, playwright: Playwright) -> Playwright:
    return playwright


@pytest.fixture
def said() -> list[str]:
    """Errors and warnings on the consoles so far; a test that expects some clears them."""
    return []


@pytest.fixture
def answered(transactional_db: None) -> Iterator[None]:
    """When the pages are closed, waits until the server is done with what they still asked for:
    emptying the tables under a request that reads them is a deadlock.
    """
    busy: set[threading.Thread] = set()

    def began(**_facts: object) -> None:
        busy.add(threading.current_thread())

    def ended(**_facts: object) -> None:
        busy.discard(threading.current_thread())

    request_started.connect(began)
    request_finished.connect(ended)
    yield
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not any(thread.is_alive() for thread in busy - {threading.current_thread()}):
            break
        time.sleep(0.01)
    request_started.disconnect(began)
    request_finished.disconnect(ended)


@pytest.fixture
def browse(
    answered: None,
    new_context: Callable[..., BrowserContext],
    live_server: LiveServer,
    simulator: Any,
    said: list[str],
) -> Iterator[Browse]:
    """``browse(user, path)`` opens a page in a context of its own, signed in by cookie;
    without a path an empty one.

    At the end of the test the consoles of all of them must be clean: no error of a script,
    nothing that the content security policy refused.
    """

    def browse(user: User | None = None, path: str = "", **options: Any) -> Page:
        context = new_context(
            base_url=live_server.url,
            **{"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"} | options,
        )
        context.on("console", lambda message: _note(said, message))
        context.on("weberror", lambda error: _note_error(said, error))
        if user:
            session = signed_in(user).cookies[django_settings.SESSION_COOKIE_NAME]
            context.add_cookies(
                [{"name": session.key, "value": session.value, "url": live_server.url}]
            )
        page = context.new_page()
        if path:
            page.goto(path)
        return page

    expect.set_options(timeout=15_000)
    yield browse
    assert said == []


def _note(said: list[str], message: ConsoleMessage) -> None:
    expected = STATUS_LINE.match(message.text) or REPLACED.match(message.text)
    if message.type in ("error", "warning") and not expected:
        said.append(f"{message.type}: {message.text} ({message.location})")


def _note_error(said: list[str], error: WebError) -> None:
    said.append(f"script: {error.error}")
