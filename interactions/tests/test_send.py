"""Replying: what is refused, what it costs, and a sender or a provider that fails."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from compliance.contact_rules import OptedOut
from interactions import send, usage_charges
from interactions.last_use import note_last_use
from interactions.models import Conversation, MediaFile, Message, Usage, UsageRate
from interactions.refusals import (
    CannotBeWrittenTo,
    NothingToSend,
    NumberCannotSend,
    NumberIsInactive,
    PictureRefused,
    TextTooLong,
)
from interactions.tests.conftest import CALLER, make_number
from numbers.models import Number
from numbers.rent_models import RentDue
from telephony.simulator.sound import picture
from wallet.ledger import InsufficientFunds, KeptForRent
from wallet.models import Hold, Wallet
from wallet.precautions import set_precautions

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY, SEGMENT, PICTURE = Decimal(50), Decimal("0.0100"), Decimal("0.0264")


@pytest.fixture
def conversation(acme, number, simulator) -> Conversation:
    simulator.seed(number.e164, type="local",
                   capabilities={"voice": True, "sms": True, "mms": True})  # fmt: skip
    return talk(acme, number, CALLER)


def talk(workspace, number, contact) -> Conversation:
    made = Conversation.objects.create(
        workspace=workspace, number=number, contact=contact, last_at=timezone.now()
    )
    return Conversation.objects.select_related("number__workspace", "workspace").get(pk=made.pk)


@pytest.fixture
def reply(acme, owner, conversation):
    def send_it(body="Hello", **changes) -> Message:
        values = {"workspace": acme, "by": owner, "conversation": conversation, "body": body,
                  "key": uuid.uuid4()}  # fmt: skip
        return send.send_message(**values | changes)

    return send_it


def money(workspace) -> tuple[Decimal, Decimal]:
    wallet = Wallet.objects.get(workspace=workspace)
    return wallet.balance, wallet.held


def later(minutes: int = 60) -> None:
    """As if everything that waits had waited this long."""
    then = timezone.now() - timedelta(minutes=minutes)
    Usage.objects.update(next_try_at=then)
    Message.objects.filter(direction="out").update(at=then)
    Message.objects.exclude(called_at=None).update(called_at=then)


def test_a_reply_is_held_sent_reported_and_charged_when_the_price_is_known(acme, reply, simulator):
    message = reply()
    assert (message.status, message.sid[:2]) == ("queued", "SM")
    assert money(acme) == (FIFTY, SEGMENT)
    simulator.run(seconds=10)
    message.refresh_from_db()
    assert message.status == "delivered"
    later()
    usage_charges.settle_due()
    assert money(acme) == (FIFTY, SEGMENT)  # the provider has not told its price yet
    simulator.run()
    later()
    usage_charges.settle_due()
    usage_charges.settle_due()
    assert money(acme) == (FIFTY - SEGMENT, 0)
    usage = Usage.objects.get()
    assert (usage.state, usage.provider_price) == ("charged", Decimal("0.0083"))


def test_the_same_form_twice_is_one_message(acme, reply, simulator):
    key = uuid.uuid4()
    assert reply(key=key) == reply(key=key)
    assert Message.objects.count() == 1
    assert money(acme) == (FIFTY, SEGMENT)


def test_an_emoji_makes_three_segments_of_one_text(acme, reply):
    reply("a" * 159 + "😀")
    assert money(acme) == (FIFTY, 3 * SEGMENT)


def test_a_picture_goes_out_from_an_address_of_ours(acme, reply, simulator, client):
    message = reply("Look", picture=picture())
    assert message.sid[:2] == "MM"
    assert money(acme) == (FIFTY, PICTURE)
    [sent] = [r for r in simulator.requests if r["path"].endswith("/Messages.json")]
    address = sent["fields"]["MediaUrl"].removeprefix("https://desk.test")
    fetched = client.get(address)
    assert (fetched.status_code, fetched["Content-Type"]) == (200, "image/png")
    assert b"".join(fetched.streaming_content) == picture()
    assert client.get(address[:-2] + "x/").status_code == 404


def test_a_provider_that_bills_less_charges_less(acme, reply, simulator):
    reply()
    simulator.run()
    UsageRate.objects.update(provider_price="9")  # what the rates say by now is of no matter
    row = simulator.app.exchange.traffic.newest_first("message")[0]
    simulator.app.exchange.traffic.update("message", row["sid"], price="-0.00500")
    later()
    usage_charges.settle_due()
    assert money(acme) == (FIFTY - Decimal("0.0060"), 0)


def test_nobody_pays_more_than_was_shown(acme, reply, simulator):
    reply()
    simulator.run()
    row = simulator.app.exchange.traffic.newest_first("message")[0]
    simulator.app.exchange.traffic.update("message", row["sid"], price="-1.00000")
    later()
    usage_charges.settle_due()
    assert money(acme) == (FIFTY - SEGMENT, 0)


def test_a_price_that_never_comes_is_our_rate_after_a_day(acme, reply, simulator):
    simulator.app.exchange.price_delay = 10**9
    reply()
    simulator.run()
    Usage.objects.update(at=timezone.now() - timedelta(days=2))
    later()
    usage_charges.settle_due()
    assert money(acme) == (FIFTY - SEGMENT, 0)


def test_a_message_that_went_out_is_a_use_of_its_number(reply, conversation):
    Conversation.objects.update(last_at=timezone.now() - timedelta(days=40))
    sent = reply()
    assert note_last_use() == 1
    assert Number.objects.get(pk=conversation.number_id).last_used_at >= sent.at


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"body": "  "}, NothingToSend),
        ({"body": "x" * 1601}, TextTooLong),
        ({"picture": b"<svg onload=alert(1)>"}, PictureRefused),
        ({"picture": b"\x89PNG\r\n\x1a\n" + b"0" * 5_300_000}, PictureRefused),
    ],
)
def test_what_cannot_be_sent_is_refused_before_any_money(acme, reply, simulator, changes, refusal):
    with pytest.raises(refusal):
        reply(**changes)
    assert not Message.objects.exists()
    assert money(acme) == (FIFTY, 0)
    assert not [r for r in simulator.requests if r["path"].endswith("/Messages.json")]


@pytest.mark.parametrize(
    ("fact", "words"),
    [("deactivated_at", "switched off"), ("outbound_stopped_at", "monthly fee is overdue")],
)
def test_a_number_that_may_not_send_says_why(acme, number, reply, conversation, fact, words):
    Number.objects.update(**{fact: timezone.now()})
    conversation.number.refresh_from_db()
    with pytest.raises(NumberIsInactive, match=words):
        reply()


def test_a_number_without_texts_or_pictures_says_so(acme, owner, reply):
    voice_only = make_number(acme, "+12125550177", capabilities=["voice"])
    with pytest.raises(NumberCannotSend, match="cannot send texts"):
        reply(conversation=talk(acme, voice_only, CALLER))
    no_pictures = make_number(acme, "+12125550188", capabilities=["voice", "sms"])
    with pytest.raises(NumberCannotSend, match="cannot send pictures"):
        reply(conversation=talk(acme, no_pictures, CALLER), picture=picture())


def test_a_contact_without_a_number_cannot_be_answered(acme, number, reply):
    with pytest.raises(CannotBeWrittenTo):
        reply(conversation=talk(acme, number, "anonymous"))


def test_a_contact_that_said_stop_is_not_written_to_until_start(acme, number, reply, provider):
    provider.text(number.e164, "STOP")
    with pytest.raises(OptedOut, match="wrote 'STOP'"):
        reply()
    assert money(acme)[1] == 0
    provider.text(number.e164, "start")
    assert reply().sid


def test_too_little_money_is_refused_with_what_is_missing(acme, reply):
    wallet = Wallet.objects.get(workspace=acme)
    from wallet import ledger

    ledger.charge(wallet=wallet, kind="usage", amount=Decimal("49.995"), key="k", text="t")
    with pytest.raises(InsufficientFunds) as refused:
        reply()
    assert refused.value.missing == Decimal("0.005")
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("rate_limited", "The carrier has a problem or is busy"),
        ("unauthorized", "credentials of this site are missing or wrong"),
    ],
)
def test_a_refusal_of_the_provider_costs_nothing_and_says_why(acme, reply, simulator, fault, words):
    simulator.fault(fault, method="POST", path_contains="Messages")
    message = reply()
    assert (message.status, message.sid) == ("failed", None)
    assert words in message.why_failed
    assert money(acme) == (FIFTY, 0)


def test_an_opt_out_that_only_the_provider_knows_is_said(acme, reply, simulator, number):
    simulator.app.exchange.traffic.stop(number.e164, CALLER)
    message = reply()
    assert "has opted out of messages from this number" in message.why_failed
    assert money(acme) == (FIFTY, 0)


def test_what_cannot_be_delivered_says_why(acme, owner, number, reply, simulator):
    message = reply(conversation=talk(acme, number, "+15005550003"))
    simulator.run()
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("undelivered", 30003)
    assert "could not be reached" in message.why_failed


def test_a_lost_answer_is_settled_by_the_providers_report(acme, reply, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="Messages")
    message = reply()
    assert (message.status, message.sid) == ("asked", None)
    simulator.run()
    message.refresh_from_db()
    assert (message.status, message.sid[:2]) == ("delivered", "SM")


def test_a_lost_answer_without_a_report_is_found_by_the_sweep(acme, reply, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="Messages")
    simulator.fault("webhook_lost", method="WEBHOOK", times=-1)
    message = reply()
    simulator.run()
    later()
    # The provider dates messages by the wall clock, and this one was "called" an hour ago.
    send.settle_unacknowledged()
    message.refresh_from_db()
    assert (message.status, message.sid[:2]) == ("delivered", "SM")
    later()
    usage_charges.settle_due()
    assert money(acme) == (FIFTY - SEGMENT, 0)
    assert len(simulator.app.exchange.traffic.newest_first("message")) == 1


def test_a_call_that_never_arrived_is_given_up_after_the_quiet_time(acme, reply, simulator):
    simulator.fault("timeout_before", method="POST", path_contains="Messages")
    message = reply()
    send.settle_unacknowledged()
    message.refresh_from_db()
    assert message.status == "asked"
    assert money(acme) == (FIFTY, SEGMENT)
    later()
    send.settle_unacknowledged()
    message.refresh_from_db()
    assert message.status == "failed"
    assert money(acme) == (FIFTY, 0)


def test_a_sender_that_died_before_calling_is_finished_by_the_sweep(
    acme, owner, conversation, simulator
):
    send.place_message(workspace=acme, by=owner, conversation=conversation, body="Hello",
                       key=uuid.uuid4())  # fmt: skip
    later()
    send.settle_unacknowledged()
    assert Message.objects.get().sid
    assert len(simulator.app.exchange.traffic.newest_first("message")) == 1


def test_a_message_that_failed_on_the_way_is_not_charged(acme, reply, simulator):
    message = reply()
    Message.objects.filter(pk=message.pk).update(status="failed", ended_at=timezone.now())
    later()
    usage_charges.settle_due()
    assert money(acme) == (FIFTY, 0)
    assert Hold.objects.get().ended_at is not None


def test_a_stored_picture_belongs_to_the_message(acme, reply):
    reply(picture=picture())
    media = MediaFile.objects.get()
    assert (media.state, media.content_type, media.workspace) == ("kept", "image/png", acme)


def test_money_kept_for_rent_is_out_of_reach_of_messages(acme, owner, reply):
    set_precautions(workspace=acme, by=owner, alert_below=None, keep_days=10)
    RentDue.objects.update(due_at=timezone.now() + timedelta(days=5), price=FIFTY)
    with pytest.raises(KeptForRent):
        reply()
    assert money(acme) == (FIFTY, 0)
    set_precautions(workspace=acme, by=owner, alert_below=None, keep_days=4)
    reply()
    assert money(acme) == (FIFTY, SEGMENT)


def test_line_of_a_message_opens_its_conversation(acme, reply, simulator, as_owner, as_outsider):
    message = reply()
    simulator.run(seconds=30)
    later()
    usage_charges.settle_due()
    page = as_owner.get("/w/acme/wallet/")
    [address] = [url for entry, url in page.context["entries"] if entry.kind == "usage"]
    assert address in page.content.decode()
    assert as_owner.get(address)["Location"] == message.conversation.get_absolute_url()
    assert as_outsider.get(address).status_code == 404
    assert as_outsider.get(address.replace("acme", "globex")).status_code == 404
