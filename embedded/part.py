"""A process that the launcher starts, watches and ends."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from embedded.problem import Problem
from embedded.stopping import pause

CHECKOUT = Path(__file__).resolve().parent.parent

_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(with_signal: int) -> None:
    """Have the kernel send this process a signal when its parent is gone, however it went.

    On Linux only; elsewhere a launcher that is killed by SIGKILL leaves its parts behind.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, with_signal)


def bound_to_launcher(with_signal: int) -> Callable[[], None]:
    """For `preexec_fn`, which runs after the change of user: that change would undo it."""
    launcher = os.getpid()

    def bind() -> None:
        die_with_parent(with_signal)
        if os.getppid() != launcher:  # it died before the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return bind


def run_as(user: int | None) -> dict[str, Any]:
    """Popen's arguments for another user, without any of the groups we are in."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


@dataclass(kw_only=True)
class Part:
    """One process in a session of its own, its output in a log file.

    `stop_signal` asks it to finish its work, `orphan_signal` reaches it when the launcher
    was killed; after `limit` seconds the whole process group is killed. It inherits the
    file descriptors in `keep_open`.
    """

    name: str
    command: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path = CHECKOUT
    user: int | None = None
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGTERM
    limit: float = 8.0
    keep_open: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                env=self.env,
                start_new_session=True,
                pass_fds=self.keep_open,
                preexec_fn=bound_to_launcher(self.orphan_signal),
                **run_as(self.user),
            )

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was not started"
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """As Popen has it: negative for a signal, None while it runs."""
        return self.process.poll() if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.exit_code is None

    def must_run(self) -> None:
        if not self.is_running():
            raise Problem(f"{self.name} {self._how_it_ended()}.{self.last_words()}")

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.must_run()
            if time.monotonic() > deadline:
                raise Problem(f"{self.name} is not ready after {seconds:g} s.{self.last_words()}")
            pause()

    def stop(self) -> None:
        """End the process and all that it started, within about `limit` seconds."""
        if self.process is None:
            return
        if self.is_running():
            self.process.send_signal(self.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.limit)
        with suppress(ProcessLookupError, PermissionError):  # EPERM: macOS, only zombies left
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def last_words(self, lines: int = 15) -> str:
        if not self.log.exists():
            return ""
        words = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
        return f" The end of {self.log}:\n" + "\n".join(f"    {line}" for line in words)

    def _how_it_ended(self) -> str:
        code = self.exit_code
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


class Parts:
    """All that a command has started; leaving the block ends it, the last started first."""

    def __init__(self) -> None:
        self._parts: list[Part] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for part in reversed(self._parts):
            part.stop()

    def add(self, part: Part) -> Part:
        """Before its start, so that there is no moment in which nobody would end it."""
        self._parts.append(part)
        return part

    def start(self, part: Part) -> Part:
        self.add(part).start()
        return part

    def run_to_end(self, part: Part) -> None:
        """For a part that ends by itself; anything but success is a problem."""
        self.start(part)
        while part.is_running():
            pause(0.02)
        if part.exit_code != 0:
            part.must_run()
        self._parts.remove(part)

    def must_run(self) -> None:
        for part in self._parts:
            part.must_run()
