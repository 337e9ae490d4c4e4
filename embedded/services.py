"""What the desk stands on: PostgreSQL, Valkey, and the simulators of Twilio and Stripe.

Each is started only where the environment does not name one already, and named there.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded import environment, ports
from embedded.environment import is_given
from embedded.part import Part, Parts
from embedded.postgres import Postgres
from embedded.valkey import Valkey
from embedded.var_dir import VarDir

START_SECONDS = 60.0


def start_services(parts: Parts, var: VarDir, env: dict[str, str], *, durable: bool) -> None:
    if not is_given(env, "DATABASE_URL"):
        postgres = Postgres(
            data=var.path / "postgres",
            runtime=var.runtime,
            log=var.log("postgres"),
            durable=durable,
            keep_open=[var.lock],
        )
        parts.add(postgres.part)
        postgres.start()
        env["DATABASE_URL"] = postgres.url
    if not is_given(env, "CELERY_BROKER_URL"):
        valkey = Valkey(
            data=var.path / "valkey",
            runtime=var.runtime,
            log=var.log("valkey"),
            durable=durable,
            keep_open=[var.lock],
        )
        parts.add(valkey.part)
        valkey.start()
        env["CELERY_BROKER_URL"] = valkey.broker_url
        if not is_given(env, "CACHE_URL"):
            env["CACHE_URL"] = valkey.cache_url


def start_simulator(parts: Parts, var: VarDir, env: dict[str, str], *, first_port: int) -> None:
    if not environment.wants_simulator(env):
        return
    port = ports.for_simulator(env, first_port)
    env.update(environment.for_simulator(env, var, port=port))
    state = var.path / "simulator.sqlite3"
    command = ("telephony.simulator", "--port", str(port), "--state", state)
    simulator = parts.start(module("simulator", var, env, *command))
    simulator.wait_until(lambda: ports.accepts(port), seconds=START_SECONDS)


def start_stripe_simulator(
    parts: Parts, var: VarDir, env: dict[str, str], *, first_port: int
) -> None:
    if not environment.wants_stripe_simulator(env):
        return
    port = ports.for_stripe_simulator(env, first_port)
    env.update(environment.for_stripe_simulator(env, var, port=port))
    command = (
        "wallet.stripe_simulator", "--port", str(port),
        "--state", var.path / "stripe.sqlite3",
        "--webhook", f"{env['PUBLIC_BASE_URL']}/webhooks/stripe/",
    )  # fmt: skip
    simulator = parts.start(module("stripe", var, env, *command))
    simulator.wait_until(lambda: ports.accepts(port), seconds=START_SECONDS)


def module(
    name: str, var: VarDir, env: Mapping[str, str], *words: str | Path, **options: Any
) -> Part:
    """A part that is a Python module of this checkout's environment."""
    return Part(
        name=name,
        command=[sys.executable, "-m", *words],
        log=var.log(name),
        env=env,
        keep_open=[var.lock],
        **options,
    )
