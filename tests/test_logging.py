"""Requests, tasks and errors in the log of the whole desk."""

import logging
import re

import pytest
from celery import shared_task
from django.conf import settings as django_settings
from django.test import Client
from django.urls import path

from lib import logs
from numbers_project import urls
from workspaces.access import public, workspace_view
from workspaces.permissions import NUMBERS_VIEW

pytestmark = pytest.mark.django_db

log = logging.getLogger(__name__)


@shared_task
def rung() -> None:
    log.info("in the task %s", logs.noted("request"))


@workspace_view(NUMBERS_VIEW)
def works(request):
    log.info("in the view")
    rung.delay()
    return urls.health.healthz(request)


@public
def breaks(request):
    raise RuntimeError(django_settings.TWILIO_AUTH_TOKEN)


urlpatterns = [
    *urls.urlpatterns,
    path("w/<slug:workspace_slug>/works/", works, name="works"),
    path("breaks/", breaks, name="breaks"),
]
handler404, handler500 = urls.handler404, urls.handler500


class Kept(logging.Handler):
    """What would have been written, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.Line(
            secrets=django_settings.NEVER_LOGGED, fmt="%(levelname)s %(name)s %(message)s"
        ))  # fmt: skip
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def about(self, words: str) -> str:
        return next(line for line in self.lines if words in line)


@pytest.fixture
def kept(settings):
    settings.ROOT_URLCONF = __name__
    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_the_lines_of_a_request_name_it_and_its_workspace(as_owner, owner, kept):
    answer = as_owner.get("/w/acme/works/")
    reference = answer.headers["X-Request-Id"]
    line = kept.about("in the view")
    assert line.endswith(f"[request={reference} workspace=acme user={owner.pk}]")
    assert kept.lines.count(line) == 1


def test_a_task_that_a_request_rang_for_names_both(as_owner, kept):
    as_owner.get("/w/acme/works/")
    line = kept.about("in the task")
    assert re.search(r"\[task=[\w-]+ name=tests\.test_logging\.rung", line)


def test_a_broken_page_has_a_reference_that_is_in_the_log(kept):
    client = Client(raise_request_exception=False)
    page = client.get("/breaks/")
    [reference] = re.findall(r"For support: (\w+)", page.text)
    assert page.status_code == 500
    line = kept.about("Internal Server Error: /breaks/")
    assert f"[request={reference}]" in line
    assert "RuntimeError" in line


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda browser: browser.get("/nothing/"), 404),
        (lambda browser: browser.get("/w/acme/settings/"), 403),
        (lambda browser: browser.post("/w/acme/numbers/"), 405),
        (lambda browser: browser.get("/invitations/none/"), 410),
    ],
)
def test_every_error_page_has_one(as_viewer, kept, ask, status):
    page = ask(as_viewer)
    assert page.status_code == status
    [reference] = re.findall(r"For support: (\w+)", page.text)
    assert any(f"request={reference}" in line for line in kept.lines)
    assert page.headers["X-Request-Id"] == reference


def test_a_proxy_may_name_the_request_and_nobody_else(client, kept, settings):
    given = {"X-Request-Id": "from-the-proxy-1"}
    settings.BEHIND_PROXY = True
    assert client.get("/healthz", headers=given).headers["X-Request-Id"] == "from-the-proxy-1"
    forged = {"X-Request-Id": "x\ny" * 50}
    assert "\n" not in client.get("/healthz", headers=forged).headers["X-Request-Id"]
    settings.BEHIND_PROXY = False
    assert client.get("/healthz", headers=given).headers["X-Request-Id"] != "from-the-proxy-1"


def test_the_link_of_an_invitation_is_not_in_the_log(client, kept):
    client.get("/invitations/some-token/")
    assert "/invitations/[token]" in kept.about("Gone")
    assert "some-token" not in "".join(kept.lines)


def test_a_secret_in_an_error_is_not_in_the_log(kept, settings):
    settings.TWILIO_AUTH_TOKEN = django_settings.NEVER_LOGGED[0]  # any that is known
    Client(raise_request_exception=False).get("/breaks/")
    assert "RuntimeError: [secret]" in kept.about("/breaks/")


SECRETS = re.compile(r"(SECRET|SECRET_KEY|TOKEN|PASSWORD|WEBHOOK_SECRET)$")


def test_every_secret_of_the_settings_is_known_to_the_log():
    missing = [
        name
        for name in dir(django_settings)
        if SECRETS.search(name)
        and isinstance(value := getattr(django_settings, name), str)
        and value
        and value not in django_settings.NEVER_LOGGED
    ]
    assert not missing, f"add {missing} to NEVER_LOGGED in settings.py"
