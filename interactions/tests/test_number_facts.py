"""What the pages of a number are told by its routes, its traffic and its charges."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from interactions import number_facts
from interactions.models import Call, Conversation, Usage
from interactions.plans import Answer, Answers, VoicePlan
from interactions.tests.conftest import make_number, set_route
from telephony.twiml import Greeting
from wallet import ledger
from wallet.models import Kind, Wallet

pytestmark = pytest.mark.django_db


def told(workspace, *numbers):
    return {usage.number_id: usage.name for usage in number_facts.usages(workspace, numbers)}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(Answers.SAY, greeting=Greeting(text="Closed.")), "Announcement"),
        (Answer(Answers.VOICEMAIL), "Voicemail"),
        (Answer(Answers.FORWARD, phones=("+12125550199",)), "+1 212-555-0199"),
        (
            Answer(Answers.FORWARD, phones=("+12125550199", "+12125550198")),
            "+1 212-555-0199 and 1 more",
        ),
    ],
)
def test_who_answers_is_told_in_a_few_words(acme, owner, number, answer, words):
    set_route(number, owner, VoicePlan(answer).write())
    assert told(acme, number) == {number.pk: words}


def test_a_number_without_a_route_is_answered_by_nobody_yet(acme, number):
    assert told(acme, number) == {}


def test_routes_of_another_workspace_are_not_told(acme, globex, owner, other_number):
    set_route(other_number, owner, VoicePlan(Answer(Answers.VOICEMAIL)).write())
    assert told(acme, other_number) == {}


def test_many_numbers_take_one_query(acme, owner):
    numbers = [make_number(acme, f"+1212555{i:04d}") for i in range(30)]
    for number in numbers:
        set_route(number, owner, VoicePlan(Answer(Answers.VOICEMAIL)).write())
    with CaptureQueriesContext(connection) as queries:
        assert len(told(acme, *numbers)) == 30
    assert len(queries) == 1


def test_recent_traffic_is_told_in_people(number):
    assert number_facts.traffic(number) == ["no calls or messages in the last 30 days"]
    for days, contact in ((1, "+14155550101"), (2, "+14155550102"), (40, "+14155550103")):
        Conversation.objects.create(
            workspace=number.workspace, number=number, contact=contact,
            last_at=timezone.now() - timedelta(days=days),
        )  # fmt: skip
    assert number_facts.traffic(number) == ["calls or messages with 2 people in the last 30 days"]


def test_what_calls_cost_is_summed_by_month(number, other_number):
    now = timezone.now()
    for place, (which, amount) in enumerate(
        [(number, "0.0102"), (number, "0.0204"), (other_number, "1.00")]
    ):
        talk = Conversation.objects.create(
            workspace=which.workspace, number=which, contact=f"+1415555{place:04d}", last_at=now
        )
        call = Call.objects.create(
            workspace=which.workspace, conversation=talk, number=which, direction="in",
            status="completed", at=now, sid=f"CA{place}",
        )  # fmt: skip
        entry = ledger.charge(
            wallet=Wallet.objects.get(workspace=which.workspace), kind=Kind.USAGE,
            amount=Decimal(amount), key=f"usage:{place}", text="A call",
        )  # fmt: skip
        Usage.objects.create(
            workspace=which.workspace, kind="call_in", call=call, state="charged", quantity=1,
            amount=Decimal(amount), entry=entry, at=now, next_try_at=now,
        )  # fmt: skip
    [cost] = number_facts.costs(number, now - timedelta(days=1))
    assert (cost.amount, cost.what) == (Decimal("0.0306"), "Calls and messages")


def test_a_number_without_conversations_says_so(as_owner, number):
    address = f"/w/acme/inbox/?number={number.public_id}"
    page = as_owner.get(address).content.decode()
    assert "No call and no message has come to this number" in page
    assert "Nothing found" not in page
