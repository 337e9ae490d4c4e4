"""What a message brings about: mail, reply, pictures; and finding what no webhook told of."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from interactions import catch_up, handling, media
from interactions.models import ArrivedForNobody, Call, MediaFile, Message, Voicemail
from interactions.plans import MessagePlan
from interactions.tests.conftest import CALLER, set_route, sid
from telephony.webhook_urls import webhooks_for_numbers
from workspaces.models import Membership, Notice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def seeded(simulator, number):
    webhooks = webhooks_for_numbers(["sms", "voice"])
    simulator.seed(
        number.e164, type="local", voice_url=webhooks.voice_url, sms_url=webhooks.message_url,
        voice_fallback_url=webhooks.voice_fallback_url, status_callback=webhooks.voice_status_url,
        sms_fallback_url=webhooks.message_fallback_url,
        capabilities={"voice": True, "sms": True, "mms": True},
    )  # fmt: skip
    return number


@pytest.fixture
def plan(owner, seeded):
    return lambda **facts: set_route(seeded, owner, MessagePlan(**facts).write(), "message")


def text(simulator, number, body="Hello", **facts) -> None:
    simulator.text(sender=CALLER, recipient=number.e164, body=body, **facts)
    simulator.run()


def outgoing() -> list[str]:
    return list(Message.objects.filter(direction="out").values_list("body", flat=True))


def test_a_message_is_mailed_to_those_who_are_named_once(
    acme, owner, member, seeded, plan, simulator
):
    plan(mail_to=(owner.pk, member.pk))
    text(simulator, seeded, "Are you open?")
    handling.handle_due()
    assert Notice.objects.count() == 2
    assert {message.to[0] for message in mail.outbox} == {owner.email, member.email}
    body = mail.outbox[0].body
    assert "Are you open?" in body
    assert "https://desk.test/w/acme/inbox/" in body


def test_who_has_left_the_workspace_gets_nothing(member, seeded, plan, simulator):
    plan(mail_to=(member.pk,))
    Membership.objects.filter(user=member).delete()
    text(simulator, seeded)
    assert mail.outbox == []


def test_an_automatic_reply_is_sent_once_an_hour(seeded, plan, simulator):
    plan(reply="Thank you.")
    text(simulator, seeded)
    text(simulator, seeded, "And another thing")
    assert outgoing() == ["Thank you."]
    long_ago = timezone.now() - timedelta(hours=2)
    Message.objects.filter(direction="out").update(at=long_ago)
    text(simulator, seeded, "Hello again")
    assert outgoing() == ["Thank you.", "Thank you."]


@pytest.mark.parametrize("body", ["STOP", "help", "Start"])
def test_a_keyword_gets_no_reply_of_ours(seeded, plan, simulator, body):
    plan(reply="Thank you.")
    text(simulator, seeded, body)
    assert outgoing() == []
    assert Message.objects.get().keyword == body.upper()


def test_no_reply_goes_to_one_who_opted_out(seeded, plan, simulator):
    plan(reply="Thank you.")
    text(simulator, seeded, "STOP")
    text(simulator, seeded, "What did you say?")
    assert outgoing() == []


def test_handling_twice_does_everything_once(owner, seeded, plan, simulator):
    plan(mail_to=(owner.pk,), reply="Thank you.")
    text(simulator, seeded)
    Message.objects.filter(direction="in").update(handled_at=None)  # as if it died at the end
    handling.handle_due()
    assert (outgoing(), len(mail.outbox)) == (["Thank you."], 1)


class Bot:
    """An answerer that deals with every message."""

    def voice(self, call):
        return None

    def message(self, message):
        return True


def test_an_answerer_that_takes_a_message_keeps_the_reply_from_being_sent(
    seeded, plan, simulator, settings
):
    settings.INBOUND_ANSWERERS = ["interactions.tests.test_handling.Bot"]
    plan(reply="Thank you.")
    text(simulator, seeded)
    assert outgoing() == []
    assert Message.objects.get().handled_at is not None


# --- Pictures and voicemails ----------------------------------------------------------------


def send_file(simulator, number, content_type: str, content: bytes) -> None:
    simulator.app.texts.arrive(sender=CALLER, recipient=number.e164, body="",
                               media=[(content_type, content)])  # fmt: skip
    simulator.run()


@pytest.mark.parametrize(
    ("content_type", "content", "because"),
    [
        ("image/png", b"<html><script>alert(1)</script>", "not a picture, whatever"),
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        ("video/mp4", b"\0\0\0\x18ftyp", "Files of the type video/mp4 are not kept"),
        ("image/png", b"\x89PNG\r\n\x1a\n" + b"0" * 5_300_000, "larger than 5 MB"),
    ],
)
def test_what_is_no_picture_is_not_kept_and_says_why(
    seeded, simulator, content_type, content, because
):
    send_file(simulator, seeded, content_type, content)
    row = MediaFile.objects.get()
    assert (row.state, row.file.name) == ("refused", "")
    assert because in row.refused_because


def test_a_picture_that_could_not_be_fetched_is_fetched_by_the_sweep(seeded, simulator):
    simulator.fault("unavailable", method="GET", path_contains="/Media/")
    text(simulator, seeded, "Look", pictures=1)
    row = MediaFile.objects.get()
    assert (row.state, row.tries) == ("due", 1)
    media.fetch_due()
    row.refresh_from_db()
    assert row.state == "due"  # not yet: it waits a little longer each time
    MediaFile.objects.update(next_try_at=timezone.now())
    media.fetch_due()
    row.refresh_from_db()
    assert row.state == "kept"


def test_a_voicemail_that_is_not_there_yet_is_fetched_later(seeded, simulator):
    simulator.fault("unavailable", method="GET", path_contains="/Recordings/")
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=3))
    simulator.run()
    assert Voicemail.objects.get().state == "due"
    Voicemail.objects.update(next_try_at=timezone.now())
    media.fetch_due()
    assert Voicemail.objects.get().state == "kept"


def test_a_voicemail_that_is_never_there_is_said_to_be_lost(seeded, simulator):
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(speaks=3))
    simulator.fault("server_error", method="GET", path_contains="/Recordings/")
    simulator.run()
    Voicemail.objects.update(sid=sid("RE"), tries=media.MOST_TRIES - 1,
                             next_try_at=timezone.now())  # fmt: skip
    media.fetch_due()
    assert Voicemail.objects.get().state == "lost"


# --- What no webhook told of ----------------------------------------------------------------


def caught_up() -> int:
    """What a look ten minutes later finds."""
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        return catch_up.catch_up()


def test_what_has_just_arrived_is_left_to_its_webhook(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", times=-1)
    text(simulator, seeded, "Lost")
    assert catch_up.catch_up() == 0
    assert caught_up() == 1


def test_messages_whose_webhooks_were_lost_are_found(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", times=-1)
    text(simulator, seeded, "Lost")
    text(simulator, seeded, "Lost too", pictures=1)
    assert not Message.objects.exists()
    assert caught_up() == 2
    assert set(Message.objects.values_list("body", flat=True)) == {"Lost", "Lost too"}
    assert MediaFile.objects.get().state == "kept"
    assert caught_up() == 0


def test_a_call_whose_webhooks_were_all_lost_is_found(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", times=-1)
    simulator.call(caller=CALLER, called=seeded.e164)
    simulator.run()
    assert caught_up() == 1
    call = Call.objects.get()
    assert (call.outcome, call.conversation.unread) == ("missed", 1)


def test_what_was_turned_away_is_not_found_again(simulator):
    webhooks = webhooks_for_numbers(["sms", "voice"])
    simulator.seed("+12125550123", type="local", sms_url=webhooks.message_url)
    simulator.text(sender=CALLER, recipient="+12125550123", body="Anyone?")
    simulator.run()
    assert ArrivedForNobody.objects.count() == 1
    assert caught_up() == 0


def test_a_list_that_breaks_off_is_read_again_from_the_same_place(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", times=-1)
    text(simulator, seeded, "Lost")
    simulator.fault("server_error", method="GET", path_contains="Calls.json")
    from telephony.errors import ProviderError

    with pytest.raises(ProviderError):
        caught_up()
    assert caught_up() == 0  # the message was stored before it broke off
    assert Message.objects.count() == 1


def test_a_call_that_never_ended_for_us_is_asked_about(seeded, simulator):
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/status/", times=-1)
    simulator.call(caller=CALLER, called=seeded.e164, person=simulator.person(hangs_up_after=9))
    simulator.run()
    assert Call.objects.get().ended_at is None
    catch_up.ask_about_the_silent()
    assert Call.objects.get().ended_at is None  # too early to ask
    Call.objects.update(at=timezone.now() - timedelta(hours=1))
    catch_up.ask_about_the_silent()
    assert Call.objects.get().status == "completed"


def test_a_message_whose_reports_were_lost_is_asked_about(owner, acme, seeded, plan, simulator):
    plan(reply="Thank you.")
    simulator.fault("webhook_lost", method="WEBHOOK", path_contains="/message/status/", times=-1)
    text(simulator, seeded)
    sent = Message.objects.get(direction="out")
    assert sent.status == "queued"
    Message.objects.update(at=timezone.now() - timedelta(hours=1))
    catch_up.ask_about_the_silent()
    sent.refresh_from_db()
    assert sent.status == "delivered"
