"""The automatic recharge: what is wanted, and the card it may use.

Written by ``wallet.recharge`` and ``wallet.cards``. The payments themselves are rows of
``TopUp`` with a cause.
"""

import secrets

from django.db import models
from django.db.models import F, Q

from wallet.models import money_field
from wallet.top_up_models import UNMISTAKABLE
from workspaces.models import User, Workspace, WorkspaceOwned


def new_card_reference() -> str:
    return "CARD-" + "".join(secrets.choice(UNMISTAKABLE) for _ in range(8))


class SavedCard(WorkspaceOwned):
    """A card that a workspace lets us charge with nobody present, from the intent on.

    open → saved → detaching → removed, open → expired. Like a payment it is committed before
    Stripe is called; a sweep settles it by asking. The card's number is at Stripe alone.
    """

    class State(models.TextChoices):
        OPEN = "open", "Not saved yet"
        SAVED = "saved", "Saved"
        EXPIRED = "expired", "Expired"
        DETACHING = "detaching", "Being removed"
        REMOVED = "removed", "Removed"

    UNSETTLED = (State.OPEN, State.DETACHING)

    reference = models.CharField(
        max_length=13, unique=True, default=new_card_reference, editable=False
    )
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    session_id = models.CharField(max_length=255, blank=True)
    setup_url = models.CharField(max_length=2000, blank=True)
    customer_id = models.CharField(max_length=255, blank=True)
    payment_method_id = models.CharField(max_length=255, blank=True)
    brand = models.CharField(max_length=40, blank=True)
    last_four = models.CharField(max_length=4, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Until then the page at Stripe is open.")
    asked_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "expired"])
                | (~Q(payment_method_id="") & ~Q(customer_id="")),
                name="saved_card_can_be_charged",
            ),
            # One card at a time, so that nobody wonders which one is charged.
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(state="saved"), name="saved_card_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(state__in=["open", "detaching"]),
                name="saved_card_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand.capitalize()} ending in {self.last_four}"


class AutoRecharge(WorkspaceOwned):
    """What a workspace wants: below ``threshold`` add ``amount``, at most ``monthly_cap``.

    Off until somebody switches it on. A decline switches it off, with the reason in
    ``stopped_because`` until somebody switches it on again. Amounts in the wallet's currency.
    """

    workspace = models.OneToOneField(
        Workspace, primary_key=True, on_delete=models.PROTECT, related_name="auto_recharge"
    )
    is_on = models.BooleanField(default=False)
    threshold = money_field(default=10)
    amount = money_field(default=25)
    monthly_cap = money_field(default=100)
    card = models.ForeignKey(SavedCard, null=True, on_delete=models.PROTECT, db_index=False)
    stopped_because = models.CharField(max_length=300, blank=True)
    declined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(threshold__gte=0, amount__gt=0, monthly_cap__gte=F("amount")),
                name="auto_recharge_amounts_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(is_on=False) | Q(card__isnull=False, stopped_because=""),
                name="auto_recharge_on_has_card",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace"], condition=Q(is_on=True), name="auto_recharge_on"),
        ]

    def __str__(self) -> str:
        return f"Automatic recharge of {self.workspace}"
