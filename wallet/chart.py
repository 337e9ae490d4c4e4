"""The balance over time as an SVG of steps: only numbers here, the template draws them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

WIDTH, HEIGHT, MARGIN = 600, 140, 6


@dataclass(frozen=True, slots=True)
class Chart:
    """``points`` of a polyline; ``zero`` is the height of the line at no money."""

    points: str
    zero: str
    highest: Decimal
    lowest: Decimal
    rows: list[tuple[datetime, Decimal]]
    width: int = WIDTH
    height: int = HEIGHT


def chart_of(rows: list[tuple[datetime, Decimal]]) -> Chart:
    """At least two rows, the oldest first; a balance stays until it changes."""
    highest = max([Decimal(0), *(balance for _, balance in rows)])
    lowest = min([Decimal(0), *(balance for _, balance in rows)])
    span = highest - lowest or Decimal(1)

    def height(balance: Decimal) -> str:
        return f"{MARGIN + float((highest - balance) / span) * (HEIGHT - 2 * MARGIN):.1f}"

    step = WIDTH / (len(rows) - 1)
    corners = [f"0,{height(rows[0][1])}"]
    for place, ((_, before), (_, after)) in enumerate(pairwise(rows), 1):
        corners += [f"{place * step:.1f},{height(before)}", f"{place * step:.1f},{height(after)}"]
    return Chart(" ".join(corners), height(Decimal(0)), highest, lowest, rows)
