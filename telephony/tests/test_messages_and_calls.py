"""Messages, calls, recordings and their prices: our adapter against the wire."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from telephony import conversations, usage_prices
from telephony.errors import (
    NotDeliverable,
    NotFound,
    ProviderError,
    ProviderUnavailable,
    TooLarge,
)
from telephony.simulator import usage_pricing
from telephony.simulator.wire import Answer
from telephony.values import NumberType

NUMBER, CONTACT = "+12125550123", "+14155550123"
CAPABLE = {"voice": True, "sms": True, "mms": True, "fax": False}
STATUS_URL = "https://elsewhere.test/status/#rc=3&rp=all"


@pytest.fixture
def owned(simulator):
    simulator.seed(NUMBER, type="local", capabilities=CAPABLE)
    simulator.app.postman.transport = lambda *request: _reply()
    return simulator


def _reply(status: int = 200, body: bytes = b"<Response/>"):
    from telephony.simulator.postman import Reply

    return Reply(status, "text/xml", body)


def send(**changes) -> conversations.ProviderMessage:
    values = {"sender": NUMBER, "recipient": CONTACT, "body": "Hello", "media_urls": [],
              "status_url": STATUS_URL}  # fmt: skip
    return conversations.send_message(**values | changes)


def test_a_message_is_sent_reported_and_billed_late(owned):
    sent = send()
    assert (sent.status, sent.segments, sent.price) == ("queued", 1, None)
    owned.run(seconds=5)
    reports = [webhook.fields["MessageStatus"] for webhook in owned.webhooks]
    assert reports == ["sent", "delivered"]
    assert conversations.fetch_message(sid=sent.sid).price is None
    owned.run()
    assert conversations.fetch_message(sid=sent.sid).price == Decimal("0.00830")


def test_a_message_that_cannot_be_delivered_says_why(owned):
    sent = send(recipient="+15005550003")
    owned.run()
    assert owned.webhooks[-1].fields["ErrorCode"] == "30003"
    fetched = conversations.fetch_message(sid=sent.sid)
    assert (fetched.status, fetched.error_code) == ("undelivered", 30003)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": "+12125559999"}, "bad_sender"),
        ({"recipient": "12"}, "bad_recipient"),
        ({"body": ""}, "content"),
        ({"body": "x" * 1601}, "content"),
        ({"media_urls": ["ftp://nowhere"]}, "content"),
    ],
)
def test_a_message_that_is_refused_says_why(owned, changes, reason):
    with pytest.raises(NotDeliverable) as refused:
        send(**changes)
    assert refused.value.reason == reason


def test_a_contact_that_said_stop_is_not_written_to_until_it_says_start(owned):
    owned.text(sender=CONTACT, recipient=NUMBER, body="Stop")
    with pytest.raises(NotDeliverable) as refused:
        send()
    assert refused.value.reason == "opted_out"
    owned.text(sender=CONTACT, recipient=NUMBER, body="START")
    assert send().status == "queued"


def test_a_message_with_a_lost_answer_is_found_again(owned):
    owned.fault("answer_lost", method="POST", path_contains="Messages")
    since = datetime.now(UTC) - timedelta(minutes=1)
    with pytest.raises(ProviderUnavailable) as lost:
        send()
    assert lost.value.outcome_unknown
    owned.run(seconds=3)
    [found] = conversations.find_sent(sender=NUMBER, recipient=CONTACT, since=since)
    assert (found.body, found.status) == ("Hello", "delivered")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert conversations.find_sent(sender=NUMBER, recipient=CONTACT, since=later) == []


def test_the_list_of_messages_is_read_to_its_end(owned, monkeypatch):
    monkeypatch.setattr(conversations, "PAGE_SIZE", 3)
    sids = {owned.text(sender=CONTACT, recipient=NUMBER, body=f"{n}") for n in range(8)}
    since = datetime.now(UTC) - timedelta(minutes=1)
    listed = list(conversations.messages_since(since))
    assert {message.sid for message in listed} == sids
    assert all(message.is_incoming for message in listed)


def test_pictures_are_fetched_and_never_more_than_is_wanted(owned, monkeypatch):
    sid = owned.text(sender=CONTACT, recipient=NUMBER, pictures=1)
    [(media_sid, content_type)] = conversations.media_of(message_sid=sid)
    content, reported = conversations.fetch_media(message_sid=sid, sid=media_sid)
    assert (content_type, reported) == ("image/png", "image/png")
    assert content.startswith(b"\x89PNG")
    monkeypatch.setattr(conversations, "LARGEST_PICTURE", 100)
    with pytest.raises(TooLarge):
        conversations.fetch_media(message_sid=sid, sid=media_sid)
    with pytest.raises(NotFound):
        conversations.fetch_media(message_sid=sid, sid="ME" + "0" * 32)


def test_a_call_is_placed_answered_and_billed(owned):
    owned.phone(CONTACT, picks_up_after=3)
    placed = conversations.place_call(
        caller=NUMBER, called=CONTACT, twiml="<Response><Say>Hello</Say></Response>",
        status_url=STATUS_URL,
    )  # fmt: skip
    assert placed.status == "queued"
    owned.run()
    reports = [webhook.fields["CallStatus"] for webhook in owned.webhooks]
    assert reports == ["initiated", "ringing", "in-progress", "completed"]
    fetched = conversations.fetch_call(sid=placed.sid)
    assert (fetched.status, fetched.seconds, fetched.price) == ("completed", 1, Decimal("0.01400"))
    assert [call.sid for call in conversations.calls_since(_a_minute_ago())] == [placed.sid]


def test_a_call_from_a_number_that_is_not_ours_is_refused(owned):
    with pytest.raises(NotDeliverable) as refused:
        conversations.place_call(caller="+12125559999", called=CONTACT, twiml="<Response/>",
                                 status_url=STATUS_URL)  # fmt: skip
    assert refused.value.reason == "bad_sender"


def test_what_does_not_exist_is_not_found(owned):
    with pytest.raises(NotFound):
        conversations.fetch_call(sid="CA" + "0" * 32)
    with pytest.raises(NotFound):
        conversations.fetch_message(sid="SM" + "0" * 32)
    with pytest.raises(NotFound):
        conversations.fetch_recording(sid="RE" + "0" * 32)


def test_prices_of_calls_and_messages_are_read(simulator):
    calls = usage_prices.call_prices(country="US")
    assert calls.currency == "USD"
    by_type = {price.number_type: price.amount for price in calls.incoming}
    assert by_type[NumberType.TOLL_FREE] == Decimal("0.0220")
    assert {price.prefix for price in calls.outgoing} >= {"1", "1907"}
    messages = usage_prices.message_prices(country="GB")
    assert messages.outgoing == Decimal("0.0560")  # the highest of the carriers
    with pytest.raises(NotFound):
        usage_prices.call_prices(country="XX")


def answers(monkeypatch, **body) -> None:
    """The carrier's next price lists say this."""
    told = {"country": "Atlantis", "iso_country": "AT", "price_unit": "usd", **body}
    monkeypatch.setattr(usage_pricing, "voice", lambda *_: Answer(200, told))
    monkeypatch.setattr(usage_pricing, "messaging", lambda *_: Answer(200, told))


