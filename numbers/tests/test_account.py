"""The provider's account is suspended or closed: noted, told to the operators, and over."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from conftest import signed_in
from numbers import account, cures, sync, tasks
from numbers.sync_models import Difference
from telephony.errors import ProviderError

pytestmark = pytest.mark.django_db

OPERATORS = ["ops@example.test"]


@pytest.fixture(autouse=True)
def _operators(settings):
    settings.OPERATOR_EMAILS = OPERATORS


def told() -> list[str]:
    return [message.subject for message in mail.outbox if message.to == OPERATORS]


def test_an_account_that_works_is_no_difference(simulator):
    account.look_at_account()
    assert not Difference.objects.exists()
    assert told() == []


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_one_that_does_not_is_told_once_and_ends_when_it_works_again(simulator, status):
    simulator.app.account_status = status
    for _ in range(3):
        account.look_at_account()
    difference = Difference.objects.get()
    assert (difference.kind, difference.theirs) == ("account", {"status": status})
    assert difference.last_seen_at > difference.first_seen_at
    assert told() == [f"Twilio's account is {status}"]
    assert account.trouble() == difference
    simulator.app.account_status = "active"
    account.look_at_account()
    difference.refresh_from_db()
    assert (difference.cure, account.trouble()) == ("by_itself", None)


def test_an_account_that_answers_nothing_but_that_it_is_suspended(simulator):
    simulator.fault("suspended")
    account.look_at_account()
    assert account.trouble().theirs == {"status": "suspended"}


def test_it_is_told_each_day_and_anew_when_it_happens_again(simulator, time_machine):
    simulator.app.account_status = "suspended"
    account.look_at_account()
    time_machine.move_to(timezone.now() + timedelta(days=1, minutes=1))
    account.look_at_account()
    assert len(told()) == 2
    for status in ("active", "suspended"):
        simulator.app.account_status = status
        account.look_at_account()
    assert len(told()) == 3


def test_what_is_meant_is_told_no_more(simulator, staff, time_machine):
    simulator.app.account_status = "suspended"
    account.look_at_account()
    cures.leave(account.trouble(), by=staff)
    time_machine.move_to(timezone.now() + timedelta(days=1, minutes=1))
    account.look_at_account()
    assert len(told()) == 1


def test_a_mail_that_could_not_be_sent_is_sent_at_the_next_look(simulator, settings):
    simulator.app.account_status = "suspended"
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    account.look_at_account()
    settings.EMAIL_BACKEND = works
    account.look_at_account()
    assert len(told()) == 1


def test_what_grows_worse_is_told_again(simulator, owner):
    for status in ("suspended", "closed"):
        simulator.app.account_status = status
        account.look_at_account()
    assert len(told()) == 2
    assert Difference.objects.get().theirs == {"status": "closed"}


@pytest.mark.parametrize("fault", ["unauthorized", "server_error", "rate_limited", "slow"])
def test_an_answer_that_says_nothing_changes_nothing(simulator, fault):
    simulator.app.account_status = "suspended"
    account.look_at_account()
    simulator.app.account_status = "active"
    simulator.fault(fault)
    with pytest.raises(ProviderError):
        account.look_at_account()
    assert account.trouble()
    simulator.fault(fault)
    tasks.look_at_account()  # the round goes on
    assert account.trouble()


def test_a_walk_that_comes_through_does_not_end_it(simulator):
    simulator.app.account_status = "suspended"
    account.look_at_account()
    assert sync.reconcile().complete
    assert account.trouble()


def test_operators_who_cannot_be_reached_are_still_noted_on_the_platform_page(
    simulator, settings, staff
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    simulator.app.account_status = "suspended"
    account.look_at_account()
    page = signed_in(staff).get("/admin/platform/").content.decode()
    assert "The account at the carrier does not work: 1" in page
    address = f"/admin/numbers/difference/{Difference.objects.get().pk}/decide/"
    assert "status: suspended" in signed_in(staff).get(address).content.decode()
