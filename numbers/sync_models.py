"""What comparing with the provider has found: runs, and differences with their cures."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q

from lib import money
from numbers.models import Number, new_public_id
from workspaces.models import User, Workspace, WorkspaceOwned


class SyncRun(models.Model):
    """One walk over the provider's numbers. Nothing is cured after an incomplete one."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    dry_run = models.BooleanField(default=False)
    complete = models.BooleanField(default=False)
    seen = models.PositiveIntegerField(default=0, help_text="Numbers at the provider.")
    found = models.PositiveIntegerField(default=0, help_text="Differences seen in this run.")
    cured = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=400, blank=True)
    # What a dry run would have done about each difference, the first so many of them.
    planned = models.JSONField(default=list, db_default=[])

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.seen} numbers, {self.found} differences"


class DifferenceQuerySet(models.QuerySet):
    def open(self) -> "DifferenceQuerySet":
        return self.filter(ended_at=None)

    def troubling(self) -> "DifferenceQuerySet":
        """Open, and nobody has said that it is meant."""
        return self.open().filter(left_at=None)

    def vanished(self) -> "DifferenceQuerySet":
        """Numbers that the carrier lost, noted as gone."""
        return self.filter(kind=Difference.Kind.MISSING, cure=Difference.Cure.VANISHED)

    def of(self, number: Number) -> "DifferenceQuerySet":
        return self.filter(number=number)


class Difference(models.Model):
    """Something about a number that is not the same here and at the provider.

    One row as long as it lasts, however often it is seen. ``workspace`` is empty only for
    numbers that are nobody's, and ``e164`` for what is about the whole account.
    """

    class Kind(models.TextChoices):
        MISSING = "missing", "Not at the carrier any more"
        RETURNED = "returned", "At the carrier again"
        ORDERED = "ordered", "Bought by an order that does not know it yet"
        RELEASED = "released", "Given back here, still at the carrier"
        NOBODYS = "nobodys", "At the carrier, and nobody's here"
        WEBHOOKS = "webhooks", "Calls or messages are sent somewhere else"
        OVERRIDDEN = "overridden", "Handled by an application or trunk at the carrier"
        SERVICE = "service", "Its messages are taken by a messaging service at the carrier"
        NAME = "name", "Another friendly name at the carrier"
        CAPABILITIES = "capabilities", "It can do something else than we say"
        NOT_IN_USE = "not_in_use", "The carrier says it is not in use"
        EMERGENCY = "emergency", "Its emergency address has changed at the carrier"
        BUNDLE = "bundle", "Its approved documents have changed at the carrier"
        ACCOUNT = "account", "The account at the carrier does not work"

    class Cure(models.TextChoices):
        BY_ITSELF = "by_itself", "Was gone at the next look"
        REPAIRED = "repaired", "Set right at the carrier"
        ADOPTED = "adopted", "Given to its order"
        TAKEN_OVER = "taken_over", "Noted here as the carrier says"
        WOKEN = "woken", "The number is as it was before it vanished"
        VANISHED = "vanished", "The number is inactive and costs nothing any more"
        ASSIGNED = "assigned", "Assigned to a workspace"
        GIVEN_BACK = "given_back", "Given back to the carrier"

    # What a number that is nobody's costs us per month, in ``theirs``, where it is known.
    COST = ("monthly_price", "currency")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.PROTECT, db_index=False)
    number = models.ForeignKey(Number, null=True, on_delete=models.PROTECT, db_index=False)
    e164 = models.CharField("number", max_length=16)
    provider_sid = models.CharField(max_length=34)
    kind = models.CharField(max_length=12, choices=Kind)
    ours = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict)
    # Somebody set the other value on purpose: it is shown and asked about, never overwritten.
    asks = models.BooleanField(default=False)
    # Looked at and left as it is, on purpose; forgotten when the other value changes.
    left_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_run = models.ForeignKey(SyncRun, null=True, on_delete=models.SET_NULL, db_index=False)
    ended_at = models.DateTimeField(null=True)
    cure = models.CharField(max_length=12, choices=Cure, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    cured_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, db_index=False)
    objects = DifferenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_sid", "kind"],
                condition=Q(ended_at__isnull=True),
                name="difference_open_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, cure="")
                | (Q(ended_at__isnull=False) & ~Q(cure="")),
                name="difference_ended_by_a_cure",
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(workspace__isnull=False),
                name="difference_of_a_number_has_workspace",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "number"], name="difference_of_number"),
            models.Index(
                fields=["kind", "last_seen_at"],
                condition=Q(ended_at__isnull=True),
                name="difference_open",
            ),
        ]

    def __str__(self) -> str:
        about = f"{self.e164}: " if self.e164 else ""
        return f"{about}{self.get_kind_display()}"

    @property
    def theirs_but_cost(self) -> dict[str, Any]:
        """What somebody can change; a new price of the provider's is nobody's doing."""
        return {name: value for name, value in self.theirs.items() if name not in self.COST}

    @property
    def monthly_cost(self) -> str:
        """What nobody's number costs us, for reading; empty where it is not known."""
        amount, currency = (self.theirs.get(name, "") for name in self.COST)
        return money.show(Decimal(amount), currency) if amount else ""


class NumberCheck(WorkspaceOwned):
    """One number compared on its own, because somebody asked for it."""

    number = models.ForeignKey(Number, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, db_index=False)
    answered = models.BooleanField(help_text="The carrier told what it has.")
    found = models.PositiveSmallIntegerField(default=0, help_text="Differences seen.")

    class Meta:
        indexes = [models.Index(fields=["workspace", "number", "-at"], name="check_newest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.found} differences"


class BalanceSample(models.Model):
    """What the provider's account had at a time: how fast it goes tells when it is empty."""

    at = models.DateTimeField(db_index=True)
    amount = models.DecimalField(max_digits=18, decimal_places=6)
    currency = models.CharField(max_length=3)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.amount} {self.currency}"
