"""The run: trials while things break, then everything restarted, swept and audited."""

import json
import random
import sys
import threading
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

import requests

from chaos.auditor import Audit, audit
from chaos.buyer import Buyer
from chaos.desk import Desk
from chaos.points import POINTS
from chaos.report import say, table
from chaos.trials import (
    AT_POINTS,
    AT_STATEMENTS,
    LATE_SECONDS,
    LOUD_KINDS,
    QUIET_KINDS,
    VERY_LATE,
    Numbers,
    Stage,
    Trial,
    is_loud,
    run_trial,
)
from embedded.services import module

LANES = 3
SETTLE_SECONDS = 60.0
AREA_CODES = ["212", "206", "305", "312", "512", "415", "617", "404", "303", "503", "602", "702"]
Planned = tuple[Trial, str]


@dataclass
class Run:
    """Trials in two queues: the loud ones break the desk itself and go one after another."""

    desk: Desk
    stage: Stage
    seed: int
    trials: list[Trial] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def play(self, planned: list[Planned]) -> None:
        loud = deque(one for one in planned if is_loud(one[0]))
        quiet = deque(one for one in planned if not is_loud(one[0]))
        self.trials += [trial for trial, _ in planned]
        lanes = [threading.Thread(target=self._lane, args=(quiet,)) for _ in range(LANES)]
        lanes.append(threading.Thread(target=self._lane, args=(loud,)))
        for lane in lanes:
            lane.start()
        while any(lane.is_alive() for lane in lanes):
            for name in ("web", "worker", "beat"):
                self.desk.ensure(name)
            time.sleep(0.05)

    def _lane(self, queue: "deque[Planned]") -> None:
        while True:
            try:
                trial, key = queue.popleft()
            except IndexError:
                return
            try:
                run_trial(self.stage, trial, key, self.seed)
            except Exception as error:  # the harness failed, and the run must say so
                self.failures.append(f"trial {trial.number}, {trial.kind}: {error!r}")

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Until nothing is under way any more, or for so long."""
        deadline = time.monotonic() + seconds
        left = (
            "SELECT count(*) FROM numbers_orderline WHERE state IN ('placed','buying','checking')"
        )
        bare = "SELECT count(*) FROM numbers_number WHERE webhooks_set_at IS NULL"
        while time.monotonic() < deadline:
            for name in ("web", "worker", "beat"):
                self.desk.ensure(name)
            if self.desk.query(left)[0][0] == 0 and self.desk.query(bare)[0][0] == 0:
                return
            time.sleep(0.2)

    def audit(self) -> Audit:
        return audit(database=self.desk.database, simulator=self.desk.state)


def plan(count: int, seed: int, statements: dict[str, int]) -> list[Planned]:
    """Every point at least once where there is room; the rest by chance, all kinds in turn."""
    rng = random.Random(seed)
    keys = [(AT_POINTS, point.key) for point in POINTS]
    for role in ("web", "worker"):
        for n in range(1, statements[f"{role} statement"] + 1):
            keys.append((AT_STATEMENTS, f"{role}: before statement {n}"))
        for n in range(1, statements[f"{role} commit"] + 1):
            keys += [(AT_STATEMENTS, f"{role}: {side} commit {n}") for side in ("before", "after")]
    rng.shuffle(keys)
    at_points = cycle(keys)
    others = cycle(_shuffled([*QUIET_KINDS, *LOUD_KINDS], rng))
    wanted = max(min(len(keys), count * 6 // 10), count // 3)
    chosen = [next(at_points) for _ in range(wanted)]
    chosen += [(next(others), "") for _ in range(count - wanted)]
    rng.shuffle(chosen)
    return [(Trial(n, kind), key) for n, (kind, key) in enumerate(chosen, 1)]


def _shuffled(kinds: list[str], rng: random.Random) -> list[str]:
    rng.shuffle(kinds)
    return kinds


def make_people(desk: Desk) -> None:
    """Once, in the database that every round copies."""
    command = ("chaos.prepare", desk.var.path / "people.json")
    desk.parts.run_to_end(module("people", desk.var, desk.env, *command))


def make_stage(desk: Desk, trials: int, rng: random.Random) -> Stage:
    people = json.loads((desk.var.path / "people.json").read_text())

    def buyer(person: dict) -> Buyer:
        cookies = {people["cookie"]: person["session"]}
        return Buyer(desk.address, person["slug"], cookies)

    numbers = list(_numbers_on_sale(desk, wanted=trials * 3 + 100))
    rng.shuffle(numbers)
    return Stage(
        desk=desk, buyers=[buyer(person) for person in people["buyers"]],
        poor=buyer(people["poor"]), poor_wallet=people["poor"]["workspace"],
        numbers=Numbers(numbers),
    )  # fmt: skip


def _numbers_on_sale(desk: Desk, wanted: int) -> Iterator[str]:
    """As anybody with the account's credentials can ask Twilio for them."""
    account, token = desk.env["TWILIO_ACCOUNT_SID"], desk.env["TWILIO_AUTH_TOKEN"]
    pair = b64encode(f"{account}:{token}".encode()).decode()
    headers = {"Host": "api.twilio.com", "Authorization": f"Basic {pair}"}
    path = f"/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/US/Local.json"
    left = wanted
    for area_code in [*AREA_CODES, *map(str, range(201, 990))]:
        query = {"AreaCode": area_code, "PageSize": "300"}
        answer = requests.get(desk.provider + path, params=query, headers=headers, timeout=30)
        found = [row["phone_number"] for row in answer.json()["available_phone_numbers"]]
        yield from found
        left -= len(found)
        if left < 0:
            return


