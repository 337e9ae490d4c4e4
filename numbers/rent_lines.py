"""What a rent entry of the wallet paid, number by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lib import e164 as formats
from numbers.models import Number, RentLine
from numbers.rent_periods import period_start
from wallet.models import Entry


@dataclass(frozen=True, slots=True)
class PaidMonth:
    """A line of the statement: this number, from then until then, for so much."""

    e164: str
    public_id: str
    starts_at: datetime
    ends_at: datetime
    amount: Decimal

    @property
    def international(self) -> str:
        return formats.international(self.e164)


def lines_of(entry: Entry, *, most: int) -> list[PaidMonth]:
    """The months that ``entry`` paid. The time leads to the lines, which have no other index."""
    lines = RentLine.objects.filter(
        charged_at=entry.created_at, workspace=entry.wallet_id, entry_seq=entry.seq
    ).order_by("number_id", "period")
    return paid_months(list(lines[:most]))


def paid_months(lines: Sequence[RentLine]) -> list[PaidMonth]:
    numbers = Number.objects.in_bulk({line.number_id for line in lines})
    return [
        PaidMonth(
            e164=number.e164, public_id=number.public_id,
            starts_at=period_start(number.created_at, line.period),
            ends_at=period_start(number.created_at, line.period + 1), amount=line.amount,
        )
        for line in lines
        if (number := numbers[line.number_id])
    ]  # fmt: skip


def months_of(number: Number, *, most: int) -> list[RentLine]:
    """What was paid or waived for one number, the newest first."""
    last = number.rent.next_period - 1
    periods = range(max(1, last - most + 1), last + 1)
    return list(
        RentLine.objects.for_workspace(number.workspace)
        .filter(number_id=number.pk, period__in=periods)
        .order_by("-period")
    )
