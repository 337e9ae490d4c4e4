"""One copy per folder, and no trace of a copy that was killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded import var_dir
from embedded.part import CHECKOUT
from embedded.problem import Problem
from embedded.var_dir import VarDir


def test_second_copy_in_the_same_folder_is_refused(tmp_path: Path):
    with VarDir(tmp_path), pytest.raises(Problem, match=f"process {os.getpid()}.*VAR_DIR="):
        VarDir(tmp_path).__enter__()


def test_folder_is_free_again_afterwards(tmp_path: Path):
    for _ in range(2):
        with VarDir(tmp_path) as var:
            assert var.runtime.is_dir()
        assert not var.runtime.exists()


def test_start_waits_for_the_orphans_of_a_killed_launcher(tmp_path: Path):
    """They hold the lock until they are gone, although its owner is dead."""
    hold = "import sys, time; sys.stdin.readline()"
    with VarDir(tmp_path) as var:
        orphan = subprocess.Popen(
            [sys.executable, "-c", hold], stdin=subprocess.PIPE, pass_fds=[var.lock], cwd=CHECKOUT
        )
    os.truncate(tmp_path / "lock", 0)

    with pytest.MonkeyPatch.context() as patch, orphan:
        patch.setattr(var_dir, "WAIT_FOR_ORPHANS", 0.3)
        with pytest.raises(Problem, match="in use"):
            VarDir(tmp_path).__enter__()
        patch.undo()
        orphan.communicate(b"\n")
        with VarDir(tmp_path):
            pass


def test_leftovers_of_a_killed_copy_are_swept(tmp_path: Path):
    with VarDir(tmp_path) as killed:
        runtime = killed.runtime
        (tmp_path / "left").symlink_to(runtime)
    runtime.mkdir()
    (tmp_path / "left").rename(tmp_path / "runtime")
    (tmp_path / "running.json").write_text("{}")

    with VarDir(tmp_path) as var:
        assert not runtime.exists()
        assert var.announced() is None


def test_running_copy_is_found_by_others(tmp_path: Path):
    with VarDir(tmp_path) as var:
        var.announce({"DATABASE_URL": "x"})
        assert VarDir(tmp_path).announced() == {"DATABASE_URL": "x"}
        assert (tmp_path / "running.json").stat().st_mode & 0o077 == 0
    assert VarDir(tmp_path).announced() is None


def test_sockets_fit_however_long_the_folder(tmp_path: Path):
    with VarDir(tmp_path / ("long" * 30)) as var:
        assert len(bytes(var.runtime / "postgres" / ".s.PGSQL.5432")) <= 103


def test_log_of_the_run_before_is_kept(tmp_path: Path):
    with VarDir(tmp_path) as var:
        var.log("web").write_text("first")
        assert var.log("web").read_text() == ""
    assert (tmp_path / "log" / "web.log.1").read_text() == "first"
