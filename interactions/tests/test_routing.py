"""Deciding who answers: what is kept, what is refused and why, and the page that does it."""

import re
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from interactions.models import Route, UsageRate
from interactions.plans import Answer, Answers, MessagePlan, VoicePlan
from interactions.refusals import (
    EmergencyDestination,
    ExpensiveDestination,
    ForwardsToItself,
    ForwardsToOwn,
    NotAPhone,
    PremiumDestination,
)
from interactions.routing import plans_of, reprice_routes, save_message_route, save_voice_route
from interactions.tests.conftest import make_number, set_route
from numbers.models import Number
from numbers.usages import keep_order
from telephony.twiml import Greeting
from workspaces.models import AuditEvent, Membership

pytestmark = pytest.mark.django_db(transaction=True)

VOICEMAIL = Answer(kind=Answers.VOICEMAIL, greeting=Greeting(text="Speak now."))


def forward(*phones: str) -> VoicePlan:
    return VoicePlan(Answer(kind=Answers.FORWARD, phones=phones, fallback=VOICEMAIL))


@pytest.fixture
def save(acme, owner, number, simulator):
    return lambda plan: save_voice_route(workspace=acme, by=owner, number=number, plan=plan)


def test_phones_are_kept_as_e164_once_each(save, number):
    save(forward("(310) 555-0101", "+44 20 7946 0958", "310-555-0101"))
    assert plans_of(number)["voice"]["answer"]["phones"] == ["+13105550101", "+442079460958"]


def test_the_list_sorts_the_number_by_who_answers_now(save, number):
    for plan, words in (
        (forward("(310) 555-0101"), "+1 310-555-0101"), (VoicePlan(VOICEMAIL), "voicemail")
    ):  # fmt: skip
        save(plan)
        number.refresh_from_db()
        assert number.answered_by == words


def test_what_was_decided_before_is_noted_as_if_it_were_decided_now(acme, owner):
    """The migration that brought the column filled it."""
    saying = VoicePlan(Answer(kind=Answers.SAY, greeting=Greeting(text="Closed.")))
    both = forward("+13105550101", "+442079460958")
    for i, plan in enumerate((forward("+13105550101"), both, saying, VoicePlan(VOICEMAIL))):
        set_route(make_number(acme, f"+1212555000{i}"), owner, plan.write())
    migration = import_module("interactions.migrations.0060_order_of_answerers")
    with connection.schema_editor() as editor:
        migration.note_answerers(apps, editor)
    assert Number.objects.filter(answered_by="").count() == 0
    assert keep_order(acme, Number.objects.all()) == 0


def test_a_new_route_replaces_the_one_before_and_keeps_it(save, number, owner):
    first = save(forward("+13105550101"))
    second = save(VoicePlan(VOICEMAIL))
    first.refresh_from_db()
    assert (first.replaced_at, second.replaced_at) == (second.saved_at, None)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.by) == ("route.voice_changed", owner)
    assert event.details["before"] == first.plan
    assert "Voicemail" in event.text


def test_saving_the_same_again_changes_nothing(save):
    assert save(forward("+13105550101")) == save(forward("+13105550101"))
    assert Route.objects.count() == 1


def test_a_minute_costs_both_ways_together(save):
    route = save(forward("+13105550101", "+447400123456"))
    assert route.minute_price == Decimal("0.0102") + Decimal("0.0366")


def test_a_dearer_rate_reprices_the_route(save):
    route = save(forward("+13105550101"))
    UsageRate.objects.filter(kind="call_out", prefix="1").update(provider_price="0.1000")
    reprice_routes()
    route.refresh_from_db()
    assert route.minute_price == Decimal("0.1302")


