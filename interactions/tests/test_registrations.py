"""Numbers that cannot be chosen because their texts are turned away for want of a registration."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from interactions import registrations
from interactions.models import Conversation, Message
from interactions.tests.conftest import make_number, sid
from numbers.choice import barriers_of
from telephony.values import Capability

pytestmark = pytest.mark.django_db

SMS, VOICE = {Capability.SMS}, {Capability.VOICE}


def text(number, contact="+14155550123", status="undelivered", error_code=None, **ago) -> Message:
    at = timezone.now() - timedelta(**ago)
    talk, _ = Conversation.objects.get_or_create(
        number=number, contact=contact, defaults={"workspace": number.workspace, "last_at": at}
    )
    if talk.last_at < at:
        Conversation.objects.filter(pk=talk.pk).update(last_at=at)
    return Message.objects.create(
        workspace=number.workspace, number=number, conversation=talk, sid=sid("SM"),
        direction="out", status=status, error_code=error_code, at=at, ended_at=at, settled_at=at,
    )  # fmt: skip


def reason(number, needs=SMS) -> str:
    barrier = barriers_of(number.workspace, [number], needs).get(number.pk)
    return barrier.reason if barrier else ""


@pytest.mark.parametrize(
    ("code", "words"),
    [(30034, "not registered for business texting"), (30032, "is not verified for texting")],
)
def test_a_number_whose_text_was_turned_away_is_not_registered(number, code, words):
    text(number, error_code=code, days=2)
    assert reason(number).startswith("Registration missing: ")
    assert words in reason(number)
    fix = barriers_of(number.workspace, [number], SMS)[number.pk].fix
    assert fix.url.startswith("mailto:")


def test_it_can_be_chosen_for_calls(number):
    text(number, error_code=30034, days=2)
    assert reason(number, VOICE) == ""


def test_a_text_that_came_through_since_says_that_it_is_registered_now(number):
    text(number, error_code=30034, days=2)
    text(number, contact="+14155550777", status="delivered", days=3)
    assert reason(number)
    text(number, contact="+442079460958", status="delivered", days=1)
    assert reason(number), "only carriers in North America ask for it"
    text(number, contact="+14155550777", status="delivered", days=1)
    assert reason(number) == ""


def test_another_failure_is_no_missing_registration(number):
    text(number, error_code=30003, days=1)
    assert reason(number) == ""


def test_after_a_month_it_may_be_tried_again(number):
    text(number, error_code=30034, days=31)
    assert reason(number) == ""


def test_another_workspace_is_told_nothing(number, other_number):
    text(other_number, error_code=30034, days=1)
    assert barriers_of(number.workspace, [number, other_number], SMS) == {}


def test_many_numbers_take_one_query(acme):
    numbers = [make_number(acme, f"+1212555000{i}") for i in range(5)]
    for one in numbers:
        text(one, error_code=30034, days=1)
    with CaptureQueriesContext(connection) as queries:
        assert len(registrations.barriers(acme, numbers, SMS)) == 5
    assert len(queries) == 1
