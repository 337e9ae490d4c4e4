"""Marking what has been looked at."""

from datetime import datetime

from interactions.models import Conversation


def mark_read(conversation: Conversation, *, seen_until: datetime) -> None:
    """Nothing in it is unread any more, unless something arrived after ``seen_until``."""
    Conversation.objects.filter(pk=conversation.pk, last_at__lte=seen_until).update(unread=0)
