"""Whose turn it is to be asked about at Stripe."""

from datetime import timedelta
from typing import TypeVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

ASK_AGAIN = timedelta(seconds=45)
ModelT = TypeVar("ModelT", bound=models.Model)


def take_turn(
    rows: "models.QuerySet[ModelT]", *, after: timedelta = ASK_AGAIN
) -> ModelT | None:  # fmt: skip
    """Take one that was not asked about for so long, each by one process only.

    Rows have ``asked_at``. Whoever dies with one leaves it to a later round.
    """
    now = timezone.now()
    due = rows.filter(Q(asked_at=None) | Q(asked_at__lt=now - after))
    with transaction.atomic():
        locked = due.select_for_update(skip_locked=True, of=("self",))
        row = locked.order_by("asked_at", "pk").first()
        if row is not None:
            row.asked_at = now  # type: ignore[attr-defined]
            row.save(update_fields=["asked_at"])
    return row
