"""When a number was last used, as its calls and messages tell."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from interactions import last_use
from interactions.last_use import note_last_use
from interactions.models import Conversation
from interactions.tasks import note_last_use as task
from interactions.tests.conftest import make_number

pytestmark = pytest.mark.django_db


def used(number):
    number.refresh_from_db()
    return number.last_used_at


def talked(number, contact: str = "+14155550123", **ago: int) -> Conversation:
    return Conversation.objects.create(
        workspace=number.workspace, number=number, contact=contact,
        last_at=timezone.now() - timedelta(**ago),
    )  # fmt: skip


def test_a_call_that_came_is_a_use(provider, number):
    assert used(number) is None
    provider.call(number.e164)
    task()
    assert timezone.now() - used(number) < timedelta(minutes=1)


def test_a_message_that_came_is_a_use(provider, number):
    provider.text(number.e164, "Hello")
    assert note_last_use() == 1
    assert timezone.now() - used(number) < timedelta(minutes=1)


def test_the_latest_of_all_conversations_counts(number, other_number):
    talked(number, "+14155550101", hours=5)
    latest = talked(number, "+14155550102", hours=1)
    theirs = talked(other_number, hours=3)
    assert note_last_use() == 2
    assert used(number) == latest.last_at
    assert used(other_number) == theirs.last_at


def test_it_never_goes_back(number):
    now = timezone.now()
    number.last_used_at = now
    number.save(update_fields=["last_used_at"])
    talked(number, hours=1)
    assert note_last_use() == 0
    assert used(number) == now


def test_a_later_look_begins_where_the_last_one_ended(number):
    note_last_use()
    talked(number, hours=1)  # before the last look: it would have been seen
    assert note_last_use() == 0
    talked(number, "+14155550199", minutes=1)
    assert note_last_use() == 1


def test_a_lost_mark_makes_it_look_at_everything(number):
    note_last_use()
    talked(number, hours=1)
    cache.clear()
    assert note_last_use() == 1


def test_more_than_one_batch_is_noted(acme, monkeypatch):
    monkeypatch.setattr(last_use, "AT_ONCE", 2)
    for i in range(5):
        talked(make_number(acme, f"+1212555{i:04d}"), minutes=i)
    assert note_last_use() == 5
