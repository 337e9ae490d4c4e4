"""Numbers, the orders that buy them, and what they cost."""

import re
import secrets
import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from lib import e164 as formats
from numbers.derived import HEALTH, STATUS, WORDS, Health
from numbers.list_models import BulkRun, ListPreference, PaymentPlace, Tag, Tagging
from numbers.number_constraints import NUMBER_CONSTRAINTS
from numbers.number_indexes import NUMBER_INDEXES
from numbers.rent_models import (
    PriceChange,
    RentAccount,
    RentArrears,
    RentDue,
    RentGrace,
    RentLine,
    RentRun,
    RentStep,
)
from telephony.values import AddressRequirement, Capability, NumberType
from wallet.models import Hold, money_field
from workspaces.models import User, Workspace, WorkspaceOwned, WorkspaceQuerySet

__all__ = [
    "BulkRun",
    "ListPreference",
    "PaymentPlace",
    "PriceChange",
    "RentAccount",
    "RentArrears",
    "RentDue",
    "RentGrace",
    "RentLine",
    "RentRun",
    "RentStep",
    "Tag",
    "Tagging",
]

# Without the letters and digits that people mix up when they read a reference aloud.
UNMISTAKABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def choices_of(kinds: type[Capability] | type[NumberType]) -> list[tuple[str, str]]:
    return [(kind.value, kind.label) for kind in kinds]


def new_reference() -> str:
    """What a person quotes to support, for example ``ORD-7K3MQ9XA``."""
    return "ORD-" + "".join(secrets.choice(UNMISTAKABLE) for _ in range(8))


# So much of it is sorted by; the pages show all of it.
LONGEST_USAGE = 60
PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


def new_public_id() -> str:
    return secrets.token_urlsafe(9)


class NumberFacts(models.Model):
    """What the provider says of a number."""

    e164 = models.CharField("number", max_length=16)
    country = models.CharField(max_length=2)
    number_type = models.CharField("type", max_length=10, choices=choices_of(NumberType))
    area_code = models.CharField(max_length=6, blank=True)
    locality = models.CharField(max_length=80, blank=True)
    region = models.CharField(max_length=80, blank=True)
    capabilities = ArrayField(models.CharField(max_length=5, choices=choices_of(Capability)))
    address_requirement = models.CharField(
        max_length=7,
        default=AddressRequirement.NONE,
        choices=[(kind.value, kind.value) for kind in AddressRequirement],
    )
    # What it was sold at, per month; later changes of price do not touch it.
    monthly_price = money_field()
    provider_monthly_price = money_field()
    currency = models.CharField(max_length=3)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.e164

    @property
    def international(self) -> str:
        """``+1 212-555-0123``, for reading."""
        return formats.international(self.e164)

    @property
    def national(self) -> str:
        """``(212) 555-0123``, as it is dialled inside its country."""
        return formats.national(self.e164)

    def can(self, capability: str) -> bool:
        return capability in self.capabilities


class NumberQuerySet(WorkspaceQuerySet):
    def for_workspace(self, workspace: Workspace) -> Self:
        # A plain number is an int4 to PostgreSQL, which the GIN index of workspace and digits
        # (number_indexes.py) cannot look up: it would read the digits of every workspace.
        return self.filter(workspace_id=Cast(Value(workspace.pk), models.BigIntegerField()))

    def owned(self) -> Self:
        """Numbers that have not been given back."""
        return self.filter(released_at=None)

    def active(self) -> Self:
        return self.filter(status=Number.Status.ACTIVE)

    def stopped_by_rent(self) -> Self:
        return self.owned().filter(
            Q(outbound_stopped_at__isnull=False) | Q(suspended_at__isnull=False)
        )

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def with_tags(self) -> Self:
        """Each with ``tag_names``, in the same query."""
        tags = Tagging.objects.filter(number=OuterRef("pk")).order_by(Lower("tag__name"))
        return self.annotate(tag_names=ArraySubquery(tags.values("tag__name")))


NumberManagerBase = models.Manager.from_queryset(NumberQuerySet)


class NumberManager(NumberManagerBase):
    """Reads ``paid_until`` along with each number, from its one home, the rent row."""

    def get_queryset(self) -> NumberQuerySet:
        due = RentDue.objects.filter(number=OuterRef("pk")).values("due_at")
        numbers: NumberQuerySet = super().get_queryset()  # type: ignore[assignment]
        return numbers.annotate(paid_until=Subquery(due))


