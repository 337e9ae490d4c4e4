"""Ctrl-C, SIGTERM and SIGHUP: noted at once, acted upon where it is safe.

A handler that raised could do so between the birth of a process and the line that
remembers it, and leave an orphan. So the handler only notes, and `pause`, in which the
launcher spends its life, raises. While parts are being stopped nothing pauses: a second
Ctrl-C changes nothing about a shutdown that is bounded in time anyway.
"""

import signal
import time

_noted: set[int] = set()


class Stopped(Exception):
    """Somebody asked this command to stop."""


def listen() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup: the command is meant to outlive its terminal
        signal.signal(number, lambda received, _frame: _noted.add(received))


def pause(seconds: float = 0.05) -> None:
    """Sleep; raise Stopped if somebody asked for it."""
    time.sleep(seconds)
    if _noted:
        raise Stopped


def is_ended_from_outside() -> bool:
    """By anything but Ctrl-C, which a command at the terminal sees and answers itself."""
    return bool(_noted - {signal.SIGINT})
