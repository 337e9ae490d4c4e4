"""Calls and messages coming in, as people use them: who answers a number, the inbox, the
reply, the test of a number, the rates; with and without JavaScript.
"""

import re
import threading
from decimal import Decimal

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from interactions import usage_charges
from interactions.models import Call, Conversation, Message
from interactions.rates import refresh_rates
from interactions.routing import plans_of
from interactions.tests.conftest import (  # noqa: F401  fixtures
    CALLER,
    Provider,
    make_number,
    number,
    other_number,
    provider,
)
from numbers.models import Number
from telephony import conversations as carrier
from telephony.simulator.sound import picture as a_picture
from telephony.webhook_urls import webhooks_for_numbers
from tests.browser.audit import audit
from tests.browser.steps import announced, still, tab_to
from wallet import ledger
from wallet.models import Wallet

INBOX = "/w/acme/inbox/"
PHONE, OTHER_PHONE = "+1 310-555-0101", "+1 310-555-0102"
both = pytest.mark.parametrize("js", [True, False], ids=["with JavaScript", "without"])


@pytest.fixture
def seeded(simulator, number):  # noqa: F811
    return seed(simulator, number)


def seed(simulator, number: Number, **fields) -> Number:  # noqa: F811
    """The carrier has it, with its webhooks set as a purchase sets them."""
    webhooks = webhooks_for_numbers(["sms", "voice"])
    values = {
        "type": "local", "voice_url": webhooks.voice_url,
        "voice_fallback_url": webhooks.voice_fallback_url,
        "status_callback": webhooks.voice_status_url, "sms_url": webhooks.message_url,
        "sms_fallback_url": webhooks.message_fallback_url,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
    }  # fmt: skip
    number.provider_sid = simulator.seed(number.e164, **values | fields)
    number.save(update_fields=["provider_sid"])
    return number


# --- Who answers a number -----------------------------------------------------------------


def route_of(number: Number) -> str:  # noqa: F811
    return f"/w/acme/numbers/{number.public_id}/route/"


def summary(page: Page) -> Locator:
    return page.get_by_role("region", name="Who answers")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save for calls").click()


@both
def test_calls_are_forwarded_in_turn(browse, owner, seeded, js):
    page = browse(owner, route_of(seeded), java_script_enabled=js)
    expect(summary(page)).to_contain_text("Nothing is decided yet, so callers reach voicemail.")
    page.get_by_label("Forward to phones").check()
    page.get_by_label("Phones to ring").fill(f"{PHONE}\n{OTHER_PHONE}")
    page.get_by_label("They ring").select_option(label="One after the other")
    page.get_by_label("For how many seconds").fill("15")
    page.get_by_label("The phone shows").select_option(label="This number")
    page.get_by_label("Say what the call is before connecting").check()
    save(page)
    expect(page.get_by_text("Saved. The next call is answered this way.")).to_be_visible()
    expect(summary(page)).to_contain_text(
        f"Calls ring {PHONE} and {OTHER_PHONE} one after the other, for 15 seconds each, "
        "showing this number. Whoever picks up hears what the call is"
    )
    expect(page.get_by_label("Forward to phones")).to_be_checked()
    answer = plans_of(seeded)["voice"]["answer"]
    assert answer["phones"] == ["+13105550101", "+13105550102"]
    if js:
        audit(page)


@both
def test_only_what_the_chosen_answer_needs_is_asked(browse, owner, seeded, js):
    """By style alone, so it is the same without JavaScript."""
    page = browse(owner, route_of(seeded), java_script_enabled=js)
    expect(page.get_by_label("Voicemail greeting")).to_be_visible()
    expect(page.get_by_label("Phones to ring")).to_be_hidden()
    page.get_by_label("Say something and hang up").check()
    expect(page.get_by_label("What is said before hanging up")).to_be_visible()
    expect(page.get_by_label("Voicemail greeting")).to_be_hidden()
    page.get_by_label("Forward to phones").check()
    expect(page.get_by_label("Phones to ring")).to_be_visible()
    expect(page.get_by_label("Monday")).to_be_hidden()


