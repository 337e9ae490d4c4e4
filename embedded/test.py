"""`make test`: pytest on a PostgreSQL and a Valkey that nobody else sees."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from embedded import environment
from embedded.foreground import in_foreground
from embedded.part import Parts
from embedded.services import start_services
from embedded.var_dir import VarDir


def test(words: Sequence[str]) -> int:
    """Returns pytest's exit code."""
    with throwaway_services() as env:
        return in_foreground([sys.executable, "-m", "pytest", "-n", "2", *words], env)


@contextmanager
def throwaway_services(*, durable: bool = False) -> Iterator[dict[str, str]]:
    """The tests' environment, with services that are gone without trace afterwards."""
    with (
        TemporaryDirectory(prefix="numbers-") as folder,
        VarDir(Path(folder)) as var,
        Parts() as parts,
    ):
        env = environment.for_tests(os.environ, var)
        start_services(parts, var, env, durable=durable)
        yield env
