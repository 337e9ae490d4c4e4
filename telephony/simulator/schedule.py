"""When things happen on the provider's side: at once, later, or in a test's own time."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

Job = Callable[[], object]
MOST_JOBS = 100_000


class Schedule:
    """Jobs in the order of their time. This one runs when told to, in a time of its own:
    hours pass in an instant, and a test sees the same every time.
    """

    def __init__(self) -> None:
        self._jobs: list[tuple[float, int, Job]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._passed = 0.0

    def now(self) -> float:
        """Seconds since the beginning."""
        return self._passed

    def moment(self) -> datetime:
        """The same as a time of day, for what is shown on the wire."""
        return datetime.now(UTC)

    def after(self, seconds: float, job: Job) -> None:
        with self._changed:
            heapq.heappush(self._jobs, (self.now() + seconds, next(self._count), job))
            self._changed.notify()

    def run(self, *, seconds: float = 3600.0) -> int:
        """Do all that happens within so many seconds; returns how many jobs there were."""
        end, done = self._passed + seconds, 0
        while self._jobs and self._jobs[0][0] <= end:
            at, _place, job = heapq.heappop(self._jobs)
            self._passed = max(self._passed, at)
            job()
            done += 1
            if done > MOST_JOBS:
                raise RuntimeError("this never ends")
        return done


class RealSchedule(Schedule):
    """The same by the clock on the wall, for the server: each job in a thread of a pool."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()
        self._pool = ThreadPoolExecutor(max_workers=16)

    def now(self) -> float:
        return time.monotonic() - self._began

    def start(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._jobs or self._jobs[0][0] > self.now():
                    patience = self._jobs[0][0] - self.now() if self._jobs else None
                    self._changed.wait(patience)
                _at, _place, job = heapq.heappop(self._jobs)
            self._pool.submit(_guarded, job)


def _guarded(job: Job) -> None:
    try:
        job()
    except Exception:  # the pool would swallow it; the log of the simulator shows it
        import traceback

        traceback.print_exc()
