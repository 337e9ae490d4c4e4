"""`python -m embedded COMMAND`: what stands behind the targets of the Makefile."""

import sys
from collections.abc import Sequence

from embedded import stopping
from embedded.bench import bench
from embedded.check import check
from embedded.manage import manage
from embedded.problem import Problem
from embedded.run import run
from embedded.test import test

USAGE = (
    "usage: python -m embedded run | test [PYTEST…] | bench [NAME…] | chaos TRIALS SEED | check"
    " | manage [COMMAND…]"
)


def main(words: Sequence[str]) -> int:
    stopping.listen()
    try:
        match words:
            case ["run"]:
                return run()
            case ["test", *rest]:
                return test(rest)
            case ["bench", *names]:
                return bench(names)
            case ["chaos", trials, seed]:
                from embedded.chaos import chaos  # loads what only this command needs

                return chaos([trials, seed])
            case ["check"]:
                return check()
            case ["manage", *rest]:
                return manage(rest)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 1
    except stopping.Stopped:
        return 130
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
