"""What one number has cost, month by month.

``settings.NUMBER_COSTS`` lists functions ``(number, since) -> list[Cost]``, like MIDDLEWARE:
this app's own tell of the purchase and the monthly fees, and the apps above add what calls
and messages cost.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from numbers.models import Number, OrderLine, RentLine
from wallet.models import Entry

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount in the number's currency; what was given back is below zero."""

    at: datetime
    amount: Decimal
    what: str


@dataclass(slots=True)
class Month:
    """``first`` is its first day in the workspace's time zone."""

    first: datetime
    parts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def total(self) -> Decimal:
        return sum(self.parts.values(), Decimal(0))


@dataclass(frozen=True, slots=True)
class Costs:
    """The last months, oldest first, each with every kind of cost that there was in any."""

    months: Sequence[Month]
    kinds: Sequence[str]
    currency: str

    @property
    def total(self) -> Decimal:
        return sum((month.total for month in self.months), Decimal(0))

    @property
    def rows(self) -> list[tuple[Month, list[Decimal]]]:
        """For the table, newest first."""
        return [
            (month, [month.parts.get(kind, Decimal(0)) for kind in self.kinds])
            for month in reversed(self.months)
        ]


def costs_of(number: Number) -> Costs:
    """Up to twelve months, from the purchase on; one without a charge is there with zero."""
    zone = ZoneInfo(number.workspace.time_zone)
    months = _months(zone, number.created_at)
    by_first = {(month.first.year, month.first.month): month for month in months}
    kinds: dict[str, None] = {}
    for cost in _all(number, months[0].first):
        local = cost.at.astimezone(zone)
        if month := by_first.get((local.year, local.month)):
            month.parts[cost.what] += cost.amount
            kinds[cost.what] = None
    return Costs(months, list(kinds), number.currency)


def _months(zone: ZoneInfo, bought_at: datetime) -> list[Month]:
    first, last = (
        moment.year * 12 + moment.month - 1
        for moment in (bought_at.astimezone(zone), timezone.now().astimezone(zone))
    )
    return [
        Month(datetime(index // 12, index % 12 + 1, 1, tzinfo=zone))
        for index in range(max(first, last - MONTHS + 1), last + 1)
    ]


def _all(number: Number, since: datetime) -> list[Cost]:
    return [cost for path in settings.NUMBER_COSTS for cost in import_string(path)(number, since)]


def purchases(number: Number, since: datetime) -> list[Cost]:
    """What its order charged for it, and what of that was given back."""
    line = OrderLine.objects.filter(number=number).select_related("order").first()
    if line is None:
        return []
    entries = Entry.objects.filter(wallet=number.workspace_id, created_at__gte=since)
    charged = entries.filter(key=line.entry_key)
    refunded = entries.filter(refunds__wallet=number.workspace_id, refunds__key=line.entry_key)
    return [Cost(entry.created_at, -entry.amount, "First month") for entry in charged] + [
        Cost(entry.created_at, -entry.amount, "Refunds") for entry in refunded
    ]


def rents(number: Number, since: datetime) -> list[Cost]:
    """Its monthly fees, and what of them was given back for unused days."""
    lines = RentLine.objects.filter(number_id=number.pk, charged_at__gte=since, amount__gt=0)
    key = f"rent-refund:{number.pk}:"
    refunds = Entry.objects.filter(
        wallet=number.workspace_id, key__startswith=key, created_at__gte=since
    ).exclude(key=f"{key}0")  # that of the purchase is told there
    return [
        *(Cost(line.charged_at, line.amount, "Monthly fee") for line in lines if line.entry_seq),
        *(Cost(entry.created_at, -entry.amount, "Refunds") for entry in refunds),
    ]