@both
def test_voicemail_during_business_hours(browse, owner, seeded, js):
    page = browse(owner, route_of(seeded), java_script_enabled=js)
    page.get_by_label("Take a voicemail").check()
    page.get_by_label("Voicemail greeting").fill("This is Acme. Speak after the tone.")
    page.get_by_label("Write voicemails down").check()
    page.get_by_label("Only during business hours (America/New_York)").check()
    page.get_by_label("Monday").fill("9 to five")
    page.get_by_label("Holidays").fill("2026-12-25")
    page.get_by_label("What the caller hears then").fill("We are closed.")
    save(page)
    expect(page.get_by_text("9 to five is not understood. Write hours as")).to_be_visible()
    expect(page.get_by_label("Holidays")).to_have_value("2026-12-25")
    if js:
        audit(page)
    page.get_by_label("Monday").fill("09:00-12:00, 13:00-18:00")
    save(page)
    expect(page.get_by_text("Saved. The next call is answered this way.")).to_be_visible()
    expect(summary(page)).to_contain_text("09:00–12:00 and 13:00–18:00")
    expect(summary(page)).to_contain_text("closed on 1 holiday")
    expect(summary(page)).to_contain_text("This is Acme. Speak after the tone.")
    expect(summary(page)).to_contain_text("When closed: the caller hears")
    if js:
        audit(page)


@both
@pytest.mark.parametrize(
    ("phone", "title", "sentence"),
    [
        ("+12125550123", "That would go in a circle", "is a number of this workspace"),
        ("+53 7 831 4000", "That would be too expensive", "costs $1.14"),
        ("911", "Calls cannot be forwarded there", "is an emergency or service number"),
    ],
    ids=["own", "expensive", "emergency"],
)
def test_where_calls_may_not_go_the_page_says_why(
    browse, owner, seeded, phone, title, sentence, js
):
    page = browse(owner, route_of(seeded), java_script_enabled=js)
    page.get_by_label("Forward to phones").check()
    page.get_by_label("Phones to ring").fill(phone)
    save(page)
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading", name=title)).to_be_visible()
    expect(alert).to_contain_text(sentence)
    expect(alert).to_contain_text("The route stays as it was.")
    expect(page.get_by_label("Phones to ring")).to_have_value(phone)
    assert plans_of(seeded) == {}
    if js:
        audit(page)


@both
def test_messages_are_mailed_and_answered(browse, owner, seeded, js):
    page = browse(owner, route_of(seeded), java_script_enabled=js)
    page.get_by_label("Olivia").check()
    page.get_by_label("Automatic reply").fill("Thank you, we read this tomorrow.")
    page.get_by_role("button", name="Save for messages").click()
    expect(page.get_by_text("Saved. The next message is dealt with this way.")).to_be_visible()
    expect(summary(page)).to_contain_text("They are mailed to Olivia.")
    expect(summary(page)).to_contain_text("Thank you, we read this tomorrow.")
    plan = {"mail_to": [owner.pk], "reply": "Thank you, we read this tomorrow."}
    assert plans_of(seeded)["message"] == plan
    expect(page.get_by_label("Olivia")).to_be_checked()
    page.get_by_label("Olivia").uncheck()
    page.get_by_label("Automatic reply").fill("")
    page.get_by_role("button", name="Save for messages").click()
    expect(summary(page)).not_to_contain_text("They are mailed")
    assert plans_of(seeded)["message"] == {"mail_to": [], "reply": ""}
    if js:
        audit(page)


# --- The inbox ----------------------------------------------------------------------------


