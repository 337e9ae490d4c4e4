"""`make chaos`: a desk of its own that is broken in every way, and then audited."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaos.desk import Desk
from chaos.report import say
from chaos.run import chaos as break_everything
from chaos.run import control, make_people
from embedded import environment, ports
from embedded.part import Parts
from embedded.postgres import Postgres
from embedded.problem import Problem
from embedded.services import module
from embedded.valkey import Valkey
from embedded.var_dir import VarDir

CONTROLS = ("the sweep off", "a sweep that voids at once", "a timeout taken for a failure")
FIRST_PORT = 18600
# Short, so that a trial takes a second; the quiet time is as many times the timeout as ever.
QUICK = {
    "TWILIO_TIMEOUT_SECONDS": "0.5",
    "PURCHASE_QUIET_SECONDS": "8",
    "PURCHASE_SPEND_PER_DAY": "1000000",
    "PURCHASE_NUMBERS_PER_DAY": "1000000",
    "RATE_LIMITS": "search=1000000/m,purchase=1000000/m",
    "LOG_LEVEL": "WARNING",
    "EMAIL_URL": "dummymail://",
}


def chaos(words: Sequence[str]) -> int:
    """``words`` are the number of trials and the seed. Returns 1 on any loss; a control in
    which the auditor finds none is a Problem.
    """
    trials, seed = (int(word) for word in words)
    with _prepared() as desk:
        for number, name in enumerate(CONTROLS, 1):
            desk.begin(f"control{number}")
            found = control(desk, name, seed=seed)
            desk.end()
            say(f"control, {name}: {found} findings")
            if not found:
                raise Problem(f"The auditor finds nothing with {name}: it would miss a loss.")
        desk.begin("trials")
        return break_everything(desk, trials=trials, seed=seed)


@contextmanager
def _prepared() -> Iterator[Desk]:
    """Services with a database that every round copies."""
    with (
        tempfile.TemporaryDirectory(prefix="numbers-") as folder,
        VarDir(Path(folder)) as var,
        Parts() as parts,
    ):
        web = ports.for_simulator({}, FIRST_PORT)
        env = environment.for_demo(_clean(os.environ), var, port=web) | QUICK
        simulator = ports.for_simulator({}, web + 1)
        env = environment.for_simulator(env, var, port=simulator)
        servers = {"runtime": var.runtime, "durable": True, "keep_open": [var.lock]}
        postgres = Postgres(data=var.path / "postgres", log=var.log("postgres"), **servers)  # type: ignore[arg-type]
        parts.add(postgres.part)
        postgres.start()
        valkey = Valkey(data=var.path / "valkey", log=var.log("valkey"), **servers)  # type: ignore[arg-type]
        parts.add(valkey.part)
        valkey.start()
        env |= {"CELERY_BROKER_URL": valkey.broker_url, "CACHE_URL": valkey.cache_url}
        desk = Desk(
            var=var, parts=parts, env=env, postgres=postgres, valkey=valkey, web_port=web,
            simulator_port=simulator,
        )  # fmt: skip
        desk.begin(None)
        desk.start_simulator()
        say("Preparing a database and people …")
        parts.run_to_end(module("prepare", var, desk.env, "embedded.prepare"))
        make_people(desk)
        desk.end()
        try:
            yield desk
        finally:
            desk.end()
            if keep := os.environ.get("CHAOS_LOGS"):
                shutil.copytree(var.path / "log", keep, dirs_exist_ok=True)


def _clean(env: "os._Environ[str]") -> dict[str, str]:
    """Without anything that would lead to somebody's real services."""
    theirs = ("TWILIO_", "DATABASE_URL", "CELERY_", "CACHE_", "EMAIL_")
    return {name: value for name, value in env.items() if not name.startswith(theirs)}
