"""Why isn't it working? What a person does about it, step by step, with and without JavaScript.
Every bullet of the lists stands in ``test_troubleshooting.py``.
"""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from interactions.models import RefusedWebhook
from numbers.models import DiagnosisReport, Number
from numbers.purchase import purchase_number
from tests.browser.audit import audit
from workspaces.models import Membership
from workspaces.permissions import Role

ELSEWHERE = "https://elsewhere.example.com/voice"
HELP = "/w/acme/numbers/help/"
both = pytest.mark.parametrize("js", [True, False], ids=["with JavaScript", "without"])


@pytest.fixture
def number(connected) -> Number:
    Number.objects.filter(pk=connected.pk).update(last_used_at=timezone.now())
    connected.refresh_from_db()
    return connected


def why(number: Number) -> str:
    return f"/w/acme/numbers/{number.public_id}/why/"


def line(page: Page, cause: str) -> Locator:
    return page.locator(f"#line-{cause}")


def in_order(page: Page, cause: str) -> None:
    expect(line(page, cause).get_by_role("img", name="In order")).to_be_visible()


def in_the_way(page: Page, cause: str, words: str) -> Locator:
    found = line(page, cause)
    expect(found.get_by_role("img", name="This is in the way")).to_be_visible()
    expect(found).to_contain_text(words)
    expect(found.get_by_role("button", name="Get a reference for support")).to_be_visible()
    return found


def at_carrier(simulator, number: Number, **fields: object) -> None:
    simulator.app.state.update(simulator.account, number.provider_sid, fields)


# --- Calls or messages do not reach the app -------------------------------------------------


@both
def test_webhook_configuration(browse, owner, number, simulator, js):
    at_carrier(simulator, number, voice_url="")
    page = browse(owner, number.get_absolute_url(), java_script_enabled=js)
    page.get_by_role("link", name="Why isn’t it working?").first.click()
    found = in_the_way(page, "webhook_there", "The carrier sends some of it nowhere.")
    if js:
        audit(page)
    found.get_by_role("button", name="Compare and set right").click()
    expect(page.get_by_text("is the same here and at the carrier")).to_be_visible()
    expect(page.get_by_text("Set right at the carrier").first).to_be_visible()
    if js:
        audit(page)
    page.goto(why(number))
    in_order(page, "webhook_there")
    in_order(page, "webhook_here")


@both
def test_an_address_that_somebody_meant_is_asked_about(browse, owner, number, simulator, js):
    at_carrier(simulator, number, voice_url=ELSEWHERE)
    page = browse(owner, why(number), java_script_enabled=js)
    in_the_way(page, "webhook_there", ELSEWHERE).get_by_role(
        "button", name="Compare and set right"
    ).click()
    expect(page.get_by_role("button", name="Leave it: it is meant")).to_be_visible()
    if js:
        audit(page)
    page.goto("/w/acme/numbers/?problem=broken")
    expect(page.get_by_role("link", name=number.e164, exact=True)).to_be_visible()
    page.goto(f"{number.get_absolute_url()}checks/")
    page.get_by_role("button", name="Send them here again").click()
    expect(page.get_by_text("is set right.")).to_be_visible()
    assert simulator.owned()[0]["voice_url"] != ELSEWHERE


def test_active_workspace(browse, owner, number):
    page = browse(owner, why(number))
    in_order(page, "workspace")
    expect(line(page, "workspace")).to_contain_text("The number belongs to Acme")
    line(page, "workspace").get_by_role("link", name="Open its inbox").click()
    expect(page).to_have_url(re.compile(rf"/w/acme/inbox/\?number={number.public_id}"))


@both
def test_somebody_answers(browse, owner, number, js):
    page = browse(owner, why(number), java_script_enabled=js)
    found = in_the_way(page, "answered", "callers reach voicemail")
    found.get_by_role("link", name="Decide who answers").click()
    expect(page).to_have_url(re.compile(r"/route/$"))


@both
def test_number_status(browse, owner, number, js):
    Number.objects.update(deactivated_at=timezone.now())
    page = browse(owner, why(number), java_script_enabled=js)
    found = in_the_way(page, "status", "somebody switched it off")
    found.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("is switched on.")).to_be_visible()
    page.goto(why(number))
    in_order(page, "status")


def test_provider_status(browse, owner, number, simulator):
    at_carrier(simulator, number, status="pending")
    page = browse(owner, why(number))
    in_the_way(page, "at_carrier", "The carrier says: pending.")
    simulator.fault("unavailable", times=-1)
    page.reload()
    expect(line(page, "at_carrier")).to_contain_text("does not answer at the moment")
    audit(page)
    simulator.app.faults.clear()
    simulator.app.state.release(simulator.account, number.provider_sid)
    line(page, "at_carrier").get_by_role("link", name="Check again").click()
    in_the_way(page, "at_carrier", "does not have the number in the account")


