"""The inbox: what is shown to whom, unread marks, search, pages, replies, files."""

import re
import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from interactions.inbox import PAGE_SIZE
from interactions.models import Call, Conversation, MediaFile, Message, UsageRate, Voicemail
from interactions.rates import refresh_rates
from interactions.tests.conftest import make_number, sid
from telephony.simulator.sound import picture, spoken

pytestmark = pytest.mark.django_db(transaction=True)

INBOX = "/w/acme/inbox/"


def page_of(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def address_of(conversation: Conversation) -> str:
    return f"{INBOX}{conversation.public_id}/"


@pytest.fixture
def talk(number, provider) -> Conversation:
    provider.text(number.e164, "Hello, are you open?")
    return Conversation.objects.get()


def test_an_empty_inbox_says_what_will_be_here(as_owner, number):
    assert "Nothing has arrived yet" in page_of(as_owner, INBOX)


def test_what_arrives_is_in_the_inbox_of_its_workspace_only(
    as_owner, as_outsider, number, other_number, provider
):
    provider.text(number.e164, "for acme")
    provider.text(other_number.e164, "for globex")
    page = page_of(as_owner, INBOX)
    assert "for acme" in page
    assert "for globex" not in page
    other = page_of(as_outsider, "/w/globex/inbox/")
    assert "for globex" in other
    assert "for acme" not in other


def test_a_conversation_shows_calls_and_messages_in_order(as_owner, number, provider, talk):
    call_sid, _response = provider.call(number.e164)
    provider.status(call_sid, "completed", seconds=75)
    page = page_of(as_owner, address_of(talk))
    assert page.index("Hello, are you open?") < page.index("Incoming call")
    assert "missed, 1 min 15 s" in page


def test_unread_marks_go_when_somebody_has_looked(as_owner, number, provider, talk):
    provider.text(number.e164, "Anybody there?")
    assert '2<span class="visually-hidden"> unread' in page_of(as_owner, INBOX)
    page_of(as_owner, address_of(talk))
    talk.refresh_from_db()
    assert talk.unread == 2  # looking alone writes nothing
    seen_until = timezone.now().isoformat()
    response = as_owner.post(f"{address_of(talk)}seen/", {"until": seen_until})
    assert response.status_code == 302
    talk.refresh_from_db()
    assert talk.unread == 0


def test_what_arrives_after_the_look_stays_unread(as_owner, number, provider, talk):
    seen_until = timezone.now().isoformat()
    provider.text(number.e164, "One more thing")
    as_owner.post(f"{address_of(talk)}seen/", {"until": seen_until})
    talk.refresh_from_db()
    assert talk.unread == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=555-0123", True), ("q=%2B1415", True), ("q=are+you+OPEN", True), ("q=999888", False),
        ("q=closed", False), ("only=unread", True), ("number=nothing", False),
        ("q=%00", True), ("q=%F0%9F%98%80", False), ("only=everything", True),
        ("before=yesterday", True), ("before=2026-01-01T00:00:00%2B00:00~x", False),
        ("q=" + "x" * 10_000, True), ("number=%00", True),
    ],
)  # fmt: skip
def test_search_finds_by_digits_and_words_and_survives_anything(as_owner, talk, query, found):
    page = page_of(as_owner, f"{INBOX}?{query}")
    assert ("Hello, are you open?" in page) == found


