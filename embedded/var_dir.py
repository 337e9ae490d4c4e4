"""The folder of one copy: its data, its logs, its secret, and the lock that keeps it alone."""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Self

from embedded.problem import Problem
from embedded.stopping import pause

SOCKET_PATH_LIMIT = 100  # 107 bytes on Linux, 103 on macOS
LONGEST_SOCKET = "numbers-xxxxxxxx/postgres/.s.PGSQL.5432"
WAIT_FOR_ORPHANS = 15.0


class VarDir:
    """Held while the block runs; a second copy in the same folder is refused.

    The parts inherit the lock. So after a SIGKILL of the launcher it is free only when the
    last of them is gone, and the next start waits for that.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.lock = -1

    @classmethod
    def from_environment(cls) -> Self:
        return cls(Path(os.environ.get("VAR_DIR") or "var"))

    def __enter__(self) -> Self:
        try:
            for folder in (self.path, self.path / "log"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Problem(
                f"{self.path} cannot be written ({error.strerror}): set VAR_DIR=."
            ) from error
        self._take_lock()
        self._sweep()
        self.runtime = self._make_runtime()
        return self

    def __exit__(self, *_error: object) -> None:
        self._sweep()
        os.close(self.lock)

    def log(self, name: str) -> Path:
        """A fresh log; the one of the run before stays beside it."""
        log = self.path / "log" / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        log.touch(mode=0o600)
        return log

    def secret(self) -> str:
        """Made once: sessions survive a restart."""
        file = self.path / "secret_key"
        if not file.exists():
            with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as new:
                new.write(secrets.token_urlsafe(48))
        return file.read_text().strip()

    def announce(self, env: dict[str, str]) -> None:
        """Let `make manage` and `make shell` find this copy's services."""
        with open(os.open(self._announcement, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            json.dump(env, file)

    def announced(self) -> dict[str, str] | None:
        """The environment of the copy that runs in this folder, if one does."""
        try:
            with open(self.path / "lock", "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return (
                json.loads(self._announcement.read_text()) if self._announcement.exists() else None
            )
        except FileNotFoundError:
            pass
        return None

    @property
    def _announcement(self) -> Path:
        return self.path / "running.json"

    @property
    def _runtime_link(self) -> Path:
        return self.path / "runtime"

    def _take_lock(self) -> None:
        deadline = time.monotonic() + WAIT_FOR_ORPHANS
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.pread(self.lock, 20, 0).decode() or "unknown"
                if _is_alive(owner) or time.monotonic() > deadline:
                    raise Problem(
                        f"{self.path} is in use by another copy (process {owner}). Stop that one, "
                        "or give this one its own folder and port: "
                        "make run VAR_DIR=var-2 PORT=8010"
                    ) from None
                pause(0.1)
            else:
                os.ftruncate(self.lock, 0)
                os.pwrite(self.lock, str(os.getpid()).encode(), 0)
                return

    def _make_runtime(self) -> Path:
        """A short private folder: the path of a socket has little room, VAR_DIR may be long.

        As root, PostgreSQL's user must be able to pass through it, and nothing more.
        """
        runtime = Path(tempfile.mkdtemp(prefix="numbers-", dir=_temporary_folder()))
        if os.geteuid() == 0:
            runtime.chmod(0o711)
        self._runtime_link.symlink_to(runtime)
        return runtime

    def _sweep(self) -> None:
        """What only a running copy has; after a SIGKILL the next start finds it."""
        self._announcement.unlink(missing_ok=True)
        if self._runtime_link.is_symlink():
            runtime = self._runtime_link.readlink()
            if runtime.name.startswith("numbers-") and runtime.is_dir():
                shutil.rmtree(runtime, ignore_errors=True)
            self._runtime_link.unlink()


def _temporary_folder() -> str:
    for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        path = Path(folder).resolve()
        is_open = all(place.stat().st_mode & 0o001 for place in (path, *path.parents))
        is_short = len(bytes(path / LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT
        if is_short and (is_open or os.geteuid() != 0):
            return str(path)
    raise Problem("No temporary folder has a path short enough for sockets: set TMPDIR=/tmp.")


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
