"""STOP, START and HELP: heard in any shape, kept per workspace, heeded before we write."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.contact_rules import OptedOut, may_contact
from compliance.keywords import Keyword, keyword_in
from compliance.models import OptOut
from compliance.opt_outs import heed

pytestmark = pytest.mark.django_db

CONTACT, OURS = "+14155550123", "+12125550123"


@pytest.mark.parametrize(
    ("body", "keyword"),
    [
        ("STOP", Keyword.STOP), (" stop ", Keyword.STOP), ("Stop.", Keyword.STOP),
        ("unsubscribe", Keyword.STOP), ("OPTOUT", Keyword.STOP), ("Revoke", Keyword.STOP),
        ("start", Keyword.START), ("Yes", Keyword.START), ("UNSTOP", Keyword.START),
        ("help", Keyword.HELP), ("INFO", Keyword.HELP),
        ("please stop calling", None), ("stop it", None), ("", None), ("no", None),
    ],
)  # fmt: skip
def test_a_keyword_is_the_whole_message_in_any_case(body, keyword):
    assert keyword_in(body) == keyword


def test_the_providers_own_reading_wins():
    assert keyword_in("arrêt", reported="STOP") == Keyword.STOP


def ask(keyword, workspace, at=None):
    heed(keyword, workspace=workspace, contact=CONTACT, said=keyword.title(), said_to=OURS,
         at=at or timezone.now())  # fmt: skip


def test_stop_is_kept_for_this_workspace_alone(acme, globex):
    ask(Keyword.STOP, acme)
    with pytest.raises(OptedOut) as refused:
        may_contact(workspace=acme, contact=CONTACT)
    assert "wrote 'Stop' to +1 212-555-0123" in refused.value.sentence
    may_contact(workspace=globex, contact=CONTACT)
    may_contact(workspace=acme, contact="+14155550999")


def test_start_ends_it_and_the_past_is_kept(acme):
    ask(Keyword.STOP, acme)
    ask(Keyword.START, acme)
    may_contact(workspace=acme, contact=CONTACT)
    assert OptOut.objects.get().opted_in_at is not None
    ask(Keyword.STOP, acme)
    assert OptOut.objects.count() == 2
    with pytest.raises(OptedOut):
        may_contact(workspace=acme, contact=CONTACT)


def test_help_changes_nothing_and_stop_twice_is_one(acme):
    ask(Keyword.HELP, acme)
    assert not OptOut.objects.exists()
    ask(Keyword.STOP, acme)
    ask(Keyword.STOP, acme)
    assert OptOut.objects.count() == 1


def test_a_stop_that_comes_late_does_not_undo_a_later_start(acme):
    now = timezone.now()
    ask(Keyword.STOP, acme, at=now - timedelta(minutes=2))
    ask(Keyword.START, acme, at=now)
    ask(Keyword.STOP, acme, at=now - timedelta(minutes=1))
    may_contact(workspace=acme, contact=CONTACT)
