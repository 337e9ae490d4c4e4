"""What is done with a message once it is stored: mail, reply, charge, pictures.

Each part is safe to repeat, so that whoever dies half-way leaves a message that the sweep
handles again from the start.
"""

import logging
import uuid
from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from interactions import media, usage_charges
from interactions.answering import answerers
from interactions.models import Medium, Message, Route
from interactions.plans import MessagePlan
from interactions.send import send_message
from lib.errors import Refusal
from workspaces.models import Membership
from workspaces.notices import notify

log = logging.getLogger(__name__)

AT_MOST = 100
# An answering machine at the other end gets one reply in this time, not an endless exchange.
REPLY_AGAIN_AFTER = timedelta(hours=1)


def handle_due() -> None:
    """Messages whose bell was not heard, oldest first."""
    rows = Message.objects.filter(direction="in", handled_at=None).order_by("at")[:AT_MOST]
    for message in rows.select_related("number", "conversation__number", "workspace"):
        try:
            handle(message)
        except Exception:  # the sweep's outermost edge: the next message is someone else's
            log.exception("message %s could not be handled", message.public_id)


def handle(message: Message) -> None:
    """See to everything that a message that arrived asks for."""
    if message.handled_at or not message.is_incoming:
        return
    usage_charges.settle_message(message)
    for row in message.media.filter(state="due"):
        media.fetch_media(row)
    plan = plan_of(message)
    mail(message, plan)
    taken = any(answerer.message(message) for answerer in answerers())
    # The provider answers STOP, START and HELP itself.
    if plan.reply and not taken and not message.keyword:
        reply(message, plan.reply)
    Message.objects.filter(pk=message.pk).update(handled_at=timezone.now())


def plan_of(message: Message) -> MessagePlan:
    """The route for messages that was in force when this one arrived."""
    routes = Route.objects.filter(number=message.number_id, medium=Medium.MESSAGE)
    route = routes.filter(saved_at__lte=message.at).order_by("-saved_at").first()
    return MessagePlan.read(route.plan if route else None)


def mail(message: Message, plan: MessagePlan) -> None:
    """Mail the message to the people that the route names, each once."""
    if not plan.mail_to:
        return
    people = Membership.objects.for_workspace(message.workspace).filter(user__in=plan.mail_to)
    body = render_to_string(
        "interactions/mail/message.txt",
        {
            "message": message,
            "conversation": message.conversation,
            "address": settings.PUBLIC_BASE_URL + message.conversation.get_absolute_url(),
        },
    )
    for membership in people.select_related("user"):
        notify(
            workspace=message.workspace,
            key=f"message:{message.public_id}:{membership.user_id}",
            subject=f"Message from {message.conversation.contact_shown}",
            body=body,
            recipient=membership.user,
        )


def reply(message: Message, text: str) -> None:
    """The automatic reply, once for this message and not again within the hour."""
    lately = Message.objects.filter(
        conversation=message.conversation_id, direction="out", sent_by=None,
        at__gt=message.at - REPLY_AGAIN_AFTER,
    )  # fmt: skip
    key = uuid.uuid5(message.key, "automatic reply")
    if lately.exclude(key=key).exists():
        return
    try:
        send_message(
            workspace=message.workspace, by=None, conversation=message.conversation, body=text,
            key=key,
        )  # fmt: skip
    except Refusal as refusal:
        log.info("no automatic reply to %s: %s", message.public_id, refusal.sentence)
