"""What calls and messages cost: the provider's rates, and each charge made from them."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from interactions.models.conversations import Call, CallLeg, Message
from lib import money
from wallet.models import Entry, Hold, money_field
from workspaces.models import WorkspaceOwned


class UsageRate(models.Model):
    """What the provider asks for a minute, a segment or a picture.

    Incoming is priced by the type of our number, outgoing by where it goes: a country and,
    for calls, the longest prefix that fits. Where the provider asks differently per carrier
    the highest is kept: nobody pays more than what was shown.
    """

    class Kind(models.TextChoices):
        CALL_IN = "call_in", "Incoming call, per minute"
        CALL_OUT = "call_out", "Outgoing call, per minute"
        SMS_IN = "sms_in", "Incoming text, per segment"
        SMS_OUT = "sms_out", "Outgoing text, per segment"
        MMS_IN = "mms_in", "Incoming picture message"
        MMS_OUT = "mms_out", "Outgoing picture message"

    kind = models.CharField(max_length=8, choices=Kind)
    country = models.CharField(max_length=2)
    number_type = models.CharField(max_length=10, blank=True)
    prefix = models.CharField(max_length=15, blank=True)
    place = models.CharField(max_length=80, blank=True)
    provider_price = money_field()
    currency = models.CharField(max_length=3)
    refreshed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "country", "number_type", "prefix"], name="usage_rate_once"
            ),
            models.CheckConstraint(condition=Q(provider_price__gte=0), name="usage_rate_positive"),
        ]
        indexes = [models.Index(fields=["kind", "prefix"], name="usage_rate_by_prefix")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.country} {self.prefix or self.number_type}"

    @property
    def price(self) -> Decimal:
        """What a workspace pays for one."""
        return with_markup(self.provider_price)

    @property
    def price_shown(self) -> str:
        return money.show(self.price, self.currency)


def with_markup(provider_price: Decimal) -> Decimal:
    """Our price for what the provider asks, rounded up at the fourth place behind the point."""
    price = provider_price * Decimal(settings.USAGE_PRICE_MARKUP)
    return price.quantize(Decimal("0.0001"), rounding="ROUND_CEILING")


class Usage(WorkspaceOwned):
    """One thing that costs, with the price it was sold at.

    held → charged | free for what we send: the money was set aside before. due → charged |
    free for what has happened already; it stays due while the wallet cannot pay, and
    ``owed_since`` tells how long.
    """

    class State(models.TextChoices):
        HELD = "held", "Set aside"
        DUE = "due", "To be charged"
        CHARGED = "charged", "Charged"
        FREE = "free", "Free"

    kind = models.CharField(max_length=8, choices=UsageRate.Kind)
    call = models.ForeignKey(Call, null=True, on_delete=models.PROTECT, related_name="usages")
    leg = models.OneToOneField(CallLeg, null=True, on_delete=models.PROTECT)
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, related_name="usages")
    state = models.CharField(max_length=7, choices=State)
    quantity = models.PositiveIntegerField(help_text="Minutes, segments or picture messages.")
    unit_price = money_field(null=True)
    provider_unit_price = money_field(null=True)
    amount = money_field(null=True)
    currency = models.CharField(max_length=3, blank=True)
    # What the provider says it took for it, once it does.
    provider_price = money_field(null=True)
    hold = models.OneToOneField(Hold, null=True, on_delete=models.PROTECT)
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT)
    at = models.DateTimeField()
    owed_since = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["call", "kind"], condition=Q(leg__isnull=True), name="usage_of_call_once"
            ),
            models.UniqueConstraint(fields=["message", "kind"], name="usage_of_message_once"),
            models.CheckConstraint(
                condition=Q(call__isnull=False) | Q(message__isnull=False),
                name="usage_is_of_something",
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(hold__isnull=False), name="usage_held_has_hold"
            ),
            models.CheckConstraint(
                condition=Q(state="charged", entry__isnull=False, amount__gt=0)
                | (~Q(state="charged") & Q(entry__isnull=True)),
                name="usage_charged_has_entry",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(state__in=["held", "due"]),
                name="usage_to_settle",
            ),
            models.Index(
                fields=["workspace"],
                condition=Q(state="due", owed_since__isnull=False),
                name="usage_owed",
            ),
            models.Index(fields=["workspace", "-at"], name="usage_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.get_kind_display()}"
