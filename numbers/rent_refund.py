"""Giving the unused days of a paid month back, where the setting says so."""

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from django.conf import settings

from lib import e164 as formats
from lib import money
from numbers.models import Number, OrderLine, RentLine
from numbers.rent_periods import period_at, period_start
from wallet import ledger
from wallet.models import Entry


def refund_unused_days(number: Number, now: datetime) -> Entry | None:
    """Refund what is left of the month in which ``number`` was given back, to the cent below.

    Nothing where ``RENT_REFUNDS_UNUSED_DAYS`` is off, the month was not paid, or it cost
    nothing. Safe to repeat: a number is given back once. Call it in that transaction.
    """
    if not settings.RENT_REFUNDS_UNUSED_DAYS:
        return None
    period = period_at(number.created_at, now)
    paid = _entry_and_amount(number, period)
    if paid is None:
        return None
    entry, amount = paid
    unused = _unused_part(number, period, now) * amount
    unused = unused.quantize(money.CENT, rounding=ROUND_FLOOR)
    if unused <= 0:
        return None
    return ledger.refund(
        wallet=entry.wallet, entry=entry, amount=unused, key=f"rent-refund:{number.pk}:{period}",
        text=f"{formats.international(number.e164)}, unused days",
    )  # fmt: skip


def _unused_part(number: Number, period: int, now: datetime) -> Decimal:
    start = period_start(number.created_at, period)
    end = period_start(number.created_at, period + 1)
    return Decimal((end - now).total_seconds()) / Decimal((end - start).total_seconds())


def _entry_and_amount(number: Number, period: int) -> tuple[Entry, Decimal] | None:
    """The entry that paid for the month, and the number's share of it."""
    entries = Entry.objects.filter(wallet=number.workspace_id).select_related("wallet")
    if period == 0:
        bought = OrderLine.objects.filter(number=number).select_related("order").first()
        entry = entries.filter(key=bought.entry_key).first() if bought else None
        return (entry, bought.monthly_price) if entry and bought else None
    line = RentLine.objects.filter(number_id=number.pk, period=period).first()
    if line is None or line.entry_seq is None:
        return None
    return entries.get(seq=line.entry_seq), line.amount
