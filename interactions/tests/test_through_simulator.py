"""Calls and messages from end to end: the simulated carrier, its webhooks, our answers."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from interactions import catch_up, usage_charges
from interactions.models import Call, CallLeg, Conversation, Message, Usage, Voicemail
from interactions.plans import Answer, Answers, VoicePlan
from interactions.tests.conftest import CALLER, set_route, sid
from telephony import conversations
from telephony.twiml import Greeting
from telephony.webhook_urls import webhooks_for_numbers
from wallet.models import Entry, Hold, Kind, Wallet

pytestmark = pytest.mark.django_db(transaction=True)

PHONE, OTHER_PHONE = "+13105550101", "+13105550102"
VOICEMAIL = Answer(kind=Answers.VOICEMAIL, greeting=Greeting(text="Speak now."), transcribe=True)


@pytest.fixture
def seeded(simulator, number):
    """The number is the account's, with its webhooks set as a purchase sets them."""
    webhooks = webhooks_for_numbers(["sms", "voice"])
    number.provider_sid = simulator.seed(
        number.e164, type="local", voice_url=webhooks.voice_url,
        voice_fallback_url=webhooks.voice_fallback_url,
        status_callback=webhooks.voice_status_url, sms_url=webhooks.message_url,
        sms_fallback_url=webhooks.message_fallback_url,
        capabilities={"voice": True, "sms": True, "mms": True, "fax": False},
    )  # fmt: skip
    return number


@pytest.fixture
def forwarded(seeded, owner):
    """Sets a forwarding route on the number."""

    def set_forward(**facts):
        values = {"phones": (PHONE, OTHER_PHONE), "fallback": VOICEMAIL} | facts
        plan = VoicePlan(Answer(kind=Answers.FORWARD, **values))
        set_route(seeded, owner, plan.write(), minute_price="0.0270")
        return seeded

    return set_forward


def balance(workspace) -> Decimal:
    return Wallet.objects.get(workspace=workspace).balance


def test_a_caller_leaves_a_voicemail_that_is_fetched_and_charged(acme, seeded, simulator):
    call = simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    assert call.over, call.transcript
    stored = Call.objects.get()
    voicemail = Voicemail.objects.get()
    assert (stored.outcome, voicemail.seconds, voicemail.state) == ("voicemail", 7, "kept")
    assert voicemail.audio.read().startswith(b"RIFF")
    usage_charges.settle_due()
    usage = Usage.objects.get()
    assert (usage.kind, usage.quantity, usage.state) == ("call_in", 1, "charged")
    assert usage.unit_price == Decimal("0.0102")  # 0.0085 x 1.20
    assert balance(acme) == Decimal("49.9898")
    [entry] = Entry.objects.filter(kind=Kind.USAGE)
    assert "Incoming call from +1 415-555-0123, 1 minute" in entry.text


def test_a_forwarded_call_is_taken_and_both_legs_are_charged(acme, forwarded, simulator):
    number = forwarded()
    simulator.phone(OTHER_PHONE, picks_up_after=4, talks=70)
    call = simulator.call(caller=CALLER, called=number.e164)
    simulator.run()
    assert call.over, call.transcript
    stored = Call.objects.get()
    assert (stored.outcome, stored.answered_by) == ("answered", OTHER_PHONE)
    assert {leg.e164: leg.status for leg in CallLeg.objects.all()} == {
        PHONE: "canceled", OTHER_PHONE: "completed",
    }  # fmt: skip
    usage_charges.settle_due()
    charged = {usage.kind: (usage.quantity, usage.amount) for usage in Usage.objects.all()}
    assert charged == {
        "call_in": (2, Decimal("0.0204")), "call_out": (2, Decimal("0.0336")),
    }  # fmt: skip
    assert balance(acme) == Decimal("49.946")
    usage_charges.settle_due()
    assert balance(acme) == Decimal("49.946")


def held(workspace) -> Decimal:
    return Wallet.objects.get(workspace=workspace).held


def test_the_parts_of_a_forwarded_call_are_paid_from_what_was_set_aside(
    acme, forwarded, simulator
):  # fmt: skip
    number = forwarded()
    simulator.phone(PHONE, picks_up_after=4, talks=70)
    simulator.call(caller=CALLER, called=number.e164)
    simulator.run()
    assert held(acme) == Decimal("0.81")  # half an hour, until it is settled
    usage_charges.settle_due()
    hold = Hold.objects.get()
    assert (held(acme), hold.captured, hold.released) == (
        0, Decimal("0.054"), Decimal("0.756"),
    )  # fmt: skip
    assert set(Entry.objects.filter(kind=Kind.USAGE).values_list("hold", flat=True)) == {hold.pk}


