"""`python -m bench [NAME…]`: run them, print a table, keep the figures as JSON."""

import json
import math
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command

from bench.harness import NotHere, all_benches

HEAD = (
    f"{'bench':<18} {'ours':>12} {'floor':>12} {'naive':>12}  {'unit':<12} {'ratio':>6} {'goal':>5}"
)


def main(names: list[str]) -> int:
    """Names choose benches whose name starts with them. Returns 1 if one misses its goal."""
    chosen = [one for one in all_benches() if not names or one.name.startswith(tuple(names))]
    if not chosen:
        print(f"There is no such bench. There are: {', '.join(b.name for b in all_benches())}")
        return 2
    call_command("migrate", interactive=False, verbosity=0)
    results = []
    print(HEAD, flush=True)
    for one in chosen:
        try:
            results.append(one.run())
        except NotHere as missing:
            print(f"{one.name:<18} not measured: {missing}", flush=True)
        else:
            print(line(results[-1]), flush=True)
    keep(results)
    missed = [r["name"] for r in results if r["ratio"] < r["goal"] or r["value"] > most(r)]
    print(f"Missed: {', '.join(missed)}" if missed else "All goals are met.")
    return 1 if missed else 0


def most(result: dict) -> float:
    return result.get("most", math.inf)


def line(result: dict) -> str:
    naive = f"{result['naive']:>12,.2f}" if result["naive"] is not None else f"{'–':>12}"
    return (
        f"{result['name']:<18} {result['value']:>12,.2f} {result['floor']:>12,.2f} {naive}  "
        f"{result['unit']:<12} {result['ratio']:>6.2f} {result['goal']:>5.2f}"
    )


def keep(results: list[dict]) -> None:
    """Beside what other runs found: a run of some benches keeps the figures of the rest."""
    file = Path(os.environ.get("BENCH_JSON") or "var/bench.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(file.read_text())["benches"] if file.exists() else []
    names = {result["name"] for result in results}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    rows = [row for row in known if row["name"] not in names] + results
    content = {"machine": machine, "at": at, "benches": sorted(rows, key=lambda r: r["name"])}
    file.write_text(json.dumps(content, indent=1) + "\n")


sys.exit(main([name for word in sys.argv[1:] for name in word.split(",") if name]))
