"""What arrives is stored once, for the workspace that owns the called number."""

import threading
import xml.etree.ElementTree as ET
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from interactions.models import ArrivedForNobody, Call, Conversation, MediaFile, Message
from interactions.receive import receive_call, receive_message
from interactions.tests.conftest import CALLER, make_number, sid
from telephony.payloads import IncomingCall, IncomingMessage
from wallet import ledger
from wallet.models import Kind, Wallet
from workspaces.models import Notice

pytestmark = pytest.mark.django_db(transaction=True)


def verbs(response) -> list[str]:
    return [verb.tag for verb in ET.fromstring(response.content)]


def test_a_call_is_stored_for_the_owner_of_the_number_and_answered(acme, number, provider):
    call_sid, response = provider.call(number.e164)
    call = Call.objects.get()
    assert (call.sid, call.workspace, call.number) == (call_sid, acme, number)
    assert (call.direction, call.status, call.conversation.contact) == ("in", "ringing", CALLER)
    assert verbs(response) == ["Say", "Record", "Hangup"]


def test_two_workspaces_each_get_their_own(acme, globex, number, other_number, provider):
    provider.call(number.e164)
    provider.call(other_number.e164)
    provider.text(number.e164, "to acme")
    provider.text(other_number.e164, "to globex")
    assert Call.objects.for_workspace(acme).get().number == number
    assert Call.objects.for_workspace(globex).get().number == other_number
    assert Message.objects.for_workspace(acme).get().body == "to acme"
    assert Message.objects.for_workspace(globex).get().body == "to globex"
    assert Conversation.objects.count() == 2


def test_a_repeated_call_gets_the_first_answer_and_is_stored_once(number, provider):
    call_sid, first = provider.call(number.e164)
    _sid, again = provider.call(number.e164, call_sid=call_sid)
    assert again.content == first.content
    assert Call.objects.count() == 1


def test_a_repeated_call_gets_the_first_answer_after_the_route_has_changed(
    owner, number, provider, route
):
    call_sid, first = provider.call(number.e164)
    route(number, owner, {"answer": {"kind": "say", "greeting": {"text": "New words."}}})
    assert provider.call(number.e164, call_sid=call_sid)[1].content == first.content
    assert b"New words." in provider.call(number.e164)[1].content


def test_a_message_is_stored_once_and_counts_as_unread(acme, number, provider):
    message_sid, response = provider.text(number.e164, "Hello 😀")
    provider.text(number.e164, "Hello 😀", message_sid=message_sid)
    message = Message.objects.get()
    assert (message.body, message.status, message.workspace) == ("Hello 😀", "received", acme)
    conversation = Conversation.objects.get()
    assert (conversation.unread, conversation.last_text) == (1, "Hello 😀")
    assert verbs(response) == []


def test_calls_and_messages_of_one_contact_are_one_conversation(number, provider):
    provider.call(number.e164)
    provider.text(number.e164, "I just called")
    provider.text(number.e164, "Someone else", sender="+14155550999")
    assert Conversation.objects.count() == 2


def test_a_number_that_nobody_has_is_turned_away_and_logged(number, provider):
    call_sid, response = provider.call("+12125559999")
    assert verbs(response) == ["Reject"]
    provider.text("+12125559999", "Anyone?")
    assert not Call.objects.exists()
    assert not Message.objects.exists()
    stray = ArrivedForNobody.objects.get(sid=call_sid)
    assert (stray.because, stray.called, stray.caller) == ("unknown", "+12125559999", CALLER)
    assert ArrivedForNobody.objects.filter(medium="message").count() == 1


@pytest.mark.parametrize(
    ("fact", "because"),
    [
        ("deactivated_at", "deactivated"),
        ("parked_at", "parked"),
        ("suspended_at", "suspended"),
        ("vanished_at", "vanished"),
    ],
)
def test_a_number_that_is_not_active_turns_away(acme, provider, fact, because):
    number = make_number(acme, "+12125550123", **{fact: timezone.now()})
    assert verbs(provider.call(number.e164)[1]) == ["Reject"]
    provider.text(number.e164, "Hello")
    assert set(ArrivedForNobody.objects.values_list("because", "number")) == {(because, number.pk)}
    assert not Call.objects.exists()


