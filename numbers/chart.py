"""A bar chart as numbers for an SVG: the template draws it, and no style is computed there."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH = 720
HEIGHT = 160
GAP = 8
MOST_BARS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """In the chart's own units. The labels stand under it, one in each of twelve columns."""

    x: int
    y: int
    width: int
    height: int
    label: str
    told: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: Sequence[Bar]
    width: int = WIDTH
    height: int = HEIGHT


def bars_of(values: Sequence[tuple[str, Decimal, str]]) -> Chart:
    """One bar for each (label, amount, what is told of it), at most twelve. The highest fills
    the chart; an amount below zero has no bar.
    """
    highest = max((amount for _, amount, _ in values), default=Decimal(0))
    slot = WIDTH // MOST_BARS
    bars = []
    for place, (label, amount, told) in enumerate(values):
        share = amount / highest if highest > 0 and amount > 0 else Decimal(0)
        height = int(share * (HEIGHT - GAP))
        if share and not height:
            height = 1
        bars.append(
            Bar(
                x=place * slot + GAP // 2,
                y=HEIGHT - height,
                width=slot - GAP,
                height=height,
                label=label,
                told=told,
            )
        )
    return Chart(bars)
