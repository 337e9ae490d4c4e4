"""A workspace's prepaid money. Rows here are written by ``wallet.ledger`` alone."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Func, Q

from workspaces.models import User, Workspace, WorkspaceOwned

# The most that a column of money holds.
MOST = Decimal("999999999999.999999")


def money_field(**options: object) -> models.DecimalField:
    """An amount in the wallet's currency: 12 places before the point, 6 behind it."""
    return models.DecimalField(max_digits=18, decimal_places=6, **options)  # type: ignore[arg-type]


class Sound(models.CheckConstraint):
    """A CHECK that is one function of the database, and says by name which rule is broken.

    The rules stand in migration 0052. As plain CHECKs the server parsed each of them anew for
    every statement, which cost a third of a debit.
    """

    def __init__(self, *columns: str, function: str, name: str) -> None:
        self.columns, self.function = columns, function
        sound = Func(*columns, function=function, output_field=models.BooleanField())
        super().__init__(condition=sound, name=name)

    def deconstruct(self) -> tuple[str, tuple[str, ...], dict[str, str]]:
        path, _args, _kwargs = super().deconstruct()
        return path, self.columns, {"function": self.function, "name": self.name}


class Wallet(WorkspaceOwned):
    """The money of one workspace, in one currency.

    ``balance`` is the sum of all entries, ``held`` what open holds reserve, and what can be
    spent is ``available``. ``version`` counts every change, ``last_seq`` the entries.
    ``overdrawn`` is how far payments that were taken back (a dispute, a refund at the bank)
    have left the balance below what is allowed otherwise; money that comes in makes it less.
    The database keeps: held, credit_limit and overdrawn ≥ 0, balance ≥ held − credit_limit −
    overdrawn, all of them numbers (for PostgreSQL, NaN is greater than any).
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.PROTECT, primary_key=True)
    currency = models.CharField(max_length=3, default="USD")
    balance = money_field(default=Decimal(0), editable=False)
    held = money_field(default=Decimal(0), editable=False)
    credit_limit = money_field(
        default=Decimal(0),
        help_text="How far use that has already happened may take the balance below zero.",
    )
    overdrawn = money_field(default=Decimal(0), editable=False)
    last_seq = models.BigIntegerField(default=0, editable=False)
    version = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            Sound(
                "currency", "balance", "held", "credit_limit", "overdrawn",
                function="wallet_is_sound", name="wallet_is_sound",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"Wallet of {self.workspace}"

    @property
    def available(self) -> Decimal:
        return self.balance - self.held


class Hold(models.Model):
    """Money set aside for something that is under way, until it is captured or released.

    It is never ended by time alone. Open as long as captured + released < amount. A trigger
    lets both only grow, and nothing else change.
    """

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, db_index=False)
    amount = money_field()
    captured = money_field(default=Decimal(0))
    released = money_field(default=Decimal(0))
    available_after = money_field()
    key = models.CharField(max_length=200)
    text = models.CharField(max_length=200)
    reference = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "key"], name="hold_key_once_per_wallet"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=MOST), name="hold_amount_positive"
            ),
            models.CheckConstraint(
                condition=~Q(key="") & ~Q(text=""), name="hold_says_what_it_is_for"
            ),
            models.CheckConstraint(
                condition=Q(captured__gte=0, released__gte=0), name="hold_parts_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=F("captured") + F("released")),
                name="hold_parts_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(available_after__gte=0), name="hold_from_available_money"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, amount__gt=F("captured") + F("released"))
                | Q(ended_at__isnull=False, amount=F("captured") + F("released")),
                name="hold_ended_when_used_up",
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet", "created_at"],
                condition=Q(ended_at__isnull=True),
                name="hold_open_by_wallet",
            ),
        ]

    def __str__(self) -> str:
        return f"Hold of {self.amount} for {self.text}"

    @property
    def remaining(self) -> Decimal:
        return self.amount - self.captured - self.released


class Kind(models.TextChoices):
    """Why money moved."""

    TOP_UP = "top_up", "Funds added"
    PURCHASE = "purchase", "Number bought"
    RENT = "rent", "Monthly fee"
    USAGE = "usage", "Calls and messages"
    REFUND = "refund", "Refund"
    ADJUSTMENT = "adjustment", "Adjustment"
    REVERSAL = "reversal", "Payment taken back"
    REINSTATED = "reinstated", "Payment given back again"


COMES_IN = [Kind.TOP_UP, Kind.REFUND, Kind.REINSTATED]
BOUGHT_IN_ADVANCE = [Kind.PURCHASE, Kind.RENT]
CHARGED = [*BOUGHT_IN_ADVANCE, Kind.USAGE]
GOES_OUT = [*CHARGED, Kind.REVERSAL]


class Entry(models.Model):
    """One movement of money, both sides in one row: the wallet and the contra account.

    Never changed and never deleted: triggers refuse it, by hand too. A mistake is mended by
    another entry. ``key`` is made from the business fact (``order:<reference>:<line>``), so
    that the same fact can never be written twice. The database keeps: the sign fits the kind,
    what is bought in advance is paid from available money, a refund names its entry, an
    adjustment its reason and person.
    """

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    amount = money_field()
    contra = models.CharField(max_length=40)
    balance_after = money_field()
    available_after = money_field()
    key = models.CharField(max_length=200)
    text = models.CharField(max_length=200)
    reference = models.CharField(max_length=80, blank=True)
    # Keys that name the wallet as well prove what plain ones would.
    hold = models.ForeignKey(
        Hold, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    refunds = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["wallet", "seq"], name="entry_seq_once_per_wallet"),
            models.UniqueConstraint(fields=["wallet", "key"], name="entry_key_once_per_wallet"),
            Sound(
                "seq", "kind", "amount", "balance_after", "available_after", "contra", "key",
                "text", "reason", "hold", "refunds", "by",
                function="wallet_entry_is_sound", name="wallet_entry_is_sound",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["wallet", "refunds"],
                condition=Q(refunds__isnull=False),
                name="entry_refunds_of",
            ),
            # What calls and messages cost is the rest: see wallet/balances.py.
            models.Index(
                fields=["wallet", "seq"], condition=~Q(kind=Kind.USAGE), name="entry_not_usage"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}: {self.text}"


# Django finds the models of an app through this module.
from wallet.precautions_models import Precautions  # noqa: E402, F401
from wallet.recharge_models import AutoRecharge, SavedCard  # noqa: E402, F401
from wallet.top_up_models import StripeEvent, TopUp  # noqa: E402, F401
