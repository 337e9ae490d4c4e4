"""`make manage`: a command of Django's manage.py against this copy's services."""

import os
import sys
from collections.abc import Sequence

from embedded import environment, ports
from embedded.foreground import in_foreground
from embedded.part import Parts
from embedded.services import start_services, start_simulator
from embedded.var_dir import VarDir


def manage(words: Sequence[str]) -> int:
    """With the services of the copy that runs; where none runs, they run for the duration."""
    command = [sys.executable, "manage.py", *words]
    if running := VarDir.from_environment().announced():
        return in_foreground(command, {**os.environ, **running})
    with VarDir.from_environment() as var, Parts() as parts:
        port = ports.web_port()
        env = environment.for_demo(os.environ, var, port=port)
        start_services(parts, var, env, durable=True)
        start_simulator(parts, var, env, first_port=port + 1)
        return in_foreground(command, env)
