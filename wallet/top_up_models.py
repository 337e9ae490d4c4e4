"""Money on its way in through Stripe. Written by ``wallet.top_up`` and ``wallet.taken_back``."""

import secrets
import uuid

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from wallet.models import Wallet, money_field
from workspaces.models import User, WorkspaceOwned

# Without the letters and digits that people mix up when they read a reference aloud.
UNMISTAKABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_top_up_reference() -> str:
    """What a person quotes to support, for example ``TOP-7K3MQ9XA``."""
    return "TOP-" + "".join(secrets.choice(UNMISTAKABLE) for _ in range(8))


class TopUp(WorkspaceOwned):
    """One attempt to pay money in, from the intent to its outcome.

    open → processing → paid | failed, open → paid | expired | cancelled. The row is committed
    before Stripe is called, and its reference is the idempotency key there and, in
    ``entry_key``, in the ledger: whoever dies leaves a row that the sweep settles by asking.

    One of the automatic recharge has a ``cause`` (``low-since:17``), charges a saved card
    with nobody present, and has no Checkout session and no person.
    """

    class State(models.TextChoices):
        OPEN = "open", "Not paid yet"
        PROCESSING = "processing", "Payment under way"
        PAID = "paid", "Paid"
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    UNSETTLED = (State.OPEN, State.PROCESSING)

    reference = models.CharField(
        max_length=12, unique=True, default=new_top_up_reference, editable=False
    )
    key = models.UUIDField(default=uuid.uuid4)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, db_index=False)
    amount = money_field()
    currency = models.CharField(max_length=3)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    cause = models.CharField(max_length=60, blank=True)
    card = models.ForeignKey(
        "wallet.SavedCard", null=True, on_delete=models.PROTECT, db_index=False
    )
    problem = models.CharField(max_length=300, blank=True, help_text="Why it failed.")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    # The page of ours to which the person goes on afterwards: a purchase, for example.
    return_to = models.CharField(max_length=1000, blank=True)
    session_id = models.CharField(max_length=255, blank=True)
    checkout_url = models.CharField(max_length=2000, blank=True)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    # How much of it Stripe gave back to the payer so far, and how often that changed.
    given_back = money_field(default=0)
    changes = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="top_up_key_once"),
            models.CheckConstraint(
                condition=Q(wallet=F("workspace")), name="top_up_wallet_of_workspace"
            ),
            models.UniqueConstraint(
                fields=["workspace", "cause"], condition=~Q(cause=""), name="top_up_cause_once"
            ),
            models.UniqueConstraint(
                fields=["workspace"],
                condition=~Q(cause="") & Q(state__in=["open", "processing"]),
                name="top_up_one_automatic_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(cause="", card__isnull=True)
                | (~Q(cause="") & Q(card__isnull=False, by__isnull=True, session_id="")),
                name="top_up_automatic_has_card",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="top_up_amount_positive"),
            models.CheckConstraint(
                condition=Q(given_back__gte=0, given_back__lte=F("amount")),
                name="top_up_given_back_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "processing"], settled_at__isnull=True)
                | Q(state__in=["paid", "expired", "cancelled", "failed"], settled_at__isnull=False),
                name="top_up_settled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(given_back=0) | Q(state="paid"), name="top_up_given_back_was_paid"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="top_up_newest_first"),
            models.Index(
                fields=["asked_at"],
                condition=Q(state__in=["open", "processing"]),
                name="top_up_unsettled",
            ),
            models.Index(
                fields=["payment_intent_id"],
                condition=~Q(payment_intent_id=""),
                name="top_up_by_payment",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("wallet:top_up", args=[self.workspace.slug, self.reference])

    @property
    def entry_key(self) -> str:
        """The key of the credit: a payment is credited once."""
        return f"top-up:{self.reference}"


class StripeEvent(models.Model):
    """A webhook that was handled, so that a replay changes nothing."""

    event_id = models.CharField(max_length=255, primary_key=True)
    kind = models.CharField(max_length=80)
    handled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
