"""The embedded PostgreSQL: a cluster in a folder, reached through a unix socket only."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from embedded import binaries
from embedded.part import Part, bound_to_launcher, run_as
from embedded.problem import Problem
from embedded.stopping import pause

NAME = "numbers"  # of the database and of its superuser
NOBODY = 65534  # PostgreSQL refuses to run as root; this user owns nothing and needs no account
RETRY_SECONDS = 5.0
RECOVERY_SECONDS = 120.0

FORGETFUL = {
    # For tests: a power cut may lose everything, the next run starts from nothing anyway.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


class Postgres:
    def __init__(
        self,
        *,
        data: Path,
        runtime: Path,
        log: Path,
        durable: bool,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.user = NOBODY if os.geteuid() == 0 else None
        self.data = data
        self.log = log
        self.durable = durable
        self.sockets = self._own_folder(runtime / "postgres")
        self.bin = self._runnable(binaries.postgres_bin(), runtime / "postgres-binaries")
        settings = {"unix_socket_directories": str(self.sockets), "listen_addresses": ""}
        if not durable:
            settings |= FORGETFUL
        self.part = Part(
            name="PostgreSQL",
            command=[
                *(self.bin / "postgres", "-D", self._as_told(data)),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            log=log,
            cwd=data,
            user=self.user,
            stop_signal=signal.SIGINT,  # fast shutdown: open transactions are rolled back
            orphan_signal=signal.SIGINT,
            limit=20.0,
            keep_open=keep_open,
        )

    @property
    def url(self) -> str:
        """In the form that libpq and django-environ both read."""
        return f"postgresql:///{NAME}?{urlencode({'host': self.sockets, 'user': NAME}, safe='/')}"

    def start(self) -> None:
        """Returns when connections are accepted.

        After a crash the dead server's memory may stay for a moment, and PostgreSQL refuses
        to start beside it: so it is tried again for a while.
        """
        if not self.data.exists():
            self._create()
        self._forget_dead_server()
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            self.part.start()
            while self.part.is_running():
                if self._accepts_connections():
                    return
                if time.monotonic() > deadline + RECOVERY_SECONDS:
                    raise Problem(f"PostgreSQL is still not ready.{self.part.last_words()}")
                pause(0.02)
            if time.monotonic() > deadline:
                self.part.must_run()
            pause(0.2)

    def _create(self) -> None:
        """Under another name until it is whole, so that half a cluster is never used."""
        unfinished = self.data.with_name(f"{self.data.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._own_folder(unfinished)
        here = self._as_told(unfinished)
        self._run(
            unfinished,
            [
                *(self.bin / "initdb", "-D", here, "--username", NAME, "--auth=trust"),
                *("--encoding=UTF8", *self._locale(), "--no-instructions"),
                *([] if self.durable else ["--no-sync"]),
            ],
        )
        self._run(
            unfinished,
            [self.bin / "postgres", "--single", "-D", here, "postgres"],
            stdin=f"CREATE DATABASE {NAME};\n",
        )
        unfinished.rename(self.data)

    def _locale(self) -> list[str]:
        """The same order of text on every machine."""
        command: list[str | Path] = [self.bin / "initdb", "--version"]
        version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        major = int(re.findall(r"\d+", version)[0])
        return ["--locale=C.UTF-8", *(["--locale-provider=builtin"] if major >= 17 else [])]

    def _run(self, folder: Path, command: list[str | Path], stdin: str = "") -> None:
        with self.log.open("ab") as log:
            done = subprocess.run(
                command,
                input=stdin.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
                preexec_fn=bound_to_launcher(signal.SIGKILL),
                check=False,
                **run_as(self.user),
            )
        if done.returncode != 0:
            raise Problem(f"PostgreSQL's files could not be made.{self.part.last_words()}")

    def _accepts_connections(self) -> bool:
        """What pg_ctl looks at: the server's own word, in line 8 of its lock file."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(self.part.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _forget_dead_server(self) -> None:
        """Drop a lock file whose process number has since gone to another program.

        PostgreSQL asks only whether such a process exists; in a container, where the numbers
        start from 1 again, one does. That no other copy uses the folder is known by now.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text(encoding="utf-8").split("\n")[0])
            program = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return
        if program != "postgres":
            lock.unlink()

    def _own_folder(self, folder: Path) -> Path:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user is not None:
            os.chown(folder, self.user, self.user)
        return folder

    def _as_told(self, data: Path) -> str | Path:
        """How PostgreSQL is told of its folder, which is always its working directory too.

        Root's stand-in may not pass the folders above it (/root is closed to others), and
        this link leads to the working directory without passing them.
        """
        if self.user is not None and sys.platform == "linux":
            return "/proc/self/cwd"
        return data

    def _runnable(self, folder: Path, copy: Path) -> Path:
        """The binaries, or a copy of them where root's stand-in cannot reach the originals."""
        if self.user is None or _can_run(folder / "postgres", self.user):
            return folder
        shutil.copytree(folder.parent, copy, ignore=shutil.ignore_patterns("include"))
        for path in [copy, *copy.rglob("*")]:
            owner = path.stat().st_mode & stat.S_IRWXU
            path.chmod(owner | (owner & 0o500) >> 3 | (owner & 0o500) >> 6)
        return copy / folder.name


def _can_run(program: Path, user: int) -> bool:
    try:
        subprocess.run([program, "--version"], capture_output=True, check=True, **run_as(user))
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True