@pytest.fixture
def talks(seeded, simulator):
    """A contact who wrote twice, one who left a voicemail and one who sent a picture."""
    simulator.text(sender=CALLER, recipient=seeded.e164, body="Hello, are you open on Friday?")
    simulator.run()
    simulator.text(sender=CALLER, recipient=seeded.e164, body="And until when?")
    simulator.text(sender="+14155550177", recipient=seeded.e164, body="My receipt", pictures=1)
    simulator.call(caller="+14155550188", called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    usage_charges.settle_due()
    return seeded


def conversations(page: Page) -> Locator:
    return page.locator("#conversations li")


@both
def test_inbox_is_searched_and_shows_what_is_unread(browse, owner, talks, js):
    page = browse(owner, INBOX, java_script_enabled=js)
    expect(conversations(page)).to_have_count(3)
    expect(conversations(page).filter(has_text="415-555-0123")).to_contain_text("2 unread")
    if js:
        audit(page)
    find = page.get_by_label("Find by number or words")
    for words, fits in (("receipt", "555-0177"), ("(415) 555-0188", "555-0188")):
        find.fill(words)
        page.get_by_role("button", name="Find").click()
        expect(conversations(page)).to_have_count(1)
        expect(conversations(page)).to_contain_text(fits)
    find.fill("nobody wrote this")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    if js:
        audit(page)
    page.get_by_role("link", name="Show all conversations").click()
    expect(conversations(page)).to_have_count(3)


@both
def test_a_conversation_is_read_and_not_unread_any_more(browse, owner, talks, js):
    page = browse(owner, INBOX, java_script_enabled=js)
    page.get_by_role("link", name=re.compile("415-555-0123")).click()
    expect(page.get_by_role("heading", name="+1 415-555-0123")).to_be_visible()
    entries = page.locator(".entries > li")
    expect(entries).to_have_count(2)
    expect(entries.last).to_contain_text("And until when?")
    expect(entries.last).to_contain_text("$0.01")
    mark = page.get_by_role("button", name="Mark as read")
    if not js:
        mark.click()
    expect(mark).to_have_count(0)
    page.goto(f"{INBOX}?only=unread")
    expect(conversations(page)).to_have_count(2)
    expect(page.get_by_role("link", name=re.compile("415-555-0123"))).to_have_count(0)


SECONDS = """audio => new Promise(done => {
    audio.onloadedmetadata = () => done(audio.duration);
    audio.load();
})"""


def test_pictures_and_voicemails_are_there(browse, owner, talks):
    page = browse(owner, INBOX)
    page.get_by_role("link", name=re.compile("415-555-0177")).click()
    picture = page.get_by_role("img", name="Picture of this message")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    audit(page)
    page.goto(INBOX)
    page.get_by_role("link", name=re.compile("415-555-0188")).click()
    expect(page.locator(".entry.call")).to_contain_text("voicemail")
    assert page.locator("audio").evaluate(SECONDS) > 6
    audit(page)


def reply_box(page: Page) -> Locator:
    return page.get_by_label("Reply from +1 212-555-0123")


def open_talk(page: Page) -> None:
    page.goto(f"{INBOX}{Conversation.objects.get(contact=CALLER).public_id}/")


def test_a_reply_shows_its_segments_and_price_while_it_is_typed(browse, owner, talks, simulator):
    page = browse(owner)
    open_talk(page)
    cost = page.locator("#reply-cost")
    expect(cost).to_contain_text("$0.01 a segment of 160 characters.")
    reply_box(page).press_sequentially("Until five")
    expect(cost).to_contain_text("10 characters, 1 segment: $0.01.")
    reply_box(page).fill("a" * 161)
    expect(cost).to_contain_text("161 characters, 2 segments: $0.02.")
    reply_box(page).fill("a" * 71 + "😀")
    expect(cost).to_contain_text("73 characters, 2 segments: $0.02.")
    expect(cost).to_contain_text("😀 makes segments shorter (70 instead of 160).")
    audit(page)
    reply_box(page).fill("Until five.")
    expect(cost).to_contain_text("11 characters, 1 segment")
    page.get_by_role("button", name="Send").click()
    sent = page.locator(".entry.message.out")
    expect(sent).to_contain_text("Until five.")
    expect(sent).to_contain_text("Olivia")
    expect(reply_box(page)).to_have_value("")
    simulator.run()
    page.reload()
    expect(sent).to_contain_text("Delivered")
    audit(page)


def test_a_reply_is_sent_without_javascript_and_its_price_is_said_before(
    browse, owner, talks, simulator
):
    page = browse(owner, java_script_enabled=False)
    open_talk(page)
    expect(page.locator("#reply-cost")).to_contain_text("$0.01 a segment of 160 characters.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Write a text or choose a picture.")
    reply_box(page).fill("Until five.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".entry.message.out")).to_contain_text("Until five.")
    assert Message.objects.filter(direction="out").count() == 1


@both
def test_a_reply_with_a_picture_is_sent_as_one(browse, owner, acme, talks, simulator, js):
    page = browse(owner, java_script_enabled=js)
    open_talk(page)
    expect(page.locator("#reply-cost")).to_contain_text("$0.0264")  # with a picture, any text
    picture = page.get_by_label("Picture")
    picture.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"no picture"})
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a JPEG, PNG, GIF or WebP picture")
    reply_box(page).fill("Our menu")
    picture.set_input_files({"name": "menu.png", "mimeType": "image/png", "buffer": a_picture()})
    page.get_by_role("button", name="Send").click()
    sent = page.locator(".entry.message.out")
    expect(sent).to_contain_text("Our menu")
    shown = sent.get_by_role("img", name="Picture of this message")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    simulator.run()
    page.reload()
    expect(sent).to_contain_text("Delivered")
    if js:
        audit(page)
    message = Message.objects.get(direction="out")
    assert (message.pictures, message.media.get().content_type) == (1, "image/png")
    at_carrier = carrier.fetch_message(sid=message.sid)
    assert (at_carrier.media, at_carrier.body) == (1, "Our menu")


