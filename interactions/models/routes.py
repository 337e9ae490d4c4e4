"""Who answers a number."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from numbers.models import Number
from wallet.models import money_field
from workspaces.models import User, WorkspaceOwned, WorkspaceQuerySet


class Medium(models.TextChoices):
    VOICE = "voice", "Calls"
    MESSAGE = "message", "Messages"


class RouteQuerySet(WorkspaceQuerySet):
    def in_force(self) -> "RouteQuerySet":
        return self.filter(replaced_at=None)


class Route(WorkspaceOwned):
    """What a number does with calls, or with messages, from ``saved_at`` until it is replaced.

    Never changed once saved: a call follows the route that was in force when it arrived, so
    that each step of it, repeated or late, gets the same answer. ``plan`` is read by
    ``interactions.plans``. A number without a route answers with voicemail and keeps
    messages in the inbox.
    """

    number = models.ForeignKey(Number, on_delete=models.PROTECT, db_index=False)
    medium = models.CharField(max_length=7, choices=Medium)
    plan: Any = models.JSONField()
    # What a minute may cost the workspace at most, both legs together; bounds a call's length.
    minute_price = money_field(default=0)
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    saved_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)
    objects: ClassVar[models.Manager] = RouteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number", "medium"],
                condition=Q(replaced_at__isnull=True),
                name="route_in_force_once",
            ),
            models.CheckConstraint(
                condition=Q(medium__in=Medium.values), name="route_medium_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_medium_display()} to {self.number}"
