"""`make check`: what can be known without running the tests."""

import sys

from embedded.environment import for_production
from embedded.foreground import in_foreground
from embedded.test import throwaway_services

MODULES = (
    "ruff check .", "ruff format --check .", "mypy .", "djlint templates --lint",
    "bandit --quiet --recursive . --configfile pyproject.toml",
)  # fmt: skip


def check() -> int:
    """Runs every check even where one failed; returns 1 if any did."""
    with throwaway_services() as env:
        failed = [name for name in MODULES if _fails(["-m", *name.split()], env)]
        if _fails(["manage.py", "makemigrations", "--check", "--dry-run"], env):
            failed.append("makemigrations --check")
        deploy = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        if _fails(deploy, for_production(env)):
            failed.append("check --deploy")
    print(f"Failed: {', '.join(failed)}" if failed else "All checks passed.", flush=True)
    return 1 if failed else 0


def _fails(words: list[str], env: dict[str, str]) -> bool:
    print(f"\n— {' '.join(words).removeprefix('-m ')}", flush=True)
    return in_foreground([sys.executable, *words], env) != 0