@pytest.mark.parametrize(
    ("typed", "refusal", "words"),
    [
        ("911", EmergencyDestination, "911 is an emergency or service number"),
        ("112", EmergencyDestination, "emergency"),
        ("hello", NotAPhone, "hello is not a phone number"),
        ("+1 212 555", NotAPhone, "with its country code"),
        ("+1 900 555 0123", PremiumDestination, "premium-rate number"),
        ("+44 909 879 0000", PremiumDestination, "premium-rate number"),
        ("+53 7 831 4000", ExpensiveDestination, r"costs \$1\.14\. .* \$0\.50 or less"),
    ],
)
def test_where_nothing_is_forwarded_to_the_reason_is_said(save, number, typed, refusal, words):
    with pytest.raises(refusal, match=words):
        save(forward("+13105550101", typed))
    assert not Route.objects.exists()


def test_a_number_of_ones_own_would_go_in_a_circle(save, acme, number):
    other = make_number(acme, "+16465550123")
    for e164 in (number.e164, other.e164):
        with pytest.raises(ForwardsToItself, match="would come back here"):
            save(forward(e164))


def test_a_number_of_another_workspace_of_ones_own_is_refused_too(
    save, owner, globex, other_number
):
    Membership.objects.create(workspace=globex, user=owner, role="viewer")
    with pytest.raises(ForwardsToOwn, match="is a number of Globex") as refused:
        save(forward(other_number.e164))
    assert refused.value.fix.url == f"/w/globex/numbers/{other_number.public_id}/"
    assert not Route.objects.exists()


def test_a_number_of_another_workspace_is_no_secret_given_away(
    save, owner, number, globex, other_number
):
    """As to any phone: also where the person is in that workspace and may not see numbers."""
    plan = forward(other_number.e164)
    save(plan)
    assert VoicePlan.read(plans_of(number)["voice"]) == plan
    Membership.objects.create(
        workspace=globex, user=owner, role="viewer", withdrawn=["numbers_view"]
    )
    plan = forward("+13105550101", other_number.e164)
    save(plan)
    assert VoicePlan.read(plans_of(number)["voice"]) == plan


@pytest.mark.parametrize("is_member", [True, False])
def test_a_call_to_a_number_of_another_workspace_tells_nothing_of_it(
    owner, number, globex, other_number, provider, is_member
):
    """A route that was saved before: the caller hears what there is to hear at any phone."""
    if is_member:
        Membership.objects.create(workspace=globex, user=owner, role="owner")
    set_route(number, owner, forward(other_number.e164).write())
    _sid, to_other = provider.call(number.e164)
    set_route(number, owner, forward("+13105550101").write())
    _sid, to_phone = provider.call(number.e164)
    assert to_other.content.replace(b"+13105550199", b"+13105550101") == to_phone.content


def test_its_page_belongs_to_the_number(as_owner, number):
    page = as_owner.get(f"/w/acme/numbers/{number.public_id}/route/").text
    assert f'class="crumb" href="/w/acme/numbers/{number.public_id}/"' in page
    [current] = re.findall(r'<a href="([^"]*)"\s+aria-current="page"', page)
    assert current == "/w/acme/numbers/"


def test_messages_have_a_route_of_their_own(acme, owner, number, member):
    plan = MessagePlan(mail_to=(member.pk,), reply="Thank you, we will answer soon.")
    save_message_route(workspace=acme, by=owner, number=number, plan=plan)
    assert MessagePlan.read(plans_of(number)["message"]) == plan


# --- The page ---------------------------------------------------------------------------

FORM = {
    "answer": "forward", "phones": "+1 310 555 0101\n+1 310 555 0102", "ring": "in_turn",
    "seconds": "25", "caller_id": "number", "whisper": "on", "fallback": "voicemail",
    "greeting": "Please speak.", "transcribe": "on", "by_hours": "on", "closed": "say",
    "closed_words": "Closed.", "monday": "9-12, 13:00-17:00", "saturday": "10:00 to 12:00",
    "holidays": "2026-12-25\n2026-12-26",
}  # fmt: skip