def test_more_than_was_set_aside_is_charged_whole(acme, forwarded, simulator):
    number = forwarded()
    simulator.phone(PHONE, picks_up_after=4, talks=2400)
    simulator.call(caller=CALLER, called=number.e164)
    simulator.run()
    usage_charges.settle_due()
    assert (held(acme), balance(acme)) == (0, Decimal("50") - 40 * Decimal("0.0270"))


def test_what_was_set_aside_for_a_call_that_nobody_took_is_free_again(acme, forwarded, simulator):
    number = forwarded()
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(hangs_up_after=8))
    simulator.run()
    usage_charges.settle_due()
    assert (held(acme), balance(acme)) == (0, 50)


def test_what_was_set_aside_is_free_again_though_the_end_was_never_reported(
    acme, forwarded, simulator
):  # fmt: skip
    number = forwarded()
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/status/", times=-1)
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(hangs_up_after=8))
    simulator.run()
    usage_charges.settle_due()
    assert held(acme) == Decimal("0.81")
    Call.objects.update(at=timezone.now() - timedelta(hours=1))
    catch_up.ask_about_the_silent()
    usage_charges.settle_due()
    assert (held(acme), balance(acme)) == (0, 50)


def test_a_part_that_could_not_be_paid_keeps_what_was_set_aside(acme, forwarded, simulator):
    """Whoever settles it dies between the claim and the charge; the next round pays it."""
    number = forwarded()
    simulator.phone(PHONE, picks_up_after=4, talks=70)
    simulator.call(caller=CALLER, called=number.e164)
    simulator.run()
    for leg in CallLeg.objects.filter(seconds__gt=0):
        Usage.objects.create(
            workspace=acme, kind="call_out", call=leg.call, leg=leg, state="due", quantity=2,
            unit_price=Decimal("0.0168"), amount=Decimal("0.0336"), currency="USD",
            at=timezone.now(), next_try_at=timezone.now() + timedelta(minutes=1),
        )  # fmt: skip
    CallLeg.objects.update(settled_at=timezone.now())
    usage_charges.settle_due()
    assert held(acme) == Decimal("0.7896")  # the way in is paid
    Usage.objects.update(next_try_at=timezone.now())
    usage_charges.settle_due()
    assert (held(acme), balance(acme)) == (0, Decimal("49.946"))


def test_nobody_takes_a_forwarded_call_so_the_fallback_does(forwarded, simulator):
    number = forwarded(together=False, seconds=15)
    call = simulator.call(caller=CALLER, called=number.e164, person=simulator.person(speaks=3))
    simulator.run()
    assert [line for line in call.transcript if line.startswith("Dials")] == [
        f"Dials {PHONE}", f"Dials {OTHER_PHONE}",
    ]  # fmt: skip
    assert Call.objects.get().outcome == "voicemail"
    assert Voicemail.objects.get().transcription.startswith("Hello, this is a test message")


def test_a_whisper_that_nobody_accepts_goes_on_to_the_fallback(forwarded, simulator):
    number = forwarded(whisper=True)
    simulator.phone(PHONE, picks_up_after=2)  # a mailbox: it picks up and presses nothing
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(speaks=3))
    simulator.run()
    assert Call.objects.get().outcome == "voicemail"


def test_a_whisper_that_is_accepted_connects(forwarded, simulator):
    number = forwarded(whisper=True)
    simulator.phone(PHONE, picks_up_after=2, keys=["1"], talks=20)
    simulator.call(caller=CALLER, called=number.e164)
    simulator.run()
    stored = Call.objects.get()
    assert (stored.outcome, stored.answered_by) == ("answered", PHONE)


def test_a_caller_who_hangs_up_while_it_rings_has_missed(forwarded, simulator):
    number = forwarded()
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(hangs_up_after=8))
    simulator.run()
    assert Call.objects.get().outcome == "missed"
    assert Conversation.objects.get().unread == 1
    usage_charges.settle_due()
    assert not Usage.objects.exists()


def test_a_text_arrives_is_charged_and_a_picture_is_kept(acme, seeded, simulator):
    simulator.text(sender=CALLER, recipient=seeded.e164, body="Hello there")
    simulator.text(sender=CALLER, recipient=seeded.e164, body="Look", pictures=1)
    simulator.run()
    text, picture = Message.objects.order_by("at")
    assert (text.body, text.handled_at is not None) == ("Hello there", True)
    media = picture.media.get()
    assert (media.state, media.content_type) == ("kept", "image/png")
    assert media.file.read().startswith(b"\x89PNG")
    charged = {usage.kind: usage.amount for usage in Usage.objects.all()}
    assert charged == {"sms_in": Decimal("0.0100"), "mms_in": Decimal("0.0198")}
    assert balance(acme) == Decimal("49.9702")


