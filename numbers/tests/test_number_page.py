"""One number's page: what it tells, and what it offers to whom."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers import changes
from numbers.usages import Usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(acme, make_number):
    return make_number(acme, "+12125550123", friendly_name="Front desk", notes="On the flyer")


@pytest.fixture
def url(number):
    return f"/w/acme/numbers/{number.public_id}/"


def used_in_a_campaign(workspace, numbers):
    """What an app above would register: see ``settings.NUMBER_USAGES``."""
    return [
        Usage(n.pk, "Assistant", "Night desk", "/w/acme/assistants/1/", answers=True,
              breaks="Nobody answers calls.")
        for n in numbers
    ] + [Usage(n.pk, "Campaign", "Spring") for n in numbers]  # fmt: skip


def told_of_traffic(number):
    return ["12 calls and 3 messages in the last 30 days"]


@pytest.fixture
def in_use(settings):
    settings.NUMBER_USAGES = [f"{__name__}.used_in_a_campaign"]
    settings.NUMBER_TRAFFIC = [f"{__name__}.told_of_traffic"]


def test_it_tells_all_about_the_number(as_owner, url):
    page = as_owner.get(url).content.decode()
    for words in ("+1 212-555-0123", "+12125550123", "(212) 555-0123", "Front desk", "Active",
                  "On the flyer", "New York, NY, United States", "$1.38", "Nothing is decided yet",
                  "never", "Test before you publish it"):  # fmt: skip
        assert words in page


def test_it_tells_who_answers_and_where_it_is_used(as_owner, url, in_use):
    page = as_owner.get(url).content.decode()
    assert "Campaign: <span>Spring</span>" in page
    as_owner.post("/w/acme/numbers/columns/", {"columns": ["answers"]})
    assert "Night desk" in as_owner.get("/w/acme/numbers/").content.decode()


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("deactivated_at", "Switched off"),
        ("suspended_at", "Its monthly fee is overdue"),
        ("outbound_stopped_at", "It still receives"),
        ("vanished_at", "The carrier does not have this number any more"),
        ("released_at", "Given back on"),
        ("parked_at", "Undo the release"),
        ("release_at", "Will be released on"),
    ],
)
def test_each_state_is_explained_with_what_can_be_done(as_owner, number, url, fact, words):
    setattr(number, fact, timezone.now())
    number.save(update_fields=[fact])
    assert words in as_owner.get(url).content.decode()


def test_history_shows_who_did_what(as_owner, owner, number, url):
    changes.rename(number=number, by=owner, name="Sales")
    headers = {"HX-Request": "true", "HX-Target": "number-history"}
    address = f"/w/acme/activity/?about={number.public_id}"
    assert address in as_owner.get(url).content.decode()
    page = as_owner.get(address, headers=headers).content.decode()
    assert page.lstrip().startswith('<section id="number-history"')
    assert "Called “Sales”" in page
    assert "Olivia" in page


def test_a_member_without_the_permission_sees_no_history(as_viewer, owner, number, url):
    changes.rename(number=number, by=owner, name="Sales")
    page = as_viewer.get(url).content.decode()
    assert ">History<" not in page
    assert "/edit/" not in page
    assert "/release/" not in page


def test_another_workspace_s_number_is_not_here(as_outsider, as_owner, globex, url, make_number):
    other = make_number(globex, "+13125550777")
    assert as_outsider.get(url).status_code == 404
    assert as_owner.get(f"/w/acme/numbers/{other.public_id}/").status_code == 404
    for page in ("costs/", "provider/", "edit/", "deactivate/", "release/"):
        assert as_owner.get(f"/w/acme/numbers/{other.public_id}/{page}").status_code == 404
        assert as_outsider.get(url + page).status_code == 404


def test_the_page_asks_few_questions(as_owner, owner, number, url, in_use):
    changes.rename(number=number, by=owner, name="Sales")
    as_owner.get(url)
    with CaptureQueriesContext(connection) as queries:
        as_owner.get(url)
    assert len(queries) <= 8, [query["sql"][:120] for query in queries]


def test_costs_are_told_by_month_as_chart_and_table(as_owner, acme, owner, quote, simulator):
    from numbers.purchase import purchase_number

    number = purchase_number(workspace=acme, by=owner, quote=quote).lines.get().number
    page = as_owner.get(f"/w/acme/numbers/{number.public_id}/costs/").content.decode()
    assert "<rect" in page
    assert "style=" not in page
    assert f"{timezone.now():%b %Y}" in page
    assert page.count("$1.38") >= 3
    assert "First month" in page


def test_a_number_without_costs_says_so(as_owner, url):
    assert "Nothing was charged for it" in as_owner.get(f"{url}costs/").content.decode()


def test_costs_need_the_permission_to_see_the_wallet(as_viewer, url):
    assert as_viewer.get(f"{url}costs/").status_code == 403


def test_htmx_gets_the_costs_alone(as_owner, url):
    headers = {"HX-Request": "true", "HX-Target": "costs"}
    page = as_owner.get(f"{url}costs/", headers=headers).content.decode()
    assert page.lstrip().startswith('<section id="costs"')


def test_the_carrier_is_asked_only_on_demand(as_owner, owned, simulator):
    url = f"/w/acme/numbers/{owned.public_id}/"
    as_owner.get(url)
    assert simulator.requests == []
    page = as_owner.get(f"{url}provider/").content.decode()
    assert owned.provider_sid in page
    assert "in-use" in page
    assert "go elsewhere" in page  # it was never pointed at us


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("server_error", "The carrier does not answer"),
        ("slow", "The carrier does not answer"),
        ("unauthorized", "Numbers cannot be bought at the moment"),
    ],
)
def test_a_carrier_that_does_not_answer_is_told_honestly(as_owner, owned, simulator, fault, words):
    simulator.fault(fault, path_contains="IncomingPhoneNumbers")
    response = as_owner.get(f"/w/acme/numbers/{owned.public_id}/provider/")
    assert words in response.content.decode()
    assert response.status_code == 503


def test_a_number_that_the_carrier_does_not_have_is_told(as_owner, url, simulator):
    page = as_owner.get(f"{url}provider/").content.decode()
    assert "The carrier does not have this number" in page


def test_last_use_is_told_in_days(as_owner, number, url):
    number.last_used_at = timezone.now() - timedelta(days=12)
    number.save(update_fields=["last_used_at"])
    as_owner.post("/w/acme/numbers/columns/", {"columns": ["used"]})
    assert "12 days ago" in as_owner.get("/w/acme/numbers/").content.decode()
