"""Inviting by mail: the link works once, for its address, for a week, while it is meant."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from conftest import make_member, signed_in
from lib.rate_limit import TooOften
from workspaces import invitations, members
from workspaces.invitations import InvitationOver, InvitationRefused, token_of
from workspaces.members import MayNot
from workspaces.models import AuditEvent, Invitation, Membership, User
from workspaces.permissions import MEMBERS_MANAGE, Role

pytestmark = pytest.mark.django_db

NEW = {"first_name": "Nina", "last_name": "New", "password": "three-blue-lamps-hum"}


@pytest.fixture
def invite(owner, place):
    def send(email: str = "nina@new.test", role: Role = Role.MEMBER) -> Invitation:
        return invitations.invite(by=place(owner), email=email, role=role)

    return send


def link(invitation: Invitation) -> str:
    return f"/invitations/{token_of(invitation)}/"


def test_the_mail_has_the_link_and_the_row_does_not(acme, invite):
    invitation = invite()
    assert invitations.deliver_due() == 1
    [message] = mail.outbox
    assert message.to == ["nina@new.test"]
    assert message.subject == "Olivia invites you to Acme"
    assert f"https://desk.test{link(invitation)}" in message.body
    row = Invitation.objects.values().get()
    assert token_of(invitation) not in str(row)


def test_a_mail_that_could_not_be_sent_is_tried_again(acme, invite, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    invite()
    assert invitations.deliver_due() == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert invitations.deliver_due() == 0, "it is left alone for a while"
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert invitations.deliver_due() == 1
        assert invitations.deliver_due() == 0


def test_somebody_new_makes_a_login_and_is_in(acme, invite):
    invitation, browser = invite(), Client()
    page = browser.get(link(invitation))
    assert "Olivia invites nina@new.test as member" in page.text
    answer = browser.post(f"{link(invitation)}join/", NEW)
    assert answer.headers["Location"] == "/w/acme/numbers/"
    assert browser.get("/w/acme/numbers/").status_code == 200
    person = User.objects.get(email="nina@new.test")
    assert (str(person), Membership.objects.get(user=person).role) == ("Nina New", "member")
    assert EmailAddress.objects.get(user=person).verified
    actions = AuditEvent.objects.order_by("pk").values_list("action", "by_name")
    assert list(actions) == [("invitation.sent", "Olivia"), ("member.joined", "Nina New")]


def test_a_poor_password_is_refused_and_nothing_is_made(acme, invite):
    invitation, browser = invite(), Client()
    answer = browser.post(f"{link(invitation)}join/", NEW | {"password": "password1234"})
    assert answer.status_code == 422
    assert "too common" in answer.text
    assert "password1234" not in answer.text
    assert 'value="Nina"' in answer.text, "what was typed is kept"
    assert not User.objects.filter(email="nina@new.test").exists()


def test_somebody_with_a_login_joins_with_it(acme, invite, outsider):
    invitation = invite("OWNER@globex.test", Role.VIEWER)
    nobody = Client().get(link(invitation))
    assert f"/accounts/login/?next={link(invitation)}" in nobody.text
    browser = signed_in(outsider)
    assert "Join" in browser.get(link(invitation)).text
    answer = browser.post(f"{link(invitation)}accept/")
    assert answer.headers["Location"] == "/w/acme/numbers/"
    assert Membership.objects.get(workspace=acme, user=outsider).role == Role.VIEWER


def test_another_login_cannot_take_it(acme, invite, outsider):
    invitation, browser = invite(), signed_in(outsider)
    assert "Sign out and open the link again" in browser.get(link(invitation)).text
    assert browser.post(f"{link(invitation)}accept/").status_code == 422
    assert not Membership.objects.filter(workspace=acme, user=outsider).exists()


def test_a_login_that_exists_is_not_made_again(acme, invite, outsider):
    invitation = invite("owner@globex.test")
    answer = Client().post(f"{link(invitation)}join/", NEW)
    assert answer.status_code == 422
    assert "has a login already" in answer.text
    assert outsider.check_password("numbers-demo"), "nobody takes a login over"


def test_a_link_works_once(acme, invite):
    invitation = invite()
    Client().post(f"{link(invitation)}join/", NEW)
    assert Client().get(link(invitation)).status_code == 410
    with pytest.raises(InvitationOver):
        invitations.accept(invitation=invitation, user=User.objects.get(email="nina@new.test"))


@pytest.mark.parametrize("why", ["expired", "withdrawn", "sent again", "inviter removed",
                                 "inviter demoted", "archived", "made up"])  # fmt: skip
def test_a_link_is_dead_when_it_should_be(acme, owner, invite, place, why):
    second = make_member(acme, Role.OWNER, "second@acme.test")
    invitation, now = invite(), timezone.now()
    address = link(invitation)
    match why:
        case "expired":
            now += timedelta(days=8)
        case "withdrawn":
            invitations.withdraw(invitation=invitation, by=place(owner))
        case "sent again":
            invitations.send_again(invitation=invitation, by=place(owner))
        case "inviter removed":
            members.remove_member(membership=place(owner), by=place(second))
        case "inviter demoted":
            members.change_role(membership=place(owner), role=Role.VIEWER, by=place(second))
        case "archived":
            acme.archived_at = now
            acme.save()
        case "made up":
            address = "/invitations/made-up/"
    with time_machine.travel(now):
        for answer in (Client().get(address), Client().post(f"{address}join/", NEW)):
            assert answer.status_code == 410
            assert "This invitation is over" in answer.text
    assert not User.objects.filter(email="nina@new.test").exists()


def test_sent_again_it_has_a_new_link_and_a_new_week(acme, owner, invite, place):
    invitation = invite()
    invitations.deliver_due()
    with time_machine.travel(timezone.now() + timedelta(days=6)):
        invitations.send_again(invitation=invitation, by=place(owner))
        invitations.deliver_due()
    again = Invitation.objects.get()
    assert again.expires_at > invitation.expires_at
    assert link(again) != link(invitation)
    assert link(again) in mail.outbox[-1].body
    assert Client().get(link(again)).status_code == 200


def test_one_open_invitation_an_address(acme, invite):
    invite()
    with pytest.raises(InvitationRefused, match="has an open invitation already"):
        invite("NINA@new.test")
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert invite().pk, "an expired one is in nobody's way"
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.update(withdrawn_at=None)


def test_a_member_is_not_invited(acme, invite, member):
    with pytest.raises(InvitationRefused, match="is a member of Acme already"):
        invite("Member@acme.test")


def test_nobody_invites_to_more_than_they_have(acme, owner, member, place):
    with pytest.raises(MayNot, match=MEMBERS_MANAGE):
        invitations.invite(by=place(member), email="x@new.test", role=Role.VIEWER)
    admin = make_member(acme, Role.ADMIN, "admin@acme.test")
    with pytest.raises(MayNot, match="Only an owner"):
        invitations.invite(by=place(admin), email="x@new.test", role=Role.OWNER)


def test_an_admin_withdraws_no_invitation_of_an_owner(acme, invite):
    invitation = invite(role=Role.OWNER)
    browser = signed_in(make_member(acme, Role.ADMIN, "admin@acme.test"))
    answer = browser.post(f"/w/acme/invitations/{invitation.public_id}/withdraw/")
    assert (answer.status_code, "Only an owner" in answer.text) == (MayNot.status, True)
    assert Invitation.objects.open().get() == invitation


def test_mails_are_limited_by_workspace(acme, invite, settings):
    settings.RATE_LIMITS = {"mail": "2/h"}
    for number in range(2):
        invite(f"{number}@new.test")
    with pytest.raises(TooOften, match="Too many invitations"):
        invite("3@new.test")


def test_a_name_cannot_write_a_header(acme, owner, invite):
    acme.name = "Acme\nBcc: all@example.test"
    acme.save()
    invite()
    invitations.deliver_due()
    assert mail.outbox[0].subject == "Olivia invites you to Acme Bcc: all@example.test"
    assert mail.outbox[0].recipients() == ["nina@new.test"]