def test_older_conversations_are_reached_page_by_page(as_owner, acme, number, simulator):
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(workspace=acme, number=number, contact=f"+1415555{n:04d}",
                     last_at=now - timedelta(minutes=n // 3), last_text=f"text {n}")
        for n in range(PAGE_SIZE * 2 + 5)
    )  # fmt: skip
    address, seen = INBOX, []
    for _page in range(3):
        response = as_owner.get(address)
        seen += [row.contact for row in response.context["page"].conversations]
        address = f"{INBOX}?{response.context['older']}"
    assert len(seen) == len(set(seen)) == PAGE_SIZE * 2 + 5
    assert response.context["older"] == ""
    few = as_owner.get(INBOX, {"number": number.public_id, "few": "1"})
    assert [row.contact for row in few.context["page"].conversations] == seen[:5]
    rest = as_owner.get(f"{INBOX}?{few.context['older']}")
    assert [row.contact for row in rest.context["page"].conversations] == seen[5:45]


def test_earlier_entries_are_reached(as_owner, acme, number, talk):
    now = timezone.now()
    Message.objects.bulk_create(
        Message(workspace=acme, number=number, conversation=talk, direction="in", sid=sid("SM"),
                status="received", at=now - timedelta(minutes=n), ended_at=now, body=f"text {n};")
        for n in range(1, 60)
    )  # fmt: skip
    first = as_owner.get(address_of(talk))
    assert "text 30;" in first.content.decode()
    assert "text 50;" not in first.content.decode()
    second = page_of(as_owner, f"{address_of(talk)}?{first.context['older']}")
    assert "text 50;" in second
    assert "To the newest" in second


def test_pages_take_eight_queries_however_many_rows(
    as_owner, number, provider, talk, django_assert_max_num_queries
):
    as_owner.get(address_of(talk))
    for n in range(6):
        call_sid, _response = provider.call(number.e164)
        provider.status(call_sid, "completed", seconds=5)
        provider.text(number.e164, f"text {n}")
        provider.text(number.e164, "hi", sender=f"+1415555100{n}")
    with django_assert_max_num_queries(8):
        as_owner.get(INBOX)
    with django_assert_max_num_queries(8):
        as_owner.get(address_of(talk))


# --- Replying -------------------------------------------------------------------------------


@pytest.fixture
def can_send(number, simulator):
    simulator.seed(number.e164, type="local",
                   capabilities={"voice": True, "sms": True, "mms": True})  # fmt: skip


def reply(client, talk, body="Yes, until five.", **more):
    form = {"body": body, "key": str(uuid.uuid4())} | more
    return client.post(f"{address_of(talk)}reply/", form)


def test_a_reply_goes_out_from_the_same_number(as_member, member, number, talk, can_send):
    assert reply(as_member, talk).status_code == 302
    message = Message.objects.get(direction="out")
    assert (message.number, message.sent_by, message.status) == (number, member, "queued")
    page = page_of(as_member, address_of(talk))
    assert "Yes, until five." in page
    assert "On its way" in page


def test_sending_the_form_twice_sends_one_message(as_owner, talk, can_send):
    key = str(uuid.uuid4())
    reply(as_owner, talk, key=key)
    reply(as_owner, talk, key=key)
    assert Message.objects.filter(direction="out").count() == 1


def test_a_picture_can_be_sent(as_owner, talk, can_send):
    file = ContentFile(picture(), name="a.png")
    assert reply(as_owner, talk, picture=file).status_code == 302
    assert MediaFile.objects.get().state == "kept"


def test_a_price_that_went_up_is_asked_about_before_it_is_paid(as_owner, talk, can_send):
    page_of(as_owner, address_of(talk))
    UsageRate.objects.filter(kind="sms_out").update(provider_price="0.0200")
    response = reply(as_owner, talk, text_price="0.0100")
    assert response.status_code == 422
    assert "It was $0.01 when you looked and is $0.024 now." in response.content.decode()
    assert not Message.objects.filter(direction="out").exists()
    assert reply(as_owner, talk, text_price="0.0240").status_code == 302


@pytest.mark.parametrize("body", ["", "   ", "x" * 2000, "x" * 4000])
def test_a_reply_that_cannot_be_sent_is_refused_and_kept(as_owner, talk, can_send, body):
    response = reply(as_owner, talk, body=body)
    assert response.status_code == 422
    assert not Message.objects.filter(direction="out").exists()
    assert body[:100].strip() in response.content.decode()


def test_a_reply_without_a_key_is_refused(as_owner, talk, can_send):
    response = as_owner.post(f"{address_of(talk)}reply/", {"body": "x"})
    assert response.status_code == 422


def test_somebody_who_opted_out_cannot_be_answered(as_owner, number, talk, can_send, provider):
    provider.text(number.e164, "STOP")
    page = page_of(as_owner, address_of(talk))
    assert "Opted out" in page
    assert 'id="reply"' not in page
    response = reply(as_owner, talk)
    assert response.status_code == 422
    assert "wrote &#x27;STOP&#x27;" in response.content.decode()


def test_too_little_money_offers_to_add_funds_and_come_back(as_owner, acme, talk, can_send):
    from decimal import Decimal

    from wallet import ledger
    from wallet.models import Wallet

    wallet = Wallet.objects.get(workspace=acme)
    ledger.charge(wallet=wallet, kind="usage", amount=Decimal("49.985"), key="k", text="t")
    page = reply(as_owner, talk).content.decode()
    assert f"next=%2Fw%2Facme%2Finbox%2F{talk.public_id}%2F" in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "$0.01</span> a segment of 160 characters."),
        ("Hello", "5 characters, 1 segment: "),
        ("a" * 161, "161 characters, 2 segments: "),
        ("a" * 71 + "😀", "😀 makes segments shorter"),
    ],
)
def test_the_cost_is_shown_while_typing(as_owner, talk, simulator, body, words):
    response = as_owner.post(f"{address_of(talk)}cost/", {"body": body})
    assert response.status_code == 200
    assert words in response.content.decode()
    assert "With a picture it costs" in response.content.decode()


# --- Who may what -----------------------------------------------------------------------------


