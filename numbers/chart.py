"""A bar chart as numbers for an SVG: the template draws it, and no style is computed there."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH = 720
HEIGHT = 160
GAP = 8
LABEL_ROOM = 24
WIDEST = 72


@dataclass(frozen=True, slots=True)
class Bar:
    """In the chart's own units; ``middle`` is where the label stands."""

    x: int
    y: int
    width: int
    height: int
    middle: int
    label: str
    told: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: Sequence[Bar]
    width: int = WIDTH
    height: int = HEIGHT + LABEL_ROOM
    base: int = HEIGHT
    label_y: int = HEIGHT + LABEL_ROOM - 6


def bars_of(values: Sequence[tuple[str, Decimal, str]]) -> Chart:
    """One bar for each (label, amount, what is told of it). The highest fills the chart; an
    amount below zero has no bar.
    """
    highest = max((amount for _, amount, _ in values), default=Decimal(0))
    slot = min(WIDTH // max(len(values), 1), WIDEST)
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
                middle=place * slot + slot // 2,
                label=label,
                told=told,
            )
        )
    return Chart(bars)
