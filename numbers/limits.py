"""How much a workspace may buy in a day: a brake on mistakes and on stolen logins."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils import timezone

from lib import money
from lib.errors import Fix, Refusal
from numbers.models import OrderLine
from wallet.models import money_field
from workspaces import audit
from workspaces.models import User, Workspace, WorkspaceOwned


class PurchaseLimits(WorkspaceOwned):
    """A workspace's own limits; what is empty here, or no row at all, means the site's."""

    workspace = models.OneToOneField(Workspace, on_delete=models.PROTECT, primary_key=True)
    spend_per_day = money_field(null=True, blank=True)
    numbers_per_day = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "purchase limits"
        constraints = [
            models.CheckConstraint(
                condition=Q(spend_per_day__isnull=True) | Q(spend_per_day__gte=0),
                name="purchase_limits_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"Purchase limits of {self.workspace}"


class SpendLimitReached(Refusal):
    code = "spend_limit"
    title = "The spend limit for today is reached"

    def __init__(self, *, limit: Decimal, spent: Decimal, cost: Decimal, currency: str,
                 workspace: Workspace) -> None:  # fmt: skip
        super().__init__(
            f"{workspace} buys numbers for at most {money.show(limit, currency)} a day. "
            f"{money.show(spent, currency)} went to numbers today and this costs "
            f"{money.show(cost, currency)}. Wait until tomorrow, or have the limit raised.",
            fix=_to_limits(workspace),
        )


class NumbersLimitReached(Refusal):
    code = "numbers_limit"
    title = "No more numbers today"

    def __init__(self, *, limit: int, bought: int, wanted: int, workspace: Workspace) -> None:
        super().__init__(
            f"{workspace} buys at most {limit} numbers a day. {bought} were ordered today and "
            f"this order has {wanted}. Wait until tomorrow, or have the limit raised.",
            fix=_to_limits(workspace),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What is in force for a workspace."""

    spend_per_day: Decimal
    numbers_per_day: int


@dataclass(frozen=True, slots=True)
class Today:
    """What a workspace has ordered since midnight in its own time zone, refused lines aside."""

    spent: Decimal
    numbers: int


def site_limits() -> Limits:
    return Limits(settings.PURCHASE_SPEND_PER_DAY, settings.PURCHASE_NUMBERS_PER_DAY)


def limits_of(workspace: Workspace) -> Limits:
    site = site_limits()
    row = getattr(workspace, "purchaselimits", None) or PurchaseLimits()
    spend, count = row.spend_per_day, row.numbers_per_day
    return Limits(
        spend_per_day=site.spend_per_day if spend is None else spend,
        numbers_per_day=site.numbers_per_day if count is None else count,
    )


def ordered_today(workspace: Workspace) -> Today:
    lines = (
        OrderLine.objects.for_workspace(workspace)
        .filter(order__workspace=workspace, order__placed_at__gte=_midnight(workspace))
        .exclude(state=OrderLine.State.REFUSED)
    )
    sums = lines.aggregate(spent=Sum("monthly_price"), numbers=Count("pk"))
    return Today(sums["spent"] or Decimal(0), sums["numbers"])


def check_limits(*, workspace: Workspace, cost: Decimal, numbers: int, currency: str) -> None:
    """Raise a ``Refusal`` if this order would go beyond a limit.

    To be asked while the workspace's wallet is locked, so that of two orders at once the
    second sees the first.
    """
    limits, today = limits_of(workspace), ordered_today(workspace)
    if today.numbers + numbers > limits.numbers_per_day:
        raise NumbersLimitReached(
            limit=limits.numbers_per_day, bought=today.numbers, wanted=numbers,
            workspace=workspace,
        )  # fmt: skip
    if today.spent + cost > limits.spend_per_day:
        raise SpendLimitReached(
            limit=limits.spend_per_day, spent=today.spent, cost=cost, currency=currency,
            workspace=workspace,
        )  # fmt: skip


def set_limits(
    *, workspace: Workspace, by: User, spend_per_day: Decimal | None, numbers_per_day: int | None
) -> None:
    """Keep the workspace's own limits; None goes back to the site's. Audited."""
    with transaction.atomic():
        row, _ = PurchaseLimits.objects.select_for_update().get_or_create(workspace=workspace)
        before = [str(row.spend_per_day), row.numbers_per_day]
        row.spend_per_day, row.numbers_per_day = spend_per_day, numbers_per_day
        row.save(update_fields=["spend_per_day", "numbers_per_day"])
        audit.record(
            workspace=workspace, by=by, action="limits.changed", subject=workspace,
            text="Changed how much may be bought in a day",
            details={"before": before, "after": [str(spend_per_day), numbers_per_day]},
        )  # fmt: skip


def _midnight(workspace: Workspace) -> datetime:
    now = timezone.now().astimezone(ZoneInfo(workspace.time_zone))
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _to_limits(workspace: Workspace) -> Fix:
    return Fix("See the limits", reverse("numbers:limits", args=[workspace.slug]))
