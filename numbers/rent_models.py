"""The rows of rent: what is due, what was paid, and what happens where it was not.

They are made for a million numbers falling due at once (docs/rent.md): the row that moves
is narrow and its due date is in no index, and the proof of a payment has no key but its own.
"""

from django.db import models
from django.db.models import F, Q

from wallet.models import money_field
from workspaces.models import User, Workspace, WorkspaceOwned


class RentDue(WorkspaceOwned):
    """When a number's next month is to be paid, and at what price.

    The only home of the due date. The database makes the row with its number, keeps
    ``price`` equal to the number's monthly price, and clears ``billed`` while the number is
    parked, lost by the carrier or given back: such a number is never charged.
    """

    number = models.OneToOneField(
        "numbers.Number", primary_key=True, on_delete=models.CASCADE, related_name="rent"
    )
    bought_at = models.DateTimeField(help_text="Every month is counted from here.")
    due_at = models.DateTimeField(help_text="The start of the next month to pay.")
    # The ladder of steps counts from here: the due day, or the day on which we told of it.
    overdue_since = models.DateTimeField(null=True)
    next_period = models.IntegerField(help_text="0 was paid with the purchase.")
    billed = models.BooleanField()
    price = money_field()
    # An announced price, and the first period that costs it.
    next_price = money_field(null=True)
    next_price_from = models.IntegerField(null=True)

    class Meta:
        verbose_name_plural = "rent due"
        constraints = [
            models.CheckConstraint(condition=Q(next_period__gt=0), name="rent_due_period_positive"),
            models.CheckConstraint(condition=Q(price__gte=0), name="rent_due_price_not_negative"),
            models.CheckConstraint(
                condition=Q(next_price__isnull=True, next_price_from__isnull=True)
                | Q(next_price__gte=0, next_price_from__gte=F("next_period")),
                name="rent_due_next_price_has_period",
            ),
        ]
        indexes = [models.Index(fields=["workspace"], name="rent_due_by_workspace")]

    def __str__(self) -> str:
        return f"Rent of {self.number_id}, due {self.due_at:%Y-%m-%d}"


class RentRun(models.Model):
    """One collection, for support staff: what caused it, what it did, how long it took."""

    class Cause(models.TextChoices):
        HOURLY = "hourly", "Every hour"
        COMMAND = "command", "By hand"
        FUNDS = "funds", "Money came in"
        PAY_NOW = "pay_now", "Pay now"
        STAFF = "staff", "Support"

    cause = models.CharField(max_length=8, choices=Cause)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    workspace_slug = models.CharField(
        "workspace", max_length=40, blank=True, help_text="Empty: every workspace."
    )
    at = models.DateTimeField(help_text="What was due at this time.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="The last sign of life.")
    ended_at = models.DateTimeField(null=True)
    wallets = models.IntegerField(default=0)
    payments = models.IntegerField(default=0, help_text="Months paid, one number each.")
    sums = models.JSONField(default=dict, help_text="By currency.")
    left = models.IntegerField(default=0, help_text="Months that the money did not cover.")
    left_sums = models.JSONField(default=dict, help_text="By currency.")
    busy = models.IntegerField(default=0, help_text="Wallets that were locked: the next run.")
    problems = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(ended_at__isnull=True), name="rent_run_open"),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"


class RentLine(WorkspaceOwned):
    """The proof that a number's month was paid, or waived by support.

    The key is the fact itself, so a month cannot be paid twice. A million of them are
    written in one go: number and run are named without a foreign key that would be checked
    for each, and nothing else is indexed but the time, which leads from a wallet's entry to
    its lines.
    """

    # The month first: a run writes one month, so it touches a few new pages of the index and
    # not every page that a number has ever had.
    pk = models.CompositePrimaryKey("period", "number_id")
    number_id = models.BigIntegerField()
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    run_id = models.BigIntegerField(null=True)
    # The seq of the wallet's entry that paid it; empty where no money moved.
    entry_seq = models.BigIntegerField(null=True)
    charged_at = models.DateTimeField(help_text="The created_at of that entry.")
    period = models.IntegerField()
    amount = money_field()
    waived_because = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(period__gt=0), name="rent_line_period_positive"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, entry_seq__isnull=False)
                | Q(amount=0, entry_seq__isnull=True),
                name="rent_line_money_has_entry",
            ),
            models.CheckConstraint(
                condition=Q(waived_because="") | Q(amount=0), name="rent_line_waived_costs_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"Month {self.period} of {self.number_id}"


class RentArrears(WorkspaceOwned):
    """A wallet whose money did not cover what was due; gone when everything is paid."""

    workspace = models.OneToOneField(Workspace, primary_key=True, on_delete=models.PROTECT)
    since = models.DateTimeField()
    tried_at = models.DateTimeField(help_text="What was due then did not find its money.")
    # As long as the wallet still has this version, trying again is useless.
    tried_version = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "rent arrears"

    def __str__(self) -> str:
        return f"Arrears of {self.workspace}"


class RentStep(WorkspaceOwned):
    """One step of the ladder for one unpaid month of one number; happens once.

    Written in the transaction that takes the step. The mails are made from the rows that
    nobody was told of yet, so that no step goes untold and none is told twice.
    """

    class Step(models.TextChoices):
        OVERDUE = "overdue", "The payment is overdue"
        REMIND_OUTBOUND = "remind_1", "Calls and messages from it will stop"
        OUTBOUND = "outbound", "Calls and messages from it have stopped"
        REMIND_INBOUND = "remind_2", "It will stop receiving"
        INBOUND = "inbound", "It has stopped receiving"
        REMIND_RELEASE = "remind_3", "It will be released"
        RELEASE = "release", "It is given back to the carrier"
        RESTORED = "restored", "It works again"
        PAID = "paid", "It is paid"

    number = models.ForeignKey(
        "numbers.Number", on_delete=models.PROTECT, db_index=False, related_name="rent_steps"
    )
    period = models.IntegerField()
    step = models.CharField(max_length=8, choices=Step)
    # On which day of the ladder: after a grace extension the same step comes again later.
    day = models.IntegerField()
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "number", "period", "step", "day"], name="rent_step_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace"], condition=Q(told_at__isnull=True), name="rent_step_untold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()}, month {self.period} of {self.number_id}"


class RentGrace(WorkspaceOwned):
    """More time for a workspace, given by support: every step comes so many days later."""

    extra_days = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "rent graces"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(ended_at__isnull=True), name="rent_grace_one_open"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="rent_grace_has_reason"),
            models.CheckConstraint(
                condition=Q(extra_days__gte=1, extra_days__lte=365), name="rent_grace_days_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.extra_days} days more for {self.workspace}"


class PriceChange(WorkspaceOwned):
    """An announced price of a number: in force from the start of ``from_period``."""

    number = models.ForeignKey(
        "numbers.Number", on_delete=models.PROTECT, db_index=False, related_name="price_changes"
    )
    old_price = money_field()
    new_price = money_field()
    from_period = models.IntegerField()
    starts_at = models.DateTimeField()
    announced_at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "number", "-announced_at"], name="price_change_of_number"
            ),
            models.Index(
                fields=["workspace"], condition=Q(told_at__isnull=True), name="price_change_untold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number_id}: {self.old_price} to {self.new_price}"

    @property
    def is_taken_back(self) -> bool:
        """An announcement that the number keeps its price after all."""
        return self.old_price == self.new_price


class RentAccount(Workspace):
    """A workspace, as support staff look after its rent."""

    class Meta:
        proxy = True
        verbose_name = "rent account"
