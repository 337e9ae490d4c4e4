"""Amounts of money: Decimal, six places stored, two shown."""

from decimal import ROUND_CEILING, Decimal

from babel.numbers import format_currency

CENT = Decimal("0.01")


def show(amount: Decimal, currency: str) -> str:
    """``$1,234.50`` for a person: always two places, or as many as a smaller amount needs.

    A price per message is a fraction of a cent; rounding it to ``$0.01`` would be a lie.
    """
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    pattern = "¤#,##0." + "0" * places + ";-¤#,##0." + "0" * places
    return format_currency(
        amount, currency, format=pattern, locale="en_US", currency_digits=False
    ).replace("-", "\u2212")


def up_to_cent(amount: Decimal) -> Decimal:
    """The next whole cent at or above the amount: a price never earns less than it costs."""
    return amount.quantize(CENT, rounding=ROUND_CEILING)