def test_who_may_see_and_answer(as_viewer, as_outsider, client, talk, can_send):
    assert as_viewer.get(INBOX).status_code == 200
    assert "needs the permission inbox_reply" in page_of(as_viewer, address_of(talk))
    assert reply(as_viewer, talk).status_code == 403
    assert as_viewer.post(f"{address_of(talk)}cost/", {"body": "x"}).status_code == 403
    assert as_viewer.post(f"{address_of(talk)}seen/").status_code == 302
    for address in (INBOX, address_of(talk)):
        assert as_outsider.get(address).status_code == 404
        assert client.get(address).status_code == 302
    assert as_outsider.post(f"{address_of(talk)}reply/").status_code == 404
    own = f"/w/globex/inbox/{talk.public_id}/"
    assert as_outsider.get(own).status_code == 404
    assert as_viewer.post(INBOX).status_code == 405
    assert as_viewer.get(f"{address_of(talk)}reply/").status_code == 405
    assert as_viewer.get(f"{address_of(talk)}seen/").status_code == 405


@pytest.fixture
def files(acme, number, provider, talk) -> tuple[Voicemail, MediaFile]:
    call_sid, _response = provider.call(number.e164)
    now = timezone.now()
    voicemail = Voicemail.objects.create(
        workspace=acme, call=Call.objects.get(sid=call_sid), sid=sid("RE"), seconds=2, at=now,
        next_try_at=now, state="kept", audio=ContentFile(spoken(2), name="v.wav"),
    )  # fmt: skip
    media = MediaFile.objects.create(
        workspace=acme, message=Message.objects.get(), position=0, content_type="image/png",
        next_try_at=now, state="kept", file=ContentFile(picture(), name="p.png"),
    )  # fmt: skip
    return voicemail, media


def test_voicemails_and_pictures_are_served_as_what_they_are(as_viewer, files):
    voicemail, media = files
    heard = as_viewer.get(f"{INBOX}voicemails/{voicemail.public_id}/")
    seen = as_viewer.get(f"{INBOX}pictures/{media.public_id}/")
    assert (heard["Content-Type"], seen["Content-Type"]) == ("audio/wav", "image/png")
    for response in (heard, seen):
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
    assert b"".join(heard.streaming_content).startswith(b"RIFF")


def test_files_of_another_workspace_are_not_there(as_outsider, as_owner, files):
    voicemail, media = files
    for kind, row in (("voicemails", voicemail), ("pictures", media)):
        assert as_outsider.get(f"/w/acme/inbox/{kind}/{row.public_id}/").status_code == 404
        assert as_outsider.get(f"/w/globex/inbox/{kind}/{row.public_id}/").status_code == 404
        assert as_owner.get(f"{INBOX}{kind}/unknown/").status_code == 404


def test_a_file_that_is_gone_from_the_disk_is_not_found(as_owner, files):
    voicemail, _media = files
    voicemail.audio.storage.delete(voicemail.audio.name)
    assert as_owner.get(f"{INBOX}voicemails/{voicemail.public_id}/").status_code == 404


# --- Rates ------------------------------------------------------------------------------------


def test_rates_of_the_workspaces_own_countries_are_shown_first(as_viewer, acme, number, simulator):
    make_number(acme, "+442079460123", country="GB")
    for country in ("US", "GB", "DE"):
        refresh_rates(country)
    page = page_of(as_viewer, "/w/acme/rates/")
    assert "United States" in page
    assert "United Kingdom" in page
    assert "Germany" not in page
    assert "$0.0102" in page


@pytest.mark.parametrize("country", ["US", "CA"])
def test_rates_of_pictures_are_shown_by_type_of_number(as_viewer, acme, simulator, country):
    page = page_of(as_viewer, f"/w/acme/rates/?q={country}")
    assert "No rates found" in page
    refresh_rates(country)
    page = page_of(as_viewer, f"/w/acme/rates/?q={country}")
    shown = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert {what: price for what, price in shown.items() if "picture" in what} == {
        "Local number, a picture message": "$0.0198",
        "Toll-free number, a picture message": "$0.024", "A picture message": "$0.0264",
    }  # fmt: skip
    typed = "+1 212 555 0123" if country == "US" else "+1 416 555 0123"
    page = page_of(as_viewer, f"/w/acme/rates/?q={quote(typed)}")
    assert 'A picture message: <strong class="amount">$0.0264' in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("germany", "to +4915…"), ("DE", "to +4915…"), ("4917", "to +4917…"),
        ("%2B49 151 23456789", "To +49 1512 3456789"), ("atlantis", "No rates found"),
        ("%00", "United States"), ("x" * 500, "United States"),
    ],
)  # fmt: skip
def test_rates_are_found_by_country_prefix_and_number(as_viewer, number, simulator, query, words):
    for country in ("US", "DE"):
        refresh_rates(country)
    assert words in page_of(as_viewer, f"/w/acme/rates/?q={query}")
