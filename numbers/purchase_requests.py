"""What somebody would like to have bought by those who may."""

import secrets
import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from numbers.models import UNMISTAKABLE, NumberOrder
from workspaces.models import Membership, User, WorkspaceOwned, WorkspaceQuerySet
from workspaces.permissions import NUMBERS_CREATE


def new_request_reference() -> str:
    return "REQ-" + "".join(secrets.choice(UNMISTAKABLE) for _ in range(8))


class PurchaseRequestQuerySet(WorkspaceQuerySet):
    def waiting(self) -> Self:
        return self.filter(state=PurchaseRequest.State.WAITING)

    def visible_to(self, membership: Membership) -> Self:
        """All of the workspace's for those who decide; for the others their own."""
        rows = self.filter(workspace=membership.workspace_id)
        return rows if membership.can(NUMBERS_CREATE) else rows.filter(asked_by=membership.user_id)


class PurchaseRequest(WorkspaceOwned):
    """What somebody without the permission to buy would like to have bought.

    ``key`` is that of the reviewed quote and becomes the order's: asking twice is one
    request, and approving twice one order.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    reference = models.CharField(
        max_length=12, unique=True, default=new_request_reference, editable=False
    )
    key = models.UUIDField(default=uuid.uuid4)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)
    quoted = models.JSONField(help_text="What was reviewed, at the prices of then.")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    decided_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    order = models.OneToOneField(NumberOrder, null=True, on_delete=models.PROTECT)
    objects: ClassVar[models.Manager] = PurchaseRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="purchase_request_key_once"),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(state="waiting") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="purchase_request_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state="approved", order__isnull=False)
                | (~Q(state="approved") & Q(order__isnull=True)),
                name="purchase_request_approved_has_order",
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | ~Q(reason=""),
                name="purchase_request_declined_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-id"], name="purchase_request_newest"),
            models.Index(
                fields=["workspace", "id"],
                condition=Q(state="waiting"),
                name="purchase_request_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("numbers:request", args=[self.workspace.slug, self.reference])
