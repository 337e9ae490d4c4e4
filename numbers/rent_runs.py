"""What support staff see of a collection: when it ran, what it did, what went wrong."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from lib.errors import Refusal
from numbers.models import RentRun
from workspaces.models import User, Workspace

# How far the clocks of two machines may be apart.
TOLERANCE = timedelta(minutes=5)
SIGN_OF_LIFE_SECONDS = 1.0
GIVEN_UP_AFTER = timedelta(minutes=10)


class RunInTheFuture(Refusal):
    code = "run_in_the_future"
    title = "This time has not come yet"

    def __init__(self, asked: datetime, clock: datetime) -> None:
        super().__init__(
            f"Rent due by {asked:%Y-%m-%d %H:%M} UTC was asked for, and the database's clock says "
            f"{clock:%Y-%m-%d %H:%M} UTC. Check the clock of this machine, or name an earlier time."
        )


def database_clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def checked_time(asked: datetime | None) -> datetime:
    """The time to collect for: the one asked for, else now by this machine's clock.

    Raises ``RunInTheFuture`` where the database's clock says that it has not come: a clock
    that jumped must not charge anybody early.
    """
    clock = database_clock()
    at = asked or timezone.now()
    if at > clock + TOLERANCE:
        raise RunInTheFuture(at, clock)
    return at


@dataclass(slots=True)
class Tally:
    """The run's row and what it has counted so far, kept up to date once a second."""

    run: RentRun
    slices: int = 0
    wallets: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)
    written_at: float = field(default_factory=time.monotonic)

    def next_key(self) -> str:
        """Each transaction of the run charges under a key of its own."""
        self.slices += 1
        return f"rent:{self.run.pk}:{self.slices}"

    def paid(self, currency: str, payments: int, amount: Decimal) -> None:
        self.run.payments += payments
        _add(self.run.sums, currency, amount)

    def left(self, currency: str, payments: int, amount: Decimal) -> None:
        self.run.left += payments
        _add(self.run.left_sums, currency, amount)

    def sign_of_life(self) -> None:
        if time.monotonic() - self.written_at > SIGN_OF_LIFE_SECONDS:
            self._write()

    def end(self, problem: str = "") -> RentRun:
        if problem:
            self.run.problems.append(problem)
        self.run.ended_at = timezone.now()
        self._write()
        return self.run

    def _write(self) -> None:
        self.run.seen_at = timezone.now()
        self.run.busy = len(self.busy)
        self.run.save()
        self.written_at = time.monotonic()


def _add(sums: dict[str, str], currency: str, amount: Decimal) -> None:
    sums[currency] = str(Decimal(sums.get(currency, 0)) + amount)


def begin(
    *, at: datetime, cause: RentRun.Cause, workspace: Workspace | None = None,
    by: User | None = None,
) -> Tally:  # fmt: skip
    """A new run; those that died without a word are closed as interrupted."""
    now = timezone.now()
    RentRun.objects.filter(ended_at=None, seen_at__lt=now - GIVEN_UP_AFTER).update(
        ended_at=now, problems=["Interrupted. What it had not done, a later run has done."]
    )
    run = RentRun.objects.create(
        cause=cause, by=by, workspace_slug=workspace.slug if workspace else "", at=at,
        started_at=now, seen_at=now,
    )  # fmt: skip
    return Tally(run)
