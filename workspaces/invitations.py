"""Inviting somebody by mail, and accepting.

The row is the invitation and its mail too: a sweep sends what was not sent yet. The link's
token is derived from the row's nonce and the secret key, and only its hash is stored.
"""

import hashlib
import logging
import secrets
from datetime import timedelta
from smtplib import SMTPException

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from lib import rate_limit
from lib.errors import Refusal
from workspaces import audit
from workspaces.members import MayNot, may_give, owners_only
from workspaces.models import Invitation, Membership, User
from workspaces.permissions import Role

log = logging.getLogger(__name__)

GOOD_FOR = timedelta(days=7)
RETRY_AFTER = timedelta(minutes=5)
MOST_TRIES = 50
AT_MOST = 50


class InvitationRefused(Refusal):
    code = "invitation_refused"
    title = "No invitation was sent"
    money = ""


class InvitationOver(Refusal):
    code = "invitation_over"
    title = "This invitation is over"
    status = 410
    money = ""


def invite(*, by: Membership, email: str, role: Role) -> Invitation:
    """Offer somebody a place in the workspace of ``by``; the mail goes out after the commit.

    Raises ``MayNot`` for a role with more than ``by`` has, ``InvitationRefused`` for a member
    or an open invitation, ``TooOften`` beyond the limit of mails.
    """
    workspace, now = by.workspace, timezone.now()
    may_give(by, role)
    members = Membership.objects.for_workspace(workspace)
    if members.filter(user__email__iexact=email).exists():
        raise InvitationRefused(f"{email} is a member of {workspace} already.")
    _count_mail(by)
    nonce = secrets.token_hex(16)
    try:
        with transaction.atomic():
            _withdraw_expired(by, email)
            invitation = Invitation(
                workspace=workspace, email=email, role=role, invited_by=by.user, created_at=now,
                expires_at=now + GOOD_FOR, nonce=nonce,
            )  # fmt: skip
            invitation.token_hash = _hash(token_of(invitation))
            invitation.save()
            _record(invitation, by.user, "invitation.sent", f"{email} was invited as {role.label}")
            transaction.on_commit(_ring)
    except IntegrityError as error:
        raise InvitationRefused(
            f"{email} has an open invitation already. Send it again, or withdraw it first."
        ) from error
    return invitation


def send_again(*, invitation: Invitation, by: Membership) -> None:
    """Give an open invitation a new link and a new week, and mail it. The old link is dead."""
    may_give(by, Role(invitation.role))
    _count_mail(by)
    with transaction.atomic():
        invitation = _locked(invitation)
        invitation.nonce = secrets.token_hex(16)
        invitation.token_hash = _hash(token_of(invitation))
        invitation.expires_at = timezone.now() + GOOD_FOR
        invitation.invited_by = by.user
        invitation.mailed_at = invitation.mail_tried_at = None
        invitation.mail_tries = 0
        invitation.save()
        _record(invitation, by.user, "invitation.sent", f"{invitation.email} was invited again")
        transaction.on_commit(_ring)


def withdraw(*, invitation: Invitation, by: Membership) -> None:
    """Its link leads nowhere from now on. Raises ``MayNot`` for an owner's, unless by an owner,
    and ``InvitationOver``.
    """
    owners_only(by, invitation.role)
    with transaction.atomic():
        invitation = _locked(invitation)
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
        text = f"The invitation of {invitation.email} was withdrawn"
        _record(invitation, by.user, "invitation.withdrawn", text)


def find(token: str) -> Invitation:
    """The open invitation of a link, whose inviter may still give what it gives.

    Raises ``InvitationOver``, and does not say which of the reasons it is.
    """
    found = (
        Invitation.objects.open()
        .filter(token_hash=_hash(token), expires_at__gt=timezone.now())
        .select_related("workspace", "invited_by")
        .first()
    )
    if found is None or not _still_stands(found):
        raise InvitationOver(
            "It has expired, was withdrawn, or was used already. Ask whoever invited you to "
            "send it again."
        )
    return found


def accept(*, invitation: Invitation, user: User) -> Membership:
    """Make ``user`` a member; once. Raises ``InvitationOver``, or ``MayNot`` for another login.

    The link proves that the address is theirs.
    """
    if user.email.lower() != invitation.email.lower():
        raise MayNot(f"This invitation is for {invitation.email}. Sign in with that address.")
    with transaction.atomic():
        invitation = _locked(invitation)
        membership, is_new = Membership.objects.get_or_create(
            workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
        )
        invitation.accepted_at, invitation.accepted_by = timezone.now(), user
        invitation.save(update_fields=["accepted_at", "accepted_by"])
        if is_new:
            _record(invitation, user, "member.joined", f"{user} joined as {invitation.role}")
        _note_verified(user)
    return membership


