"""`make run`: the whole desk on this machine, until Ctrl-C."""

import os
import signal
from contextlib import suppress

from embedded import environment, ports
from embedded.part import Parts, die_with_parent
from embedded.services import (
    START_SECONDS,
    module,
    start_services,
    start_simulator,
    start_stripe_simulator,
)
from embedded.stopping import Stopped, pause
from embedded.var_dir import VarDir

PASSWORD = "numbers-demo"
LOGINS = {
    "owner@acme.test": "owns the workspace Acme and may do everything in it",
    "member@acme.test": "works in Acme",
    "viewer@acme.test": "looks at Acme and changes nothing",
    "owner@globex.test": "owns Globex, another workspace",
    "staff@example.test": "support staff, with the Django admin at /admin/",
}


def run() -> int:
    """Returns 0 when asked to stop; raises Problem when a part ended by itself."""
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM)  # a make that was killed passes no signal on
    port = ports.web_port()
    try:
        with VarDir.from_environment() as var, Parts() as parts:
            ports.must_be_free(port)
            env = start_desk(parts, var, port)
            var.announce(env)
            say(*ready(env, var, port))
            while True:
                parts.must_run()
                pause(0.2)
    except Stopped:
        say("Stopped; the data is kept.")
        return 0


def start_desk(parts: Parts, var: VarDir, port: int) -> dict[str, str]:
    """Everything, in the order in which it is needed; it is stopped in the reverse order."""
    say("Starting PostgreSQL, Valkey and the simulators of Twilio and Stripe …")
    env = environment.for_demo(os.environ, var, port=port)
    start_services(parts, var, env, durable=True)
    start_simulator(parts, var, env, first_port=port + 1)
    start_stripe_simulator(parts, var, env, first_port=port + 2)

    say("Preparing the database and the demo …")
    parts.run_to_end(module("prepare", var, env, "embedded.prepare"))

    say("Starting web, worker and beat …")
    celery = ("celery", "--quiet", "--app", "numbers_project")
    beat = ("beat", "--schedule", var.path / "celerybeat-schedule", "--loglevel", "warning")
    parts.start(module("beat", var, env, *celery, *beat))
    worker = ("worker", "--concurrency", "2", "--without-gossip", "--without-mingle")
    # Orphaned, it drops its tasks at once: they come back from the broker.
    parts.start(module("worker", var, env, *celery, *worker, orphan_signal=signal.SIGKILL))
    granian = ("granian", "--interface", "wsgi", "--host", ports.HOST, "--port", str(port))
    threads = ("--workers", "1", "--blocking-threads", "8")
    web = module("web", var, env, *granian, *threads, "numbers_project.wsgi:application")
    parts.start(web).wait_until(lambda: ports.answers(port, "/healthz"), seconds=START_SECONDS)
    parts.must_run()
    return env


def ready(env: dict[str, str], var: VarDir, port: int) -> list[str]:
    lines = [f"Ready: http://{ports.HOST}:{port}", ""]
    lines += [f"  {email:<19}  {what}" for email, what in LOGINS.items()]
    lines += [f"  The password of each is {PASSWORD}", ""]
    if base := env.get("TWILIO_API_BASE"):
        lines += [f"  Twilio is simulated at {base}: nothing is bought, called or charged."]
    if base := env.get("STRIPE_API_BASE"):
        lines += [f"  Stripe is simulated at {base}: no card is charged."]
    return [*lines, f"  Logs are in {var.path / 'log'}. Ctrl-C stops everything.", ""]


def say(*lines: str) -> None:
    """The terminal may be gone; that must not keep us from stopping what we started."""
    with suppress(OSError):
        print(*lines, sep="\n", flush=True)
