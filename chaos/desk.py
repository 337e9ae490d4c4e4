"""All the processes of a desk, and how each is killed and comes back."""

import json
import random
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from embedded import ports
from embedded.part import Part, Parts
from embedded.postgres import NAME, Postgres
from embedded.services import module
from embedded.valkey import Valkey
from embedded.var_dir import VarDir

START_SECONDS = 30.0


class Missing(Exception):
    """Something did not come back: that is a failure of the run, not a finding."""


@dataclass
class Desk:
    """``env`` is what its processes are told; ``round`` names the database in use."""

    var: VarDir
    parts: Parts
    env: dict[str, str]
    postgres: Postgres
    valkey: Valkey
    web_port: int
    simulator_port: int
    round: str = NAME
    pids: dict[str, int] = field(default_factory=dict)
    restarting: threading.RLock = field(default_factory=threading.RLock)
    simulator: Part | None = None
    zygote: Part | None = None

    @property
    def address(self) -> str:
        return f"http://{ports.HOST}:{self.web_port}"

    @property
    def provider(self) -> str:
        return f"http://{ports.HOST}:{self.simulator_port}"

    @property
    def database(self) -> str:
        return self.postgres.url.replace(f"///{NAME}?", f"///{self.round}?")

    @property
    def folder(self) -> Path:
        """Where points are armed, and where the simulator keeps its state."""
        return self.var.path / self.round

    @property
    def state(self) -> Path:
        return self.folder / "simulator.sqlite3"

    # --- Rounds ----------------------------------------------------------------------------

    def begin(self, name: str | None) -> None:
        """Use a fresh copy of the prepared database and of the provider's state."""
        self.round = name or NAME
        self.folder.mkdir()
        self.env["DATABASE_URL"] = self.database
        if name is not None:
            with psycopg.connect(self.postgres.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {NAME}")
            shutil.copy(self.var.path / NAME / "simulator.sqlite3", self.state)
            redis.Redis.from_url(self.env["CACHE_URL"]).flushall()
            self.start_simulator()

    def end(self) -> None:
        for name in list(self.pids):
            self.kill(name)
        for part in (self.zygote, self.simulator):
            if part is not None:
                part.stop()
        self.zygote = self.simulator = None

    # --- Starting --------------------------------------------------------------------------

    def start_zygote(self, control: str = "") -> None:
        address = self._zygote_address
        address.unlink(missing_ok=True)
        env = {**self.env, "CHAOS_CONTROL": control}
        command = ("chaos.zygote", address, self.folder)
        self.zygote = self.parts.start(module("zygote", self.var, env, *command))
        self.zygote.wait_until(address.exists, seconds=START_SECONDS)

    def start_simulator(self) -> None:
        command = (
            "telephony.simulator", "--port", str(self.simulator_port), "--state", self.state,
        )  # fmt: skip
        self.simulator = self.parts.start(module("simulator", self.var, self.env, *command))
        self.simulator.wait_until(lambda: ports.accepts(self.simulator_port), seconds=START_SECONDS)

    def start(self, name: str) -> None:
        with self.restarting:
            log = str(self.var.path / "log" / f"{name}.log")
            self.pids[name] = self._ask_zygote(
                what="run", role=name, log=log, command=COMMANDS[name](self)
            )
            if name == "web":
                self._wait_for_web()

    def ensure(self, name: str) -> None:
        """Start it again if it has died."""
        with self.restarting:
            if not self.is_running(name):
                self.kill(name)
                self.start(name)

    def _ask_zygote(self, **wanted: object) -> int:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(self._zygote_address))
            client.sendall(json.dumps(wanted).encode() + b"\n")
            return int(client.makefile().readline())

    def _wait_for_web(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ports.answers(self.web_port, "/healthz"):
            if not self.is_running("web") or time.monotonic() > deadline:
                raise Missing(f"the web process did not come up; see {self.var.path}/log/web.log")
            time.sleep(0.02)

    @property
    def _zygote_address(self) -> Path:
        return self.var.runtime / "zygote.sock"

    # --- Breaking --------------------------------------------------------------------------

    def is_running(self, name: str) -> bool:
        pid = self.pids.get(name)
        return pid is not None and bool(self._ask_zygote(what="is_running", pid=pid))

    def kill(self, name: str) -> None:
        """SIGKILL for the program and whatever it has forked."""
        with self.restarting:
            pid = self.pids.pop(name, None)
            if pid is not None:
                self._ask_zygote(what="kill", pid=pid)

    def kill_and_start(self, name: str) -> None:
        with self.restarting:
            self.kill(name)
            self.start(name)

    def restart_postgres(self) -> None:
        """Immediately: as after a power cut, with recovery at the start."""
        with self.restarting:
            process = self.postgres.part.process
            assert process is not None
            process.send_signal(signal.SIGQUIT)
            process.wait(START_SECONDS)
            self.postgres.start()

    def restart_broker(self) -> None:
        with self.restarting:
            process = self.valkey.part.process
            assert process is not None
            process.kill()
            process.wait(START_SECONDS)
            self.valkey.start()

    def restart_everything(self) -> None:
        with self.restarting:
            for name in ("web", "worker", "beat"):
                self.kill(name)
            self.restart_postgres()
            self.restart_broker()
            assert self.simulator is not None
            self.simulator.stop()
            self.start_simulator()
            for name in ("web", "worker", "beat"):
                self.start(name)

    # --- Points ----------------------------------------------------------------------------

    @contextmanager
    def armed(self, key: str) -> Iterator[Path]:
        """Whoever comes to this point dies, once; whatever happens, it is not armed after."""
        file = self.folder / key
        file.touch()
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    def most(self, role: str, what: str) -> int:
        """How many statements or commits one purchase has had at most."""
        file = self.folder / f"most-{role}-{what}"
        return max(map(int, file.read_text().split()), default=0) if file.exists() else 0

    def killed(self) -> list[str]:
        file = self.folder / "killed.log"
        return file.read_text().splitlines() if file.exists() else []

    # --- Looking ---------------------------------------------------------------------------

    def query(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def pause(self, rng: random.Random, most: float) -> None:
        time.sleep(rng.uniform(0, most))


COMMANDS = {
    "web": lambda desk: [
        "granian", "--interface", "wsgi", "--host", ports.HOST, "--port", str(desk.web_port),
        "--workers", "1", "--blocking-threads", "16", "--backlog", "256",
        "numbers_project.wsgi:application",
    ],
    "worker": lambda desk: [
        "celery", "--quiet", "--app", "numbers_project", "worker", "--concurrency", "3",
        "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning",
    ],
    "beat": lambda desk: [
        "celery", "--quiet", "--app", "numbers_project", "beat", "--loglevel", "warning",
        "--schedule", str(desk.var.path / "celerybeat-schedule"),
    ],
}  # fmt: skip
