"""Mails to the people of a workspace: each is a row first, so that none is lost.

The row is written in the transaction that has the reason for it; its key makes the same
reason one mail. A sweep sends what is due. Whoever dies between sending and noting it
leaves a mail that is sent again: better twice than never.
"""

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from workspaces.models import Membership, Notice, User, Workspace

log = logging.getLogger(__name__)

RETRY_AFTER = timedelta(minutes=5)
MOST_TRIES = 50
AT_MOST = 50


def notify(
    *, workspace: Workspace, key: str, subject: str, body: str, permission: str = "",
    recipient: User | None = None,
) -> bool:  # fmt: skip
    """Mail everyone who holds ``permission``, or one ``recipient``; once per ``key``.

    Returns whether this is the first time. ``body`` is plain text.
    """
    if bool(permission) == (recipient is not None):
        raise ValueError("name a permission or a recipient, and not both")
    _, created = Notice.objects.get_or_create(
        workspace=workspace, key=key,
        defaults={"permission": permission, "recipient": recipient, "subject": subject,
                  "body": body, "created_at": timezone.now()},
    )  # fmt: skip
    if created:
        transaction.on_commit(_ring)
    return created


def deliver_due() -> int:
    """Send what waits, each row taken by one process only. Returns how many were sent."""
    sent = 0
    while sent < AT_MOST and (notice := _claim()) is not None:
        try:
            _send(notice)
        except (OSError, SMTPException) as error:
            log.warning("notice %s could not be sent: %s", notice.pk, error)
            break
        Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now())
        sent += 1
    return sent


def _claim() -> Notice | None:
    """Take the next mail for five minutes; whoever dies with it leaves it to the next round."""
    now = timezone.now()
    with transaction.atomic():
        notice = (
            Notice.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("recipient", "workspace")
            .filter(sent_at=None, tries__lt=MOST_TRIES)
            .filter(Q(tried_at=None) | Q(tried_at__lt=now - RETRY_AFTER))
            .order_by("pk")
            .first()
        )
        if notice is not None:
            notice.tried_at, notice.tries = now, notice.tries + 1
            notice.save(update_fields=["tried_at", "tries"])
    return notice


def _send(notice: Notice) -> None:
    """Each person gets a mail of their own: addresses are nobody else's business."""
    for address in recipients_of(notice):
        EmailMessage(notice.subject, notice.body, to=[address]).send()


def recipients_of(notice: Notice) -> list[str]:
    """The addresses, looked up when it is sent: who has left gets nothing any more."""
    if notice.recipient is not None:
        is_here = Membership.objects.for_workspace(notice.workspace).filter(user=notice.recipient)
        return [notice.recipient.email] if is_here.exists() else []
    holders = Membership.objects.for_workspace(notice.workspace).who_can(notice.permission)
    return [membership.user.email for membership in holders.select_related("user")]


def _ring() -> None:
    from workspaces.tasks import deliver_notices  # the task imports this module

    deliver_notices.delay()