def test_a_reply_is_typed_and_sent_with_keys_alone(browse, owner, talks):
    page = browse(owner)
    open_talk(page)
    tab_to(page, reply_box(page))
    page.keyboard.type("By keys")
    tab_to(page, page.get_by_role("button", name="Send"))
    page.keyboard.press("Enter")
    expect(page.locator(".entry.message.out")).to_contain_text("By keys")


@both
def test_who_opted_out_cannot_be_answered_and_the_page_says_why(
    browse, owner, talks, simulator, js
):
    page = browse(owner, java_script_enabled=js)
    open_talk(page)
    reply_box(page).fill("One more thing")  # typed before the contact writes STOP
    simulator.text(sender=CALLER, recipient=talks.e164, body="STOP")
    simulator.run()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("'STOP'")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent and nothing was charged.")
    assert not Message.objects.filter(direction="out", body="One more thing").exists()
    open_talk(page)
    expect(page.get_by_text("Opted out", exact=True)).to_be_visible()
    expect(page.get_by_text("This contact has opted out with STOP.")).to_be_visible()
    expect(reply_box(page)).to_have_count(0)
    if js:
        audit(page)
    simulator.text(sender=CALLER, recipient=talks.e164, body="START")
    simulator.run()
    page.reload()
    expect(reply_box(page)).to_be_visible()


def test_an_empty_inbox_says_what_will_be_here(browse, owner, seeded):
    page = browse(owner, INBOX)
    expect(page.get_by_role("heading", name="Nothing has arrived yet")).to_be_visible()
    audit(page)


# --- Two workspaces at once ---------------------------------------------------------------