def measure(run: Run) -> dict[str, int]:
    """How many statements and commits a purchase has: one that goes well, one that is swept."""
    first = [(Trial(-1, "nothing fails"), ""), (Trial(-2, "answer lost after the purchase"), "")]
    run.play([(trial, key) for trial, key in first])
    run.settle()
    run.trials.clear()
    return {
        f"{role} {what}": run.desk.most(role, what)
        for role in ("web", "worker")
        for what in ("statement", "commit")
    }


def chaos(desk: Desk, *, trials: int, seed: int) -> int:
    """Returns the exit code."""
    began = time.monotonic()
    run = _started(desk, "", trials, seed)
    statements = measure(run)
    say(f"A purchase has {statements['web statement']} statements in "
        f"{statements['web commit']} commits.", f"Seed {seed}, {trials} trials …")  # fmt: skip
    run.play(plan(trials, seed, statements))
    say(f"{time.monotonic() - began:.0f} s. Everything is restarted and swept …")
    desk.restart_everything()
    run.settle()
    found = run.audit()
    say(*table(run.trials, found), "", *_points(desk, run), "")
    say(*(f"  {finding.kind}: {finding.text}" for finding in found.findings[:40]))
    say(*(f"  the harness: {failure}" for failure in run.failures[:10]))
    counts = {kind: found.count(kind) for kind in ("lost", "double", "unsettled")}
    say(f"{time.monotonic() - began:.0f} s, {found.counts['lines']} lines, "
        f"{found.counts['owned']} numbers at the provider")  # fmt: skip
    say(f"trials {len(run.trials)}, lost {counts['lost']}, double {counts['double']}, "
        f"unsettled {counts['unsettled']}")  # fmt: skip
    return 1 if any(counts.values()) or run.failures else 0


def control(desk: Desk, name: str, *, seed: int) -> int:
    """The same with something essential missing: the auditor must find it. Returns how much."""
    kinds = ["answer lost after the purchase", VERY_LATE] * 4
    run = _started(desk, name, len(kinds), seed)
    run.play([(Trial(n, kind), "") for n, kind in enumerate(kinds, 1)])
    run.settle(LATE_SECONDS)
    time.sleep(LATE_SECONDS)  # whatever was given up by now is carried out all the same
    return len(run.audit().findings)


def _started(desk: Desk, name_of_control: str, trials: int, seed: int) -> Run:
    desk.start_zygote(name_of_control)
    for name in ("web", "worker", "beat"):
        desk.start(name)
    return Run(desk, make_stage(desk, trials, random.Random(seed)), seed)


def _points(desk: Desk, run: Run) -> list[str]:
    killed = Counter(desk.killed())
    missed = sorted({point.key for point in POINTS} - set(killed))
    asleep = sum(not trial.broke for trial in run.trials)
    return [
        f"killed {sum(killed.values())} times at {len(killed)} points"
        + (f", {asleep} trials found their point or page gone" if asleep else ""),
        *(f"  not reached: {key}" for key in missed),
    ]


if __name__ == "__main__":
    sys.exit("start it with make chaos")