@pytest.mark.parametrize(
    ("kind", "price"), [("local", Decimal("0.0198")), ("toll_free", Decimal("0.0240"))]
)
def test_a_picture_costs_what_its_type_of_number_does(acme, seeded, simulator, kind, price):
    """As the carrier bills it: 0.0165 and 0.0200, times the markup."""
    seeded.number_type = kind
    seeded.save(update_fields=["number_type"])
    simulator.app.state.update(simulator.account, seeded.provider_sid, {"type": kind})
    simulator.text(sender=CALLER, recipient=seeded.e164, body="Look", pictures=2)
    simulator.run()
    usage = Usage.objects.get()
    assert (usage.kind, usage.quantity, usage.amount) == ("mms_in", 1, price)
    billed = conversations.fetch_message(sid=usage.message.sid).price
    assert usage.provider_unit_price == billed


@pytest.mark.parametrize("fault", ["webhook_unreachable", "webhook_twice", "webhook_forged"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_webhook_that_goes_wrong_stores_the_message_once(seeded, simulator, fault, times):
    simulator.fault(fault, method="WEBHOOK", times=times)
    simulator.text(sender=CALLER, recipient=seeded.e164, body="Hello")
    simulator.run()
    assert Message.objects.count() == 1
    assert Conversation.objects.get().unread == 1
    forged = [sent for sent in simulator.webhooks if sent.status == 403]
    assert len(forged) == (1 if fault == "webhook_forged" else 0)


def test_a_voice_webhook_that_is_lost_leaves_a_missed_call(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/voice/")
    call = simulator.call(caller=CALLER, called=seeded.e164)
    simulator.run()
    assert "cannot be connected at the moment" in " ".join(call.transcript)  # the fallback
    assert Call.objects.get().outcome == "missed"


def test_a_number_that_is_not_ours_any_more_rejects(seeded, simulator):
    seeded.delete()
    call = simulator.call(caller=CALLER, called="+12125550123")
    simulator.run()
    assert call.transcript[0].startswith("Rejected")


# --- Reports that are lost, with all their retries


def an_hour_later() -> None:
    Call.objects.update(ended_at=timezone.now() - timedelta(hours=1))


def test_a_leg_that_nobody_reported_is_found_and_charged(acme, forwarded, simulator):
    number = forwarded()
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/leg/", times=-1)
    simulator.phone(OTHER_PHONE, picks_up_after=4, talks=70)
    simulator.call(caller=CALLER, called=number.e164)
    simulator.run()
    assert not CallLeg.objects.exists()
    catch_up.ask_for_lost_parts()
    assert not CallLeg.objects.exists(), "too early to ask"
    an_hour_later()
    usage_charges.settle_due()
    assert held(acme) == Decimal("0.7896"), "only the way in is paid"
    for _ in range(2):
        catch_up.ask_for_lost_parts()
        usage_charges.settle_due()
    assert held(acme) == 0
    assert {leg.e164: leg.status for leg in CallLeg.objects.all()} == {
        PHONE: "canceled", OTHER_PHONE: "completed",
    }  # fmt: skip
    assert Call.objects.get().answered_by == OTHER_PHONE
    assert balance(acme) == Decimal("49.946"), "as if every report had come"


def lose(simulator, part: str) -> None:
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains=part, times=-1)


def ask_and_charge() -> None:
    an_hour_later()
    for _ in range(2):
        catch_up.ask_for_lost_parts()
        usage_charges.settle_due()


def test_a_mailbox_that_nobody_reported_is_charged_though_there_is_a_voicemail(
    acme, forwarded, simulator
):  # fmt: skip
    number = forwarded(whisper=True)
    lose(simulator, "/leg/")
    simulator.phone(PHONE, picks_up_after=2)  # presses nothing
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(speaks=3))
    simulator.run()
    assert (Call.objects.get().outcome, Voicemail.objects.count()) == ("voicemail", 1)
    usage_charges.settle_due()
    assert held(acme) > 0, "the phones are not known yet"
    ask_and_charge()
    assert CallLeg.objects.get(e164=PHONE).seconds > 0
    assert (held(acme), balance(acme)) == (0, Decimal("50") - Decimal("0.0102") - Decimal("0.0168"))


def test_a_mailbox_is_charged_though_the_caller_was_never_answered(acme, forwarded, simulator):
    number = forwarded(whisper=True)
    lose(simulator, "/leg/")
    simulator.phone(PHONE, picks_up_after=2)
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(hangs_up_after=6))
    simulator.run()
    call = Call.objects.get()
    assert (call.seconds, call.outcome) == (0, "missed")
    usage_charges.settle_due()
    assert held(acme) > 0
    ask_and_charge()
    assert CallLeg.objects.get(e164=PHONE).seconds > 0
    assert (held(acme), balance(acme)) == (0, Decimal("50") - Decimal("0.0168"))