def test_a_price_that_is_not_told_is_left_out(simulator, monkeypatch):
    """The contract lets every field of a price list be null."""
    nothing = {"base_price": None, "current_price": None}
    answers(
        monkeypatch,
        inbound_call_prices=[{"number_type": "local", **nothing}, {"number_type": None, **nothing},
                             {"number_type": "toll free", "current_price": "0.022"}],
        outbound_prefix_prices=[{"prefixes": ["1"], **nothing},
                                {"prefixes": ["1907"], "current_price": 0.09}],
    )  # fmt: skip
    prices = usage_prices.call_prices(country="US")
    assert [(p.number_type, p.amount) for p in prices.incoming] == [
        (NumberType.TOLL_FREE, Decimal("0.022"))
    ]
    assert [(p.prefix, p.amount) for p in prices.outgoing] == [("1907", Decimal("0.09"))]
    answers(monkeypatch, inbound_sms_prices=None, outbound_sms_prices=None)
    assert usage_prices.message_prices(country="US").outgoing is None


def test_what_short_codes_pay_is_not_our_price(simulator, monkeypatch):
    rows = [("local", "0.0083"), ("toll-free", "0.0090"), ("shortcode", "0.05"), ("voip", "9")]
    prices = [{"number_type": kind, "current_price": price} for kind, price in rows]
    answers(monkeypatch, outbound_sms_prices=[{"carrier": "One", "prices": prices}],
            inbound_sms_prices=[])  # fmt: skip
    assert usage_prices.message_prices(country="US").outgoing == Decimal("0.0090")


def test_prices_without_a_currency_are_not_believed(simulator, monkeypatch):
    answers(monkeypatch, price_unit=None, outbound_prefix_prices=[], inbound_call_prices=[])
    with pytest.raises(ProviderError):
        usage_prices.call_prices(country="US")


def _a_minute_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)
