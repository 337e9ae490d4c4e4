"""What the run says in the end."""

from collections import defaultdict
from collections.abc import Iterable

from chaos.auditor import Audit
from chaos.trials import Trial


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)


def table(trials: Iterable[Trial], found: Audit) -> list[str]:
    """A line for each kind of fault."""
    by_kind: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_kind[trial.kind].append(trial)
    head = (
        f"{'what broke':<38} {'trials':>6} {'bought':>6} {'refused':>7} "
        f"{'lost':>5} {'double':>6} {'unsettled':>9}"
    )
    rows = [_row(kind, by_kind[kind], found) for kind in sorted(by_kind)]
    return [head, *rows]


def _row(kind: str, trials: list[Trial], found: Audit) -> str:
    numbers = [number for trial in trials for number in trial.e164s]
    states = [found.state_of.get(number, "") for number in numbers]
    bought = sum(state in ("done", "refunded") for state in states)
    refused = states.count("refused")
    counts = [found.count(what, numbers) for what in ("lost", "double", "unsettled")]
    return (
        f"{kind:<38} {len(trials):>6} {bought:>6} {refused:>7} "
        f"{counts[0]:>5} {counts[1]:>6} {counts[2]:>9}"
    )
