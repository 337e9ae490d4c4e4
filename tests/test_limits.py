"""What a person sees who does something too often, wherever a view lets the refusal through."""

import pytest
from django.urls import path

from lib import rate_limit
from numbers_project import urls
from workspaces.access import workspace_view
from workspaces.permissions import NUMBERS_VIEW

pytestmark = pytest.mark.django_db


@workspace_view(NUMBERS_VIEW)
def flood(request):
    rate_limit.spend("flood", who=request.workspace.pk, what="floods")


urlpatterns = [*urls.urlpatterns, path("w/<slug:workspace_slug>/flood/", flood, name="flood")]
handler404 = urls.handler404


@pytest.fixture(autouse=True)
def _nothing_is_allowed(settings) -> None:
    settings.RATE_LIMITS = {"flood": "0/m"}
    settings.ROOT_URLCONF = __name__


def test_a_page_says_when_to_try_again(as_owner):
    answer = as_owner.get("/w/acme/flood/")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "Too many floods in a short time. Try again in" in answer.text
    assert '<main id="main"' in answer.text


def test_htmx_gets_a_notice_above_the_page(as_owner):
    answer = as_owner.get("/w/acme/flood/", headers={"HX-Request": "true"})
    assert answer.status_code == 429
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#main", "afterbegin")
    assert "Too many floods" in answer.text
    assert "<main" not in answer.text


EXPORTS = [
    "/w/acme/numbers/export/", "/w/acme/wallet/statement.csv", "/w/acme/activity/export/",
]  # fmt: skip


@pytest.mark.parametrize("address", EXPORTS)
def test_exports_share_one_limit_of_their_workspace(as_owner, as_outsider, settings, address):
    settings.ROOT_URLCONF, settings.RATE_LIMITS = "numbers_project.urls", {"export": "1/h"}
    assert as_owner.get(EXPORTS[0]).status_code == 200
    answer = as_owner.get(address)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert "Too many exports in a short time." in answer.text
    assert as_outsider.get(EXPORTS[0].replace("acme", "globex")).status_code == 200


@pytest.mark.parametrize("address", ["/webhooks/twilio/voice/", "/webhooks/stripe/"])
def test_bad_signatures_are_told_when_to_try_again(client, settings, address):
    settings.ROOT_URLCONF, settings.RATE_LIMITS = "numbers_project.urls", {"bad_signature": "2/m"}
    answers = [client.post(address, {"CallSid": "CA1"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert client.post(address, REMOTE_ADDR="203.0.113.7").status_code == 403
    assert client.get("/w/acme/numbers/").status_code == 302, "nothing else is held up"


def test_another_exception_is_none_of_its_business(as_owner, settings):
    settings.RATE_LIMITS = {}
    with pytest.raises(KeyError):
        as_owner.get("/w/acme/flood/")
