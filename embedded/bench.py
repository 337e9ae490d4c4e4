"""`make bench`: the benches on a PostgreSQL of their own, as durable as a real one."""

import sys
from collections.abc import Sequence

from embedded.foreground import in_foreground
from embedded.test import throwaway_services


def bench(words: Sequence[str]) -> int:
    with throwaway_services(durable=True) as env:
        return in_foreground([sys.executable, "-m", "bench", *words], env)