def test_the_page_shows_voicemail_where_nothing_is_decided(as_owner, number, simulator):
    page = as_owner.get(f"/w/acme/numbers/{number.public_id}/route/").content.decode()
    assert "Nothing is decided yet, so callers reach voicemail." in page


def test_everything_on_the_form_is_kept_and_shown_again(as_owner, number, simulator):
    address = f"/w/acme/numbers/{number.public_id}/route/"
    response = as_owner.post(f"{address}calls/", FORM)
    assert (response.status_code, response["Location"]) == (302, address)
    page = as_owner.get(address).content.decode()
    assert (
        "Open Monday 09:00–12:00 and 13:00–17:00, Saturday 10:00–12:00, closed on 2 holidays"
        in (page)
    )
    assert "one after the other, for 25 seconds each, showing this number" in page
    assert "If nobody takes it: voicemail: the caller hears “Please speak.”" in page
    assert "When closed: the caller hears “Closed.”, and the call ends." in page
    plan = VoicePlan.read(plans_of(number)["voice"])
    assert plan.answer.whisper
    assert plan.answer.fallback.transcribe
    again = as_owner.post(f"{address}calls/", FORM)
    assert again.status_code == 302
    assert Route.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phones": ""}, "Give at least one phone"),
        ({"phones": "911"}, "911 is an emergency or service number"),
        ({"seconds": "500"}, "less than or equal to 60"),
        ({"monday": "25:00-26:00"}, "is not understood. Write hours as 09:00-17:00."),
        ({"monday": "17:00-09:00"}, "ends before it begins"),
        ({"monday": "", "saturday": ""}, "Give the hours of at least one day."),
        ({"holidays": "Christmas"}, "is not a date"),
        ({"answer": "say", "words": ""}, "Write what the caller shall hear."),
        ({"greeting_url": "http://insecure.test/a.mp3"}, "begins with https://"),
        ({"answer": "teleport"}, "Select a valid choice"),
        ({"phones": "\0"}, "Null characters are not allowed"),
        ({"phones": "x" * 10_000}, "at most 500 characters"),
    ],
)
def test_bad_input_is_refused_with_a_reason_and_kept(as_owner, number, simulator, changes, words):
    response = as_owner.post(f"/w/acme/numbers/{number.public_id}/route/calls/", FORM | changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert not Route.objects.exists()
    assert "Please speak." in page


def test_people_and_reply_are_saved_for_messages(as_owner, owner, outsider, number, simulator):
    address = f"/w/acme/numbers/{number.public_id}/route/"
    form = {"mail_to": [str(owner.pk)], "reply": "Thank you."}
    assert as_owner.post(f"{address}messages/", form).status_code == 302
    page = as_owner.get(address).content.decode()
    assert "They are mailed to Olivia." in page
    assert "The sender gets the reply “Thank you.”." in page
    stranger = as_owner.post(f"{address}messages/", {"mail_to": [str(outsider.pk)]})
    assert stranger.status_code == 422


def test_who_may_decide(as_member, as_viewer, as_outsider, number, other_number, simulator):
    address = f"/w/acme/numbers/{number.public_id}/route/"
    assert as_member.get(address).status_code == 200
    assert as_viewer.get(address).status_code == 403
    assert as_viewer.post(f"{address}calls/", FORM).status_code == 403
    assert as_outsider.get(address).status_code == 404
    elsewhere = f"/w/acme/numbers/{other_number.public_id}/route/"
    assert as_member.get(elsewhere).status_code == 404
    assert as_member.post(f"{elsewhere}calls/", FORM).status_code == 404
    assert as_member.get(f"{address}calls/").status_code == 405
    assert not Route.objects.exists()


def test_the_page_takes_eight_queries(as_owner, number, django_assert_max_num_queries):
    as_owner.get("/w/acme/inbox/")
    with django_assert_max_num_queries(8):
        as_owner.get(f"/w/acme/numbers/{number.public_id}/route/")