def test_two_workspaces_called_at_once_see_each_only_its_own(
    browse, owner, outsider, live_server, provider, number, other_number, settings  # noqa: F811
):  # fmt: skip
    """Calls and texts over sockets and in threads, to both numbers from the same phone."""
    settings.PUBLIC_BASE_URL = live_server.url
    errors = []

    def bring(called: Number, words: str, start: threading.Barrier) -> None:
        sender = Provider()
        sender.client = Wire(requests.Session(), live_server.url)
        start.wait()
        for n in range(5):
            for _sid, answer in (
                sender.call(called.e164),
                sender.text(called.e164, f"{words} {n}"),
            ):
                if answer.status_code != 200:
                    errors.append(answer.status_code)

    start = threading.Barrier(2)
    threads = [
        threading.Thread(target=bring, args=(called, words, start))
        for called, words in ((number, "for Acme"), (other_number, "for Globex"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (Call.objects.count(), Message.objects.count()) == (10, 10)
    for person, slug, own, others in (
        (owner, "acme", "for Acme", "for Globex"),
        (outsider, "globex", "for Globex", "for Acme"),
    ):
        page = browse(person, f"/w/{slug}/inbox/")
        expect(conversations(page)).to_have_count(1)
        page.get_by_role("link", name=re.compile("415-555-0123")).first.click()
        expect(page.locator(".entry.message")).to_have_count(5)
        expect(page.locator(".entry.call")).to_have_count(5)
        expect(page.locator(".entries")).to_contain_text(f"{own} 4")
        expect(page.locator(".entries")).not_to_contain_text(others)


class Wire:
    """Posts over a socket what ``Provider`` would give Django's test client."""

    def __init__(self, session, base: str) -> None:
        self.session, self.base = session, base

    def post(self, path: str, body: str, *, content_type: str, **headers: str):
        return self.session.post(
            self.base + path, body, timeout=15,
            headers={"Content-Type": content_type,
                     "X-Twilio-Signature": headers["HTTP_X_TWILIO_SIGNATURE"]},
        )  # fmt: skip


# --- The test of a number -----------------------------------------------------------------


CALL_HOPS = [
    "The carrier has the number", "Calls are sent here", "The test call is on its way",
    "It arrived, and its signature was right", "The route was chosen", "An answer was given",
    "The charge was made",
]  # fmt: skip


@both
@pytest.mark.parametrize("medium", ["call", "message"])
def test_a_number_is_tested_and_each_hop_is_shown(
    browse, owner, acme, seeded, simulator, medium, js
):
    seed(simulator, make_number(acme, "+16465550177"))
    page = browse(owner, f"/w/acme/numbers/{seeded.public_id}/", java_script_enabled=js)
    page.get_by_role("link", name="Test this number").first.click()
    if js:
        audit(page)
    way = page.get_by_role("region", name=f"Test {medium}")
    way.get_by_role("button", name=re.compile(r"Test for \$0\.\d+ at most")).click()
    expect(page.get_by_text("This page looks again by itself.")).to_be_visible()
    if js:
        with still(page):
            audit(page)
    simulator.run()
    usage_charges.settle_due()
    hops = page.locator(".hop")
    expect(hops).to_have_count(7)
    expect(page.locator(".hop.done")).to_have_count(7)
    if medium == "call":
        assert page.locator(".hop h2").all_text_contents() == CALL_HOPS
    expect(hops.last).to_contain_text("$0.01")
    if js:
        expect(announced(page)).to_have_text("The test is over: 7 hops.")
        audit(page)


@both
def test_a_failed_hop_is_shown_with_its_fix(browse, owner, acme, seeded, simulator, js):
    seed(simulator, make_number(acme, "+16465550177"))
    seed(simulator, seeded, sms_url="https://old.example.com/sms")
    page = browse(owner, f"/w/acme/numbers/{seeded.public_id}/test/", java_script_enabled=js)
    page.get_by_role("region", name="Test message").get_by_role(
        "button", name=re.compile("Test for")
    ).click()
    failed = page.locator(".hop.failed")
    expect(failed).to_contain_text("They are sent to https://old.example.com/sms, which somebody")
    expect(page.locator(".hop")).to_have_count(2)
    if js:
        audit(page)
    failed.get_by_role("button", name="Compare and set right").click()
    expect(page.get_by_text("https://old.example.com/sms").first).to_be_visible()
    simulator.app.state.update(simulator.account, seeded.provider_sid, {"sms_url": ""})
    page.goto(f"/w/acme/numbers/{seeded.public_id}/test/")
    page.get_by_role("region", name="Test message").get_by_role(
        "button", name=re.compile("Test for")
    ).click()
    expect(failed).to_contain_text("They go nowhere. It is being put right; test again")
    failed.get_by_role("link", name="Test again").click()
    expect(page.get_by_role("region", name="Test message")).to_be_visible()


@both
def test_what_a_test_lacks_is_added_and_leads_back_to_it(
    browse, owner, acme, seeded, simulator, js
):
    seed(simulator, make_number(acme, "+16465550177"))
    ledger.charge(wallet=Wallet.objects.get(workspace=acme), kind="usage",
                  amount=Decimal("49.99"), key="k", text="t")  # fmt: skip
    page = browse(owner, f"/w/acme/numbers/{seeded.public_id}/test/", java_script_enabled=js)
    call = page.get_by_role("region", name="Test call")
    expect(call).to_contain_text("$0.01 is available and a test costs $0.027 at most.")
    expect(call.get_by_role("button", name="Test for")).to_have_count(0)
    if js:
        audit(page)
    call.get_by_role("link", name="Add funds").first.click()
    expect(page.locator(".facts")).to_contain_text("Missing")
    expect(page.locator(".facts")).to_contain_text("$0.02")
    page.get_by_role("link", name="Back", exact=True).click()
    expect(call).to_be_visible()


def test_with_ones_own_phone_the_page_waits_for_it(browse, owner, seeded, simulator):
    page = browse(owner, f"/w/acme/numbers/{seeded.public_id}/test/")
    call = page.get_by_role("region", name="Test call")
    expect(call).to_contain_text("What arrives costs $0.0102 a minute.")
    call.get_by_role("button", name="Use my own phone").click()
    expect(page.get_by_text("Use your phone now: +1 212-555-0123.")).to_be_visible()
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=2))
    simulator.run()
    usage_charges.settle_due()
    expect(page.locator(".hop.done")).to_have_count(6)


# --- Rates --------------------------------------------------------------------------------


@both
def test_rates_are_searched_by_country_and_number(browse, owner, seeded, js):
    for country in ("US", "DE"):
        refresh_rates(country)
    page = browse(owner, "/w/acme/rates/", java_script_enabled=js)
    expect(page.get_by_role("heading", name="United States")).to_be_visible()
    find = page.get_by_label("Country, prefix or number")
    find.fill("Germany")
    page.get_by_role("button", name="Find").click()
    germany = page.get_by_role("region", name="Germany")
    expect(germany).to_contain_text("to +4915…")
    find.fill("+49 151 23456789")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="To +49 1512 3456789")).to_be_visible()
    if js:
        audit(page)
    find.fill("atlantis")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="No rates found")).to_be_visible()
    if js:
        audit(page)