def test_a_voicemail_is_found_though_the_phones_were_reported(forwarded, simulator):
    number = forwarded(whisper=True)
    lose(simulator, "/record")
    simulator.phone(PHONE, picks_up_after=2)
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(speaks=3))
    simulator.run()
    assert CallLeg.objects.filter(seconds__gt=0).exists()
    ask_and_charge()
    assert Voicemail.objects.get().seconds == 3
    assert Call.objects.get().outcome == "voicemail"


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("who", [PHONE, None])
def test_a_forwarded_call_of_which_all_is_known_is_not_asked_about(
    acme, forwarded, simulator, together, who
):
    number = forwarded(together=together)
    if who:
        simulator.phone(who, picks_up_after=4, talks=20)
    simulator.call(caller=CALLER, called=number.e164, person=simulator.person(speaks=3))
    simulator.run()
    usage_charges.settle_due()
    assert held(acme) == 0, "all is known and paid"
    an_hour_later()
    asked = len(simulator.app.log)
    catch_up.ask_for_lost_parts()
    assert len(simulator.app.log) == asked


def test_a_voicemail_that_nobody_reported_is_found(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/record", times=-1)
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    assert not Voicemail.objects.exists()
    an_hour_later()
    for _ in range(2):
        catch_up.ask_for_lost_parts()
    voicemail = Voicemail.objects.get()
    assert (voicemail.seconds, voicemail.state) == (7, "kept")
    call = Call.objects.get()
    assert (call.outcome, call.conversation.unread) == ("voicemail", 1)


def test_a_call_that_is_complete_is_not_asked_about(seeded, simulator):
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    an_hour_later()
    asked = len(simulator.app.log)
    catch_up.ask_for_lost_parts()
    assert len(simulator.app.log) == asked
    assert Call.objects.get().asked_for_parts_at is not None


def ended_calls(call: Call, count: int, **facts) -> None:
    """So many more calls like this one, that ended before it."""
    before = timezone.now() - timedelta(hours=2)
    values = {"conversation_id": call.conversation_id, "route": call.route, "direction": "in",
              "workspace_id": call.workspace_id, "number_id": call.number_id, "at": before,
              "status": "completed", "ended_at": before, "settled_at": before}  # fmt: skip
    Call.objects.bulk_create([Call(sid=sid(), **values | facts) for _ in range(count)])


def test_calls_of_which_all_is_known_keep_nobody_waiting(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/record", times=-1)
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    an_hour_later()
    ended_calls(Call.objects.get(), 3 * catch_up.AT_MOST, seconds=0, outcome="missed")
    catch_up.ask_for_lost_parts()
    assert not Call.objects.filter(asked_for_parts_at=None).exists()
    assert Voicemail.objects.get().seconds == 7


def test_the_carrier_is_asked_so_often_a_round(seeded, simulator):
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    ended_calls(Call.objects.get(), catch_up.AT_MOST + 5, seconds=99, outcome="missed")
    before = len(simulator.app.log)
    catch_up.ask_for_lost_parts()
    assert Call.objects.filter(asked_for_parts_at=None, seconds=99).count() == 5
    assert len(simulator.app.log) - before == 2 * catch_up.AT_MOST  # legs and recordings
    catch_up.ask_for_lost_parts()
    assert not Call.objects.filter(asked_for_parts_at=None, seconds=99).exists()


def test_a_carrier_that_fails_is_left_alone_for_the_round(seeded, simulator):
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    ended_calls(Call.objects.get(), 5, seconds=99, outcome="missed")
    simulator.fault("server_error", method="GET", path_contains="Calls", times=-1)
    before = len(simulator.app.log)
    catch_up.ask_for_lost_parts()
    assert len(simulator.app.log) - before == 1
    assert Call.objects.filter(asked_for_parts_at=None, seconds=99).count() == 5


def test_a_carrier_that_does_not_answer_is_asked_again(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/record", times=-1)
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=7))
    simulator.run()
    an_hour_later()
    simulator.fault("server_error", method="GET", path_contains="Recordings")
    catch_up.ask_for_lost_parts()
    assert not Voicemail.objects.exists()
    catch_up.ask_for_lost_parts()
    assert Voicemail.objects.get().seconds == 7
