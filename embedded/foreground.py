"""A command at the terminal: pytest, a shell, a check."""

import signal
import subprocess
from collections.abc import Mapping, Sequence

from embedded.part import CHECKOUT, bound_to_launcher
from embedded.stopping import is_ended_from_outside

TIDY_UP_SECONDS = 15.0


def in_foreground(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run it with our terminal and return its exit code.

    It stays in our process group: it may ask questions, and Ctrl-C is its own affair (in a
    Python shell it ends a line, not the shell). A SIGTERM reaches only us; then it is
    interrupted in our name.
    """
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=env, preexec_fn=bound_to_launcher(signal.SIGTERM)
    )
    while not is_ended_from_outside():
        try:
            return process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(TIDY_UP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
