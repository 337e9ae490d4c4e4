"""Mails are rows first: sent once per reason, and again when sending failed."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from conftest import make_member
from workspaces import notices
from workspaces.models import Membership, Notice
from workspaces.permissions import WALLET_VIEW, Role

pytestmark = pytest.mark.django_db


def tell(workspace, key="low:1", **address):
    address = address or {"permission": WALLET_VIEW}
    return notices.notify(workspace=workspace, key=key, subject="Low", body="Add funds", **address)


def test_everyone_who_holds_the_permission_gets_a_mail_of_their_own(acme, owner, member, viewer):
    tell(acme)
    assert notices.deliver_due() == 1
    assert sorted(message.to for message in mail.outbox) == [
        ["member@acme.test"],
        ["owner@acme.test"],
    ]


def test_the_same_reason_is_one_mail(acme, owner):
    assert tell(acme)
    assert not tell(acme)
    notices.deliver_due()
    notices.deliver_due()
    assert len(mail.outbox) == 1


def test_the_same_key_in_another_workspace_is_another_mail(acme, owner, globex, outsider):
    assert tell(acme)
    assert tell(globex)


def test_who_has_left_gets_nothing(acme, member):
    tell(acme, recipient=member)
    Membership.objects.filter(user=member).delete()
    notices.deliver_due()
    assert mail.outbox == []


def test_a_mail_that_could_not_be_sent_is_tried_again_later(acme, owner, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    tell(acme)
    assert notices.deliver_due() == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert notices.deliver_due() == 0, "it is left alone for a while"
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert notices.deliver_due() == 1
    assert Notice.objects.get().tries == 2


def test_a_recipient_and_a_permission_at_once_is_a_mistake(acme, owner):
    with pytest.raises(ValueError, match="not both"):
        notices.notify(
            workspace=acme, key="k", subject="s", body="b", permission=WALLET_VIEW, recipient=owner
        )


def test_support_staff_outside_the_workspace_get_no_mail(acme, globex):
    make_member(globex, Role.OWNER, "elsewhere@globex.test")
    tell(acme)
    notices.deliver_due()
    assert mail.outbox == []
