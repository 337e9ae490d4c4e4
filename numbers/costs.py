"""What the numbers of a workspace cost, and which of them nobody uses."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils import timezone

from lib import e164 as formats
from numbers.models import Number
from wallet.models import Entry, Kind
from workspaces.models import Workspace

UNUSED_DAYS = (30, 60, 90)
QUIET_SINCE = Coalesce("last_used_at", "created_at")


@dataclass(frozen=True, slots=True)
class CountryCost:
    """What the numbers of a country cost a month, at today's prices."""

    country: str
    numbers: int
    monthly: Decimal

    @property
    def name(self) -> str:
        return formats.country_name(self.country)


@dataclass(frozen=True, slots=True)
class MonthCost:
    """What was paid for numbers in a calendar month: fees, first months, refunds taken off."""

    month: datetime
    paid: Decimal


@dataclass(frozen=True, slots=True)
class Unused:
    """Numbers without a call or message for so many days, and what a month of them costs."""

    days: int
    numbers: int
    monthly: Decimal


@dataclass(frozen=True, slots=True)
class Overview:
    """All numbers that cost rent, at today's prices, in the wallet's currency."""

    numbers: int
    monthly: Decimal
    countries: list[CountryCost]
    unused: list[Unused]


def billed_numbers(workspace: Workspace) -> QuerySet[Number]:
    """Those that cost rent, the dearest first."""
    owned = Number.objects.for_workspace(workspace).owned().filter(giving_back_at=None)
    return owned.filter(parked_at=None).order_by("-monthly_price", "pk")


def overview(workspace: Workspace, now: datetime | None = None) -> Overview:
    """What the numbers cost by country, and how many of them nobody uses, in one query."""
    now = now or timezone.now()
    sums: dict[str, Any] = {"numbers": Count("pk"), "monthly": Sum("monthly_price")}
    for days in UNUSED_DAYS:
        quiet = Q(quiet_since__lt=now - timedelta(days=days))
        sums[f"numbers_{days}"] = Count("pk", filter=quiet)
        sums[f"monthly_{days}"] = Sum("monthly_price", filter=quiet, default=Decimal(0))
    numbers = billed_numbers(workspace).order_by().annotate(quiet_since=QUIET_SINCE)
    rows: list[Any] = list(numbers.values("country").annotate(**sums))
    countries = [CountryCost(row["country"], row["numbers"], row["monthly"]) for row in rows]
    return Overview(
        numbers=sum(row["numbers"] for row in rows),
        monthly=sum((row["monthly"] for row in rows), Decimal(0)),
        countries=sorted(countries, key=lambda cost: (-cost.monthly, cost.name)),
        unused=[
            Unused(
                days=days,
                numbers=sum(row[f"numbers_{days}"] for row in rows),
                monthly=sum((row[f"monthly_{days}"] for row in rows), Decimal(0)),
            )
            for days in UNUSED_DAYS
        ],
    )


def by_month(workspace: Workspace, *, months: int = 12) -> list[MonthCost]:
    """The newest first; months in the workspace's time zone."""
    zone = ZoneInfo(workspace.time_zone)
    rent = Q(kind__in=[Kind.PURCHASE, Kind.RENT])
    refunded = Q(kind=Kind.REFUND, refunds__kind__in=[Kind.PURCHASE, Kind.RENT])
    rows = (
        Entry.objects.filter(rent | refunded, wallet=workspace.pk)
        .annotate(month=TruncMonth("created_at", tzinfo=zone))
        .values("month")
        .annotate(paid=-Sum("amount"))
        .order_by("-month")[:months]
    )
    return [MonthCost(row["month"], row["paid"]) for row in rows]


def dearest(workspace: Workspace, *, after: Number | None, most: int) -> list[Number]:
    """The numbers that cost rent, the dearest first, from the one after ``after``."""
    return list(_going_on(billed_numbers(workspace), after)[:most])


def unused_for(
    workspace: Workspace, days: int, *, after: Number | None = None, most: int,
    now: datetime | None = None,
) -> list[Number]:  # fmt: skip
    """Not used for so many days, the dearest first; one never used counts from its purchase.

    Each has ``quiet_since``.
    """
    before = (now or timezone.now()) - timedelta(days=days)
    quiet = billed_numbers(workspace).annotate(quiet_since=QUIET_SINCE)
    return list(_going_on(quiet.filter(quiet_since__lt=before), after)[:most])


def _going_on(numbers: QuerySet[Number], after: Number | None) -> QuerySet[Number]:
    if after is None:
        return numbers
    same_price = Q(monthly_price=after.monthly_price, pk__gt=after.pk)
    return numbers.filter(Q(monthly_price__lt=after.monthly_price) | same_price)