def test_a_released_number_is_nobodys_until_it_is_bought_again(acme, globex, provider):
    make_number(acme, "+12125550123", released_at=timezone.now())
    assert verbs(provider.call("+12125550123")[1]) == ["Reject"]
    make_number(globex, "+12125550123")
    provider.call("+12125550123")
    assert Call.objects.get().workspace == globex


def test_a_repeat_of_what_was_turned_away_is_turned_away_even_if_it_could_be_taken_now(
    acme, provider
):
    call_sid, _response = provider.call("+12125550123")
    make_number(acme, "+12125550123")
    assert verbs(provider.call("+12125550123", call_sid=call_sid)[1]) == ["Reject"]
    assert not Call.objects.exists()


def test_the_credit_limit_turns_away_and_tells_the_owner_once_a_day(acme, owner, number, provider):
    wallet = Wallet.objects.get(workspace=acme)
    Wallet.objects.update(credit_limit=Decimal(1))
    ledger.charge(wallet=wallet, kind=Kind.USAGE, amount=Decimal("50.50"), key="k", text="Calls")
    assert verbs(provider.call(number.e164)[1]) == ["Say", "Record", "Hangup"]
    ledger.charge(wallet=wallet, kind=Kind.USAGE, amount=Decimal("0.50"), key="l", text="Calls")
    assert verbs(provider.call(number.e164)[1]) == ["Reject"]
    provider.text(number.e164, "Hello")
    assert set(ArrivedForNobody.objects.values_list("because", flat=True)) == {"no_money"}
    notice = Notice.objects.get()
    assert "turned away" in notice.subject
    assert "/w/acme/wallet/add/" in notice.body


def test_pictures_are_noted_with_their_sids(number, provider):
    media = sid("ME")
    provider.text(
        number.e164, "", NumMedia="2", MediaContentType0="image/png",
        MediaUrl0=f"https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/{media}",
        MediaUrl1="https://evil.test/not-a-sid", MediaContentType1="image/png",
    )  # fmt: skip
    assert MediaFile.objects.get().sid == media
    assert Message.objects.get().pictures == 1
    assert Conversation.objects.get().last_text == "Picture"


def test_what_postgresql_refuses_and_long_names_are_survived(number, provider):
    provider.text(number.e164, "nul \0 inside", sender="A" * 200)
    assert Message.objects.get().body == "nul  inside"
    assert Conversation.objects.get().contact == "A" * 64


def test_a_caller_without_a_number_is_stored_too(number, provider):
    provider.call(number.e164, caller="")
    assert Conversation.objects.get().contact_shown == "Unknown caller"


def test_a_fax_is_logged_as_one_and_not_picked_up(number, provider):
    _sid, response = provider.call(number.e164, FaxSid=sid("FX"), FaxStatus="receiving")
    assert Call.objects.get().outcome == Call.Outcome.FAX
    assert verbs(response) == ["Reject"]


def test_calls_in_a_circle_are_not_forwarded_on(owner, number, provider, route):
    route(
        number, owner,
        {"answer": {"kind": "forward", "phones": ["+13105550100"],
                    "fallback": {"kind": "voicemail", "greeting": {"text": "Speak."}}}},
    )  # fmt: skip
    answers = [provider.call(number.e164) for _ in range(3)]
    assert [verbs(response)[0] for _sid, response in answers] == ["Dial", "Dial", "Say"]
    call_sid, third = answers[2]
    assert provider.call(number.e164, call_sid=call_sid)[1].content == third.content


@pytest.mark.parametrize("receive", ["call", "message"])
def test_the_same_webhook_many_times_at_once_is_stored_once(number, receive):
    call = IncomingCall(sid("CA"), CALLER, number.e164, "ringing", "", False)
    message = IncomingMessage(sid("SM"), CALLER, number.e164, "Hi", 1, (), "")
    outcomes = []
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        try:
            received = receive_call(call) if receive == "call" else receive_message(message)
            outcomes.append(received.outcome)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["new", "repeat", "repeat", "repeat"]
    assert Call.objects.count() + Message.objects.count() == 1
    assert Conversation.objects.get().unread == (0 if receive == "call" else 1)


def test_storing_takes_as_many_statements_whatever_there_is(number, django_assert_num_queries):
    with django_assert_num_queries(1):
        receive_call(IncomingCall(sid("CA"), CALLER, number.e164, "ringing", "", False))
