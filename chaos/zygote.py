"""A process that has loaded the product and becomes a web server, a worker or the beat.

They are the very programs of `make run`, started by a fork instead of a new interpreter: a
process that is killed every second must not take two to come back.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from chaos import hooks
from embedded.part import die_with_parent

# Loaded once, here. The first makes the app package `numbers` importable (ADR-0001), the
# second sets Django up.
LOADED = (
    "numbers_project", "numbers_project.wsgi", "numbers_project.urls", "granian.cli",
    "celery.apps.worker", "celery.apps.beat", "celery.bin.worker", "celery.bin.beat",
)  # fmt: skip
BEAT_SECONDS = 0.5
# What settles purchases, made to come often. The rest keeps its pace: the hourly comparison
# with the provider adopts lost numbers too, and would hide that a sweep had missed them.
OFTEN = ("settle unknown purchases", "repair webhooks")


def main(address: str, folder: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "numbers_project.settings")
    modules = [importlib.import_module(name) for name in LOADED]
    app = modules[0].celery_app
    app.loader.import_default_modules()
    hooks.install(Path(folder))
    for name in OFTEN:
        app.conf.beat_schedule[name]["schedule"] = BEAT_SECONDS
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(address)
        server.listen()
        while True:
            client, _ = server.accept()
            with client:
                wanted = json.loads(client.makefile().readline())
                client.sendall(f"{answer(server, **wanted)}\n".encode())


def answer(server: socket.socket, *, what: str, pid: int = 0, **part: Any) -> int:
    """``run`` gives a process number; ``is_running`` and ``kill`` are about one.

    Only who forked it can be sure that a number is still that process: it is not given to
    another one before it has been waited for, which happens here and nowhere else.
    """
    if what == "run":
        child = os.fork()
        if child == 0:
            server.close()
            become(**part)
        return child
    if what == "is_running":
        return int(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 0


def become(role: str, log: str, command: list[str]) -> None:
    """Never returns."""
    os.setsid()
    die_with_parent(signal.SIGKILL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ["CHAOS_ROLE"] = role
    sys.argv = command
    code = 0
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
