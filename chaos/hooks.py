"""What the harness puts around the product's functions, in processes that it started.

A process that comes to a point which is armed kills itself as SIGKILL would have: at once,
with nothing cleaned up. Armed is a file; whoever removes it is the one that dies.
"""

import functools
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from chaos.points import EXTENTS, POINTS

PRODUCT = ("numbers", "telephony", "wallet", "workspaces")
_here = threading.local()


def install(folder: Path) -> None:
    """Points and statements, and the change that a control asks for."""
    die = partial(_die_if_armed, folder)
    by_function: dict[str, list] = {}
    for point in POINTS:
        by_function.setdefault(point.where, []).append(point)
    for where, points in by_function.items():
        _wrap(where, partial(_with_points, points=points, die=die))
    for of, where in EXTENTS.items():
        _wrap(where, partial(_counting, of=of, folder=folder))
    statements = "django.db.backends.utils:CursorWrapper.execute"
    commits = "django.db.backends.base.base:BaseDatabaseWrapper._commit"
    _wrap(statements, partial(_with_statements, what="statement", die=die))
    _wrap(commits, partial(_with_statements, what="commit", die=die))
    CONTROLS[os.environ.get("CHAOS_CONTROL", "")]()


def role() -> str:
    return os.environ.get("CHAOS_ROLE", "")


def _die_if_armed(folder: Path, key: str) -> None:
    armed = folder / key
    if not armed.exists():
        return
    with suppress(FileNotFoundError):
        armed.unlink()
        with (folder / "killed.log").open("a") as log:
            log.write(f"{key}\n")
        os.kill(os.getpid(), signal.SIGKILL)


def _with_points(function: Callable, points: list, die: Callable[[str], None]) -> Callable:
    @functools.wraps(function)
    def reach(*args: Any, **kwargs: Any) -> Any:
        mine = [point for point in points if point.role == role()]
        for point in mine:
            if not point.after:
                die(point.key)
        result = function(*args, **kwargs)
        for point in mine:
            if point.after:
                die(point.key)
        return result

    return reach


def _counting(function: Callable, of: str, folder: Path) -> Callable:
    """Number the statements within this function; a file tells how many there were."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if role() != of:
            return function(*args, **kwargs)
        _here.counts = {"statement": 0, "commit": 0}
        try:
            return function(*args, **kwargs)
        finally:
            counts, _here.counts = _here.counts, None
            for what, count in counts.items():
                with (folder / f"most-{of}-{what}").open("a") as file:
                    file.write(f"{count}\n")

    return run


def _with_statements(function: Callable, what: str, die: Callable[[str], None]) -> Callable:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        counts = getattr(_here, "counts", None)
        if counts is None:
            return function(*args, **kwargs)
        counts[what] += 1
        die(f"{role()}: before {what} {counts[what]}")
        result = function(*args, **kwargs)
        if what == "commit":
            die(f"{role()}: after {what} {counts[what]}")
        return result

    return run


def _wrap(where: str, make: Callable[[Callable], Callable]) -> None:
    """Put the wrapper wherever the product has the function: modules import it by name."""
    module_name, path = where.split(":")
    module = importlib.import_module(module_name)
    *owners, name = path.split(".")
    if owners:
        owner = functools.reduce(getattr, owners, module)
        setattr(owner, name, make(getattr(owner, name)))
        return
    original = getattr(module, name)
    wrapped = make(original)
    for holder in list(sys.modules.values()):
        if (getattr(holder, "__name__", "") or "").split(".")[0] in PRODUCT:
            for attribute, value in list(vars(holder).items()):
                if value is original:
                    setattr(holder, attribute, wrapped)


def _no_sweep() -> None:
    _wrap("numbers.settle:settle_due", lambda f: lambda *args, **kwargs: None)


def _void_at_once() -> None:
    from django.conf import settings

    from numbers import settle

    settings.PURCHASE_QUIET_SECONDS = 0
    settle.MOST_CALLS = 1


def _timeout_is_failure() -> None:
    from telephony.errors import ProviderUnavailable

    def init(self: Any, message: str, *, outcome_unknown: bool, **facts: Any) -> None:
        super(ProviderUnavailable, self).__init__(message, **facts)
        self.outcome_unknown = False

    ProviderUnavailable.__init__ = init  # type: ignore[method-assign]


CONTROLS: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "the sweep off": _no_sweep,
    "a sweep that voids at once": _void_at_once,
    "a timeout taken for a failure": _timeout_is_failure,
}