def test_the_number_can_be_tested(browse, owner, number):
    page = browse(owner, why(number))
    expect(line(page, "last_signed")).to_contain_text("No call or message has reached this site")
    line(page, "test").get_by_role("link", name="Test it").click()
    expect(page).to_have_url(re.compile(r"/test/$"))


def test_a_wrong_signature(browse, owner, number):
    now = timezone.now()
    RefusedWebhook.objects.create(
        hour=now.replace(minute=0, second=0, microsecond=0), path="/webhooks/twilio/voice/",
        because="forged", count=3, last_at=now, last_called=number.e164,
    )  # fmt: skip
    page = browse(owner, why(number))
    in_the_way(page, "last_forged", "TWILIO_AUTH_TOKEN or PUBLIC_BASE_URL is wrong")


def test_who_may_only_look_is_told_whom_to_ask(browse, owner, viewer, number):
    Number.objects.update(deactivated_at=timezone.now())
    page = browse(viewer, why(number))
    in_the_way(page, "permission", "Olivia can grant it.")
    in_the_way(page, "status", "Ask Olivia")
    expect(page.get_by_role("button", name="Switch it on")).to_have_count(0)
    audit(page)


# --- Purchased number not appearing in list -------------------------------------------------


@both
def test_a_missing_number_is_in_another_workspace(browse, owner, globex, make_number, js):
    Membership.objects.create(workspace=globex, user=owner, role=Role.ADMIN)
    make_number(globex, "+13105550199")
    page = browse(owner, "/w/acme/numbers/?q=3105550199", java_script_enabled=js)
    page.get_by_role("link", name="Why is a number missing?").click()
    found = in_the_way(page, "list_workspace", "is in Globex, and this is Acme.")
    if js:
        audit(page)
    found.get_by_role("link", name="Open it there").click()
    expect(page).to_have_url(re.compile(r"/w/globex/numbers/"))


def test_reload_and_search_are_offered(browse, owner, number):
    page = browse(owner, HELP)
    line(page, "refresh").get_by_role("link", name="Reload the list").click()
    expect(page.get_by_role("link", name=number.e164, exact=True)).to_be_visible()
    page.goto(why(number))
    line(page, "search").get_by_role("link", name="Find it").click()
    expect(page.get_by_role("link", name=number.e164, exact=True)).to_be_visible()


def test_a_purchase_that_is_still_checked(browse, owner, acme, quote, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    page = browse(owner, HELP)
    found = in_the_way(page, "order", "the carrier has still to confirm it")
    audit(page)
    found.get_by_role("link", name="See the order").click()
    expect(page).to_have_url(re.compile(order.reference))


@both
def test_support_gets_a_reference(browse, owner, number, js):
    Number.objects.update(deactivated_at=timezone.now())
    page = browse(owner, why(number), java_script_enabled=js)
    line(page, "status").get_by_role("button", name="Get a reference for support").click()
    report = DiagnosisReport.objects.get()
    expect(page.get_by_role("heading", name=f"Report {report.reference}")).to_be_visible()
    expect(line(page, "status")).to_contain_text(f"{report.reference}-")
    if js:
        audit(page)


# --- The help --------------------------------------------------------------------------------


@both
def test_help_is_in_the_menu_and_finds_a_number_in_any_form(browse, owner, number, js):
    page = browse(owner, HELP, java_script_enabled=js)
    page.get_by_label("Number or name, or a part of it").fill("(212) 555-0123")
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("link", name=number.international).click()
    expect(page.get_by_role("heading", name="Why isn’t it working?")).to_be_visible()
    if js:
        audit(page)


@both
def test_help_offers_the_numbers_with_a_problem_first(browse, owner, number, make_number, js):
    gone = make_number(number.workspace, "+12125550150", vanished_at=timezone.now())
    page = browse(owner, HELP, java_script_enabled=js)
    offered = page.get_by_role("region", name="Check which one?").get_by_role("listitem")
    expect(offered).to_contain_text([gone.international, number.international])
    expect(offered.first).to_contain_text("Broken Not at the carrier")
    in_the_way(page, "inbound_number", "1 number has a problem that is known.")
    if js:
        audit(page)
    offered.first.get_by_role("link").click()
    in_the_way(page, "status", "the carrier does not have it any more")


@both
def test_help_for_a_number_that_is_not_here_says_what_to_do(browse, owner, number, js):
    page = browse(owner, HELP, java_script_enabled=js)
    page.get_by_label("Number or name, or a part of it").fill("+1 310 555 0199")
    page.get_by_role("button", name="Check it").click()
    found = in_the_way(page, "inbound_number", "+1 310 555 0199 is no number of Acme")
    if js:
        audit(page)
    found.get_by_role("link", name="Choose from the numbers").click()
    page.get_by_role("link", name=number.international).click()
    expect(page.get_by_role("heading", name="Why isn’t it working?")).to_be_visible()
