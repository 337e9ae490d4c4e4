"""What a bench is, and how ours and the floor are measured fairly on a shared machine."""

import importlib
import pkgutil
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import bench

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians of several alternating rounds; ``naive`` is None where it was not measured."""

    value: float
    floor: float
    naive: float | None = None


class NotHere(Exception):
    """What it is measured against cannot be had on this machine; says what."""


@dataclass(frozen=True, slots=True)
class Bench:
    """``unit`` starting with "per" means that more is better; any other unit is a time, of
    which ``most`` is as much as it may take. None: only the ratio counts.
    """

    name: str
    unit: str
    goal: float
    measure: Callable[[], Figures]
    most: float | None = None

    def run(self) -> dict[str, object]:
        figures = self.measure()
        faster_is_more = self.unit.startswith("per")
        ratio = figures.value / figures.floor if faster_is_more else figures.floor / figures.value
        return {"name": self.name, "unit": self.unit, "goal": self.goal, "ratio": ratio,
                **({"most": self.most} if self.most else {}), **asdict(figures)}  # fmt: skip


_registered: list[Bench] = []


def benchmark(name: str, *, unit: str, goal: float, most: float | None = None) -> Callable:
    """Decorate a function that returns ``Figures``."""

    def register(measure: Callable[[], Figures]) -> Callable[[], Figures]:
        _registered.append(Bench(name, unit, goal, measure, most))
        return measure

    return register


def all_benches() -> list[Bench]:
    """Those of every module in this folder, by name."""
    for module in pkgutil.iter_modules(bench.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"bench.{module.name}")
    return sorted(_registered, key=lambda one: one.name)


def alternate(
    *rounds: Callable[[], float], times: int = ROUNDS, warm_up: bool = True
) -> list[float]:
    """The median figure of each, measured in turn so that a slow moment hits all alike."""
    if warm_up:
        for measure in rounds:
            measure()
    seen: list[list[float]] = [[] for _ in rounds]
    for _ in range(times):
        for figures, measure in zip(seen, rounds, strict=True):
            figures.append(measure())
    return [statistics.median(figures) for figures in seen]


def per_second(work: Callable[[int], object], count: int) -> float:
    """``work(i)`` for i below ``count``: how many a second."""
    began = time.perf_counter()
    for index in range(count):
        work(index)
    return count / (time.perf_counter() - began)


def milliseconds(work: Callable[[], object], count: int) -> float:
    """The median time of one call."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)
