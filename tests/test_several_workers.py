"""Several Celery workers on one database and one broker, one of them killed at its work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from kombu import pools

from conftest import make_workspace
from embedded.part import CHECKOUT
from numbers.models import RentDue, RentLine
from numbers.tests.rent_book import audit, balance, buy
from numbers_project.celery import app
from tests.test_several_processes import database_url
from wallet.verify import verify
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 60
RUNS = 12
NAMES = ("first", "second")


def wait_until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, f"not in {SECONDS} s: {what}"
        time.sleep(0.1)


def collected() -> dict[str, int]:
    """How many runs each worker that answers has done."""
    told = app.control.inspect(timeout=1).stats() or {}
    return {
        name.split("@")[0]: stats["total"].get("numbers.tasks.collect_rent", 0)
        for name, stats in told.items()
    }


@pytest.fixture
def workers(tmp_path: Path, settings) -> Iterator[list[subprocess.Popen]]:
    settings.CELERY_TASK_ALWAYS_EAGER = False  # these tasks are sent
    connection.ensure_connection()
    env = os.environ | {"DATABASE_URL": database_url(), "VAR_DIR": str(tmp_path)}
    command = (
        sys.executable, "-m", "celery", "--quiet", "--app", "numbers_project", "worker",
        "--pool", "solo", "--loglevel", "error", "--without-gossip", "--without-mingle",
    )  # fmt: skip
    app.control.purge()
    both = [
        subprocess.Popen([*command, "--hostname", f"{name}@here"], cwd=CHECKOUT, env=env)
        for name in NAMES
    ]
    try:
        wait_until(lambda: set(collected()) == set(NAMES), "both workers answer")
        yield both
    finally:
        for worker in both:
            worker.terminate()
        for worker in both:
            worker.wait(30)
        app.control.purge()
        # A process that a later test forks would find these connections open, say goodbye on
        # the sockets that it shares with its siblings, and wait for an answer for ever.
        pools.reset()
        app._after_fork()


@pytest.fixture
def desks() -> list[Workspace]:
    """Forty workspaces with five numbers each, of which one month each has been due lately."""
    bought = timezone.now() - timedelta(days=32)
    desks = [make_workspace(f"desk{place}", f"Desk {place}", "50") for place in range(40)]
    for desk in desks:
        for _ in range(5):
            buy(desk, bought)
    return desks


def all_paid() -> bool:
    return not RentDue.objects.filter(next_period=1).exists()


def is_paid_once(desks: list[Workspace]) -> None:
    assert RentLine.objects.count() == 5 * len(desks)
    assert {balance(desk) for desk in desks} == {Decimal("50") - 5 * Decimal("1.38")}
    assert audit() == []
    assert list(verify()) == []


def test_two_workers_share_the_runs_and_each_month_is_paid_once(workers, desks):
    for _ in range(RUNS):
        app.send_task("numbers.tasks.collect_rent")
    wait_until(lambda: sum(collected().values()) == RUNS, "every run is done")
    assert all(collected().values()), "one of them did nothing"
    is_paid_once(desks)


def test_the_other_goes_on_when_one_is_killed(workers, desks):
    for _ in range(RUNS):
        app.send_task("numbers.tasks.collect_rent")
    workers[0].send_signal(signal.SIGKILL)
    wait_until(all_paid, "every month is paid")
    assert workers[0].wait(10) == -signal.SIGKILL
    assert workers[1].poll() is None
    is_paid_once(desks)