def accept_with_new_login(
    *, invitation: Invitation, first_name: str, last_name: str, password: str
) -> User:
    """Make a login for the invited address, and make it a member; both or neither.

    Raises ``InvitationOver``, or ``MayNot`` where the address has a login by now.
    """
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                invitation.email, password, first_name=first_name, last_name=last_name
            )
            accept(invitation=invitation, user=user)
    except IntegrityError as error:
        raise MayNot(f"{invitation.email} has a login already. Sign in with it.") from error
    return user


def token_of(invitation: Invitation) -> str:
    """What stands in the link; only who has the secret key can make it from the row."""
    digest = salted_hmac("workspaces.invitation", invitation.nonce, algorithm="sha256")
    return digest.hexdigest()


def link_of(invitation: Invitation) -> str:
    return settings.PUBLIC_BASE_URL + reverse("invitation", args=[token_of(invitation)])


def deliver_due() -> int:
    """Mail what was not mailed yet, each row taken by one process only. Returns how many."""
    sent = 0
    while sent < AT_MOST and (invitation := _claim()) is not None:
        try:
            _mail(invitation)
        except (OSError, SMTPException) as error:
            log.warning("invitation %s could not be mailed: %s", invitation.pk, error)
            break
        Invitation.objects.filter(pk=invitation.pk).update(mailed_at=timezone.now())
        sent += 1
    return sent


def _claim() -> Invitation | None:
    """Take the next for five minutes; whoever dies with it leaves it to the next round."""
    now = timezone.now()
    with transaction.atomic():
        invitation = (
            Invitation.objects.open()
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("invited_by", "workspace")
            .filter(mailed_at=None, mail_tries__lt=MOST_TRIES, expires_at__gt=now)
            .filter(Q(mail_tried_at=None) | Q(mail_tried_at__lt=now - RETRY_AFTER))
            .order_by("pk")
            .first()
        )
        if invitation is not None:
            invitation.mail_tried_at, invitation.mail_tries = now, invitation.mail_tries + 1
            invitation.save(update_fields=["mail_tried_at", "mail_tries"])
    return invitation


def _mail(invitation: Invitation) -> None:
    context = {"invitation": invitation, "link": link_of(invitation)}
    body = render_to_string("workspaces/mail/invitation.txt", context)
    subject = f"{invitation.invited_by} invites you to {invitation.workspace}"
    EmailMessage(" ".join(subject.split()), body, to=[invitation.email]).send()


def _locked(invitation: Invitation) -> Invitation:
    """As it is now, and held until the commit."""
    rows = Invitation.objects.open().select_for_update(of=("self",)).select_related("workspace")
    found = rows.filter(pk=invitation.pk, token_hash=invitation.token_hash).first()
    if found is None:
        raise InvitationOver("It was accepted, withdrawn or sent again in the meantime.")
    return found


def _still_stands(invitation: Invitation) -> bool:
    """Whoever was removed or lost the right since then invites nobody any more."""
    inviters = Membership.objects.for_workspace(invitation.workspace)
    inviter = inviters.filter(user=invitation.invited_by, user__is_active=True).first()
    if inviter is None or invitation.workspace.archived_at:
        return False
    try:
        may_give(inviter, Role(invitation.role))
    except MayNot:
        return False
    return True


def _withdraw_expired(by: Membership, email: str) -> None:
    now = timezone.now()
    expired = Invitation.objects.for_workspace(by.workspace).open()
    expired.filter(email__iexact=email, expires_at__lte=now).update(withdrawn_at=now)


def _note_verified(user: User) -> None:
    address, _ = EmailAddress.objects.get_or_create(
        user=user, email=user.email.lower(), defaults={"primary": True, "verified": True}
    )
    if not address.verified:
        address.verified = True
        address.save(update_fields=["verified"])


def _count_mail(by: Membership) -> None:
    rate_limit.spend("mail", who=by.workspace.pk, what="invitations")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _record(invitation: Invitation, by: User, action: str, text: str) -> None:
    audit.record(
        workspace=invitation.workspace, by=by, action=action, subject=invitation,
        label=invitation.email, text=text, details={"role": invitation.role},
    )  # fmt: skip


def _ring() -> None:
    from workspaces.tasks import deliver_invitations  # the task imports this module

    deliver_invitations.delay()
