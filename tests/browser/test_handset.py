"""The made-up phone of the simulated carrier, from which calls and texts are played to the
numbers, and what staff see of those that arrived for nobody; with and without JavaScript.
"""

import re
import threading

import pytest
from playwright.sync_api import Locator, Page, expect

from interactions.models import ArrivedForNobody, Call, Message, Voicemail
from interactions.plans import Answer, Answers, VoicePlan
from interactions.tests.conftest import (  # noqa: F401  fixtures
    CALLER,
    make_number,
    number,
    set_route,
)
from numbers.models import Number
from telephony.simulator.server import Handler, Server
from tests.browser.audit import audit
from tests.browser.test_inbound import both, seed, seeded  # noqa: F401  fixtures

OTHER = "+16465550177"
PHONE = "+13105550101"


@pytest.fixture
def carrier(simulator, settings):
    """The simulator's own pages over a socket; what happens there happens when a test runs it."""
    server = Server(("127.0.0.1", 0), Handler)
    server.set_app(simulator.app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def open_handset(browse, carrier):
    def open_page(js: bool = True, query: str = "") -> Page:
        return browse(path=f"{carrier}/handset{query}", java_script_enabled=js)

    return open_page


def calls(page: Page) -> Locator:
    return page.locator("#calls")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def call(page: Page, number: Number) -> None:  # noqa: F811
    page.get_by_label("Number to call").select_option(number.e164)
    press(page, "Call")
    expect(page.get_by_role("heading", name=f"Call from {CALLER}")).to_be_visible()


@both
def test_a_caller_speaks_to_the_voicemail(browse, owner, open_handset, seeded, simulator, js):  # noqa: F811
    page = open_handset(js)
    call(page, seeded)
    simulator.run(seconds=2)
    expect(calls(page)).to_contain_text("Says: Thank you for calling.")
    expect(calls(page)).to_contain_text("Beep")
    if js:
        audit(page)
    press(page, "Speak for 5 seconds")
    simulator.run(seconds=6)
    press(page, "Finish with #")
    simulator.run()
    expect(calls(page)).to_contain_text("Ended: completed")
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    expect(page.locator("#webhooks")).to_contain_text("RecordingDuration 5")
    assert (Call.objects.get().outcome, Voicemail.objects.get().seconds) == ("voicemail", 5)
    inbox = browse(owner, "/w/acme/inbox/")
    expect(inbox.locator("#conversations")).to_contain_text("Voicemail")


@both
def test_a_phone_is_called_takes_the_call_and_hangs_up(
    open_handset, owner, seeded, simulator, js  # noqa: F811
):  # fmt: skip
    plan = VoicePlan(Answer(Answers.FORWARD, phones=(PHONE,), whisper=True))
    set_route(seeded, owner, plan.write(), minute_price="0.0270")
    page = open_handset(js)
    call(page, seeded)
    simulator.run(seconds=1)
    expect(page.get_by_role("heading", name=f"Call to {PHONE}")).to_be_visible()
    press(page, "Answer")
    simulator.run(seconds=1)
    expect(calls(page)).to_contain_text("Says: A call for Acme")
    press(page, "1")
    simulator.run(seconds=1)
    expect(calls(page)).to_contain_text(f"Connected to {PHONE}")
    page.get_by_role("article").filter(has_text=f"Call to {PHONE}").get_by_role(
        "button", name="Hang up"
    ).click()
    simulator.run()
    expect(calls(page)).to_contain_text(f"{PHONE} hung up")
    expect(page.get_by_label("Number to call")).to_have_value(seeded.e164)
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    if js:
        audit(page)
    stored = Call.objects.get()
    assert (stored.outcome, stored.answered_by) == ("answered", PHONE)


@both
def test_texts_go_both_ways(browse, owner, open_handset, seeded, simulator, js):  # noqa: F811
    page = open_handset(js)
    page.get_by_label("Number to text").select_option(seeded.e164)
    page.get_by_label("Text", exact=True).fill("Are you open <today>?")
    page.get_by_label("with a picture").check()
    press(page, "Send text")
    simulator.run()
    expect(page.locator("#messages")).to_contain_text(
        "I: Are you open <today>? (with a picture) received"
    )
    message = Message.objects.get()
    assert (message.body, message.pictures) == ("Are you open <today>?", 1)
    desk = browse(owner, message.conversation.get_absolute_url())
    desk.get_by_label("Reply").fill("Until six.")
    press(desk, "Send")
    expect(desk.locator(".entry.message.out")).to_contain_text("Until six.")
    simulator.run()
    if not js:
        page.reload()
    expect(page.locator("#messages")).to_contain_text(f"{seeded.e164}: Until six. delivered")


@both
def test_the_number_and_the_phone_stay_the_same(open_handset, acme, seeded, simulator, js):  # noqa: F811
    seed(simulator, make_number(acme, OTHER))  # the newest, so the first to choose
    page = open_handset(js, f"?to=%2B{seeded.e164[1:]}")  # the link of its test
    expect(page.get_by_label("Number to call")).to_have_value(seeded.e164)
    page.get_by_label("My phone number").fill("(415) 555-0188")
    press(page, "Use this phone")
    expect(page.get_by_label("My phone number")).to_have_value("+14155550188")
    page.get_by_label("Number to call").select_option(seeded.e164)
    press(page, "Call")
    expect(page.get_by_role("heading", name="Call from +14155550188")).to_be_visible()
    press(page, "Hang up")
    simulator.run()
    expect(page.get_by_label("Number to call")).to_have_value(seeded.e164)
    expect(page.get_by_label("Number to text")).to_have_value(seeded.e164)
    page.get_by_label("My phone number").fill("12")
    press(page, "Use this phone")
    expect(page.get_by_role("alert")).to_contain_text("“12” is no phone number.")
    expect(page.get_by_label("My phone number")).to_have_value(CALLER)


def test_what_is_typed_during_a_call_stays(open_handset, seeded, simulator):  # noqa: F811
    page = open_handset()
    call(page, seeded)
    body = page.get_by_label("Text", exact=True)
    body.fill("half a sen")
    simulator.run(seconds=2)
    expect(calls(page)).to_contain_text("Beep")  # it was shown meanwhile
    expect(body).to_have_value("half a sen")
    expect(body).to_be_focused()
    page.get_by_role("button", name="Hang up").focus()
    [live] = simulator.app.exchange.calls.values()
    live.note("Another line")
    expect(calls(page)).to_contain_text("Another line")
    expect(page.get_by_role("button", name="Hang up")).to_be_focused()


# --- What arrived for nobody --------------------------------------------------------------


@both
def test_staff_find_what_arrived_for_nobody_and_what_to_do(
    browse, staff, open_handset, acme, seeded, simulator, js  # noqa: F811
):  # fmt: skip
    unknown = make_number(acme, OTHER)
    seed(simulator, unknown)
    Number.objects.filter(pk=unknown.pk).delete()  # only the carrier has it
    seeded.deactivated_at = seeded.created_at
    seeded.save(update_fields=["deactivated_at"])
    page = open_handset(js)
    call(page, seeded)
    simulator.run()
    expect(calls(page)).to_contain_text("Rejected")
    page.get_by_label("Number to text").select_option(OTHER)
    page.get_by_label("Text", exact=True).fill("Who are you?")
    press(page, "Send text")
    simulator.run()
    assert ArrivedForNobody.objects.count() == 2

    page = browse(staff, "/admin/", java_script_enabled=js)
    page.get_by_role("link", name="Arrived for nobody").first.click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(OTHER)  # the newest
    expect(rows.first).to_contain_text("nobody’s")
    expect(rows.first).to_contain_text("No workspace has this number")
    expect(rows.last).to_contain_text("Acme")
    expect(page.locator("body")).not_to_contain_text("Who are you?")
    expect(page.get_by_role("link", name=re.compile("Add arrived"))).to_have_count(0)
    page.locator("#searchbar").fill("acme")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("link").first.click()
    expect(page.locator("#content")).to_contain_text("A member of the workspace switches it on")
    expect(page.get_by_role("button", name=re.compile("Save|Delete"))).to_have_count(0)

    page.goto("/admin/find/")
    page.get_by_label("Number, order reference, SID").fill(OTHER)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=f"{OTHER}: No workspace has this number").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Messages")