class Number(NumberFacts, WorkspaceOwned):
    """A phone number that belongs to a workspace."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        INACTIVE = "inactive"
        RELEASED = "released"

    class Because(models.TextChoices):
        """Why it is inactive, the gravest first."""

        VANISHED = "vanished", "The carrier does not have it any more"
        PARKED = "parked", "Released, can be undone"
        SUSPENDED = "suspended", "Its monthly fee is overdue"
        DEACTIVATED = "deactivated", "Switched off"

    Health = Health

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    friendly_name = models.CharField(max_length=64, blank=True)
    # The name was changed here and the carrier has not been told yet.
    name_unsent_since = models.DateTimeField(null=True, blank=True)
    name_tried_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(max_length=2000, blank=True, default="", db_default="")
    words = models.GeneratedField(
        expression=WORDS, output_field=models.TextField(), db_persist=True
    )
    # Why it is not active. Each fact comes and goes on its own: a payment never wakes a
    # number that somebody switched off. The status follows from them, in the database.
    deactivated_at = models.DateTimeField(
        null=True, blank=True, help_text="Switched off by someone of the workspace."
    )
    suspended_at = models.DateTimeField(
        null=True, blank=True, help_text="Its rent is overdue: nothing is received."
    )
    parked_at = models.DateTimeField(
        null=True, blank=True, help_text="Released by someone; can be undone for a while."
    )
    vanished_at = models.DateTimeField(
        null=True, blank=True, help_text="The carrier does not have it any more."
    )
    released_at = models.DateTimeField(null=True, blank=True, help_text="Given back for good.")
    # Its rent is overdue: nothing is sent or called from it, but it still receives.
    outbound_stopped_at = models.DateTimeField(null=True, blank=True)
    locked_at = models.DateTimeField(
        null=True, blank=True, help_text="Cannot be released until it is unlocked."
    )
    release_at = models.DateTimeField(null=True, blank=True, help_text="Will be released then.")
    # Why the carrier does not take it back, in words for people.
    give_back_refusal = models.CharField(max_length=200, blank=True, default="", db_default="")
    status = models.GeneratedField(
        expression=STATUS,
        output_field=models.CharField(max_length=8, choices=Status),
        db_persist=True,
    )
    # The gravest open difference from the carrier, as a ``Health``; a trigger keeps it.
    carrier_trouble = models.PositiveSmallIntegerField(
        choices=Health, default=0, db_default=0, editable=False
    )
    health = models.GeneratedField(
        expression=HEALTH,
        output_field=models.SmallIntegerField(choices=Health),
        db_persist=True,
    )
    provider_sid = models.CharField(max_length=34, unique=True)
    # As the carrier last told; what changes there is a difference (compare.py). Empty: none.
    # The default is the database's too: while servers are replaced, the old ones write on.
    emergency_address_status = models.CharField(
        max_length=24, blank=True, db_default="", default="", editable=False
    )
    bundle_sid = models.CharField(
        max_length=34, blank=True, db_default="", default="", editable=False
    )
    # When calls and messages were last known to be sent to us; empty means they are not yet.
    webhooks_set_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(help_text="When it was bought: rent counts from here.")
    tag_names: list[str]  # only on numbers fetched with_tags()
    # When a call or message last came to it or went out from it; empty means never yet. It
    # follows within a minute (interactions/last_use.py).
    last_used_at = models.DateTimeField(null=True, blank=True)
    # What the list is sorted by for "answered by" and "used by" (usages.py keeps them).
    answered_by = models.CharField(
        max_length=LONGEST_USAGE, blank=True, default="", db_default="", editable=False
    )
    used_by = models.CharField(
        max_length=LONGEST_USAGE, blank=True, default="", db_default="", editable=False
    )
    # Decided: the provider gets it back, and nobody can change that any more.
    giving_back_at = models.DateTimeField(null=True, blank=True)
    give_back_tried_at = models.DateTimeField(null=True, blank=True)
    objects: ClassVar[NumberManager] = NumberManager()

    class Meta:
        constraints = NUMBER_CONSTRAINTS
        indexes = NUMBER_INDEXES

    def get_absolute_url(self) -> str:
        return reverse("numbers:detail", args=[self.workspace.slug, self.public_id])

    @property
    def own_name(self) -> str:
        """Its friendly name, unless that is only the number written in another way."""
        digits = formats.digits_from(self.friendly_name)
        is_the_number = digits in map(formats.digits_from, (self.e164, self.national))
        return "" if is_the_number else self.friendly_name

    @cached_property
    def paid_until(self) -> datetime:
        """When the next monthly payment is due. ``objects`` reads it along with the number."""
        return self.rent.due_at

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self.__dict__.pop("paid_until", None)

    @property
    def inactive_because(self) -> Because | None:
        """The gravest reason why it is inactive; None for an active or a released number."""
        if self.released_at:
            return None
        facts = {
            self.Because.VANISHED: self.vanished_at,
            self.Because.PARKED: self.parked_at,
            self.Because.SUSPENDED: self.suspended_at,
            self.Because.DEACTIVATED: self.deactivated_at,
        }
        return next((because for because, since in facts.items() if since), None)


class NumberOrder(WorkspaceOwned):
    """One attempt to buy: what was confirmed on the review page, paid by one hold.

    ``key`` comes from the review page, so that confirming twice places one order. Each line
    is one number and is settled on its own.
    """

    reference = models.CharField(max_length=12, unique=True, default=new_reference, editable=False)
    key = models.UUIDField(default=uuid.uuid4)
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT)
    currency = models.CharField(max_length=3)
    # The search that led here, as a query string: "search again" goes back to it.
    search = models.CharField(max_length=500, blank=True)
    placed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="order_key_once"),
        ]
        indexes = [
            models.Index(fields=["workspace", "-placed_at"], name="order_newest_first"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("numbers:order", args=[self.workspace.slug, self.reference])


class OrderLineQuerySet(WorkspaceQuerySet):
    def unsettled(self) -> Self:
        return self.filter(state__in=OrderLine.UNSETTLED)


class OrderLine(NumberFacts, WorkspaceOwned):
    """One number of an order, from the intent to its outcome.

    placed → buying | refused, buying → done | refused | checking, checking → done | refused
    | buying (asked again), done → refunded. A trigger forbids every other move and any
    change of what was ordered. ``buying`` is committed before the provider is called:
    whoever dies after that leaves a row that the sweep settles by asking the provider.
    """

    class State(models.TextChoices):
        PLACED = "placed", "Placed"
        BUYING = "buying", "Buying"
        CHECKING = "checking", "Checking with the carrier"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        REFUNDED = "refunded", "Refunded"

    UNSETTLED = (State.PLACED, State.BUYING, State.CHECKING)
    BOUGHT = (State.DONE, State.REFUNDED)

    order = models.ForeignKey(NumberOrder, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.PLACED)
    # When the provider was last asked to buy it and has given no clear answer since: the
    # quiet time counts from here.
    called_at = models.DateTimeField(null=True, blank=True)
    calls = models.PositiveSmallIntegerField(default=0)
    # From when on anybody may take it: whoever has it now must have hung up by then.
    due_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_sentence = models.CharField(max_length=400, blank=True)
    number = models.OneToOneField(Number, null=True, blank=True, on_delete=models.PROTECT)
    objects: ClassVar[models.Manager] = OrderLineQuerySet.as_manager()

    class Meta:
        ordering = ["order", "position"]
        permissions = [("refund_orderline", "Can give back what a number cost")]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_once"),
            # Buying a number that the account owns already succeeds at the provider, so two
            # orders for one number would both believe that it is theirs.
            models.UniqueConstraint(
                fields=["e164"],
                condition=Q(state__in=["placed", "buying", "checking"]),
                name="order_line_number_under_way_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "refunded"], number__isnull=False)
                | (~Q(state__in=["done", "refunded"]) & Q(number__isnull=True)),
                name="order_line_done_has_number",
            ),
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(refusal_code="")
                | (~Q(state="refused") & Q(refusal_code="")),
                name="order_line_refused_has_cause",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["done", "refused", "refunded"],
                    settled_at__isnull=False,
                    due_at__isnull=True,
                )
                | Q(
                    state__in=["placed", "buying", "checking"],
                    settled_at__isnull=True,
                    due_at__isnull=False,
                ),
                name="order_line_settled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["placed", "refused"]) | Q(called_at__isnull=False),
                name="order_line_called_before_bought",
            ),
            models.CheckConstraint(
                condition=Q(monthly_price__gt=0), name="order_line_price_above_0"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["placed", "buying", "checking"]),
                name="order_line_due",
            ),
        ]

    @property
    def is_due(self) -> bool:
        """It is not settled, and nobody can be about it any more."""
        return self.due_at is not None and self.due_at <= timezone.now()

    @property
    def entry_key(self) -> str:
        """The key of the charge for this line: one line is charged once."""
        return f"order:{self.order.reference}:{self.position}"


# Models with a module of their own; Django looks for them here.
from numbers.limits import PurchaseLimits  # noqa: E402, F401
from numbers.order_log import OrderStep  # noqa: E402, F401
from numbers.price_models import CountryOffer, PriceRule  # noqa: E402, F401
from numbers.purchase_requests import PurchaseRequest  # noqa: E402, F401
from numbers.reports import DiagnosisReport  # noqa: E402, F401
from numbers.sync_models import BalanceSample, Difference, NumberCheck, SyncRun  # noqa: E402, F401
