"""The kinds of trials: what somebody does, and what breaks meanwhile."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
import requests

from chaos.buyer import Buyer, Form, NotReviewed
from chaos.desk import Desk
from chaos.points import LOST, NEVER, POINTS, TAKEN, Point

BUY, LOOK = "POST", "GET"
CLAIM_SECONDS = 12.0


@dataclass
class Trial:
    """One attempt to buy, or eight at once; ``broke`` says whether its fault happened."""

    number: int
    kind: str
    e164s: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    broke: bool = True


@dataclass
class Stage:
    """What a trial plays on. Each trial has chance of its own, so that a seed repeats it."""

    desk: Desk
    buyers: list[Buyer]
    poor: Buyer
    poor_wallet: int
    numbers: "Numbers"

    def fault(self, kind: str, number: str, method: str = BUY, **more: object) -> None:
        fault = {
            "kind": kind, "method": method, "path_contains": "IncomingPhoneNumbers",
            "number": number, "seconds": 1.0, **more,
        }  # fmt: skip
        for _ in range(50):
            with suppress(requests.RequestException):
                address = f"{self.desk.provider}/_simulator/faults"
                requests.post(address, json=fault, timeout=5, allow_redirects=False)
                return
            time.sleep(0.1)


class Numbers:
    """Numbers that the provider sells and no trial has used yet."""

    def __init__(self, all_of_them: list[str]) -> None:
        self._left = iter(all_of_them)
        self._lock = threading.Lock()

    def take(self, count: int = 1) -> list[str]:
        with self._lock:
            return [next(self._left) for _ in range(count)]


Play = Callable[[Stage, Trial, random.Random], None]


def one_form(stage: Stage, trial: Trial, rng: random.Random, count: int = 1) -> tuple[Buyer, Form]:
    """Somebody reviews new numbers."""
    trial.e164s = stage.numbers.take(count)
    buyer = rng.choice(stage.buyers)
    return buyer, buyer.review(trial.e164s)


def with_fault(*faults: tuple[str, dict]) -> Play:
    """One purchase, of a number for which the provider fails like this, in this order."""

    def play(stage: Stage, trial: Trial, rng: random.Random) -> None:
        buyer, form = one_form(stage, trial, rng)
        for kind, more in faults:
            stage.fault(kind, trial.e164s[0], **more)
        trial.told.append(buyer.order_until_answered(form))

    return play


def double_submit(stage: Stage, trial: Trial, rng: random.Random) -> None:
    buyer, form = one_form(stage, trial, rng)
    if rng.random() < 0.5:
        stage.fault(rng.choice([LOST, "slow"]), trial.e164s[0], seconds=0.3)
    trial.told += _at_once([lambda: buyer.order_until_answered(form)] * rng.randint(2, 4))


def eight_for_one_number(stage: Stage, trial: Trial, rng: random.Random) -> None:
    trial.e164s = stage.numbers.take()
    forms = [(buyer, buyer.review(trial.e164s)) for buyer in stage.buyers]
    if rng.random() < 0.5:
        stage.fault(rng.choice([LOST, NEVER, "server_error"]), trial.e164s[0])
    trial.told += _at_once(
        [lambda b=b, f=f: b.order_until_answered(f) for b, f in forms]  # type: ignore[misc]
    )


def eight_for_one_balance(stage: Stage, trial: Trial, rng: random.Random) -> None:
    """There is money for one of eight numbers."""
    trial.e164s = stage.numbers.take(8)
    _fund(stage, f"chaos:{trial.number}")
    forms = [stage.poor.review([number]) for number in trial.e164s]
    trial.told += _at_once(
        [lambda f=f: stage.poor.order_until_answered(f) for f in forms]  # type: ignore[misc]
    )


def _fund(stage: Stage, key: str) -> None:
    """Bring the balance up to one price, by the ledger's own function, once the database runs."""
    deadline = time.monotonic() + CLAIM_SECONDS
    while True:
        try:
            return _post_top_up(stage, key)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _post_top_up(stage: Stage, key: str) -> None:
    with psycopg.connect(stage.desk.database, autocommit=True) as connection:
        connection.execute(
            "SELECT wallet_post(w.workspace_id, w.currency, 'top_up', 1.38 - balance + held,"
            " 'bank', %s, 'Chaos', '', NULL, NULL, '', NULL) FROM wallet_wallet w"
            " WHERE workspace_id = %s AND balance - held < 1.38",
            [key, stage.poor_wallet],
        )


def several(stage: Stage, trial: Trial, rng: random.Random) -> None:
    """Up to five in one order, bought by the worker; some of them fail."""
    buyer, form = one_form(stage, trial, rng, rng.randint(2, 5))
    for number in trial.e164s:
        if rng.random() < 0.5:
            stage.fault(rng.choice([LOST, NEVER, TAKEN, "error_after", "server_error"]), number)
    trial.told.append(buyer.order_until_answered(form))


def while_breaking(break_it: Callable[[Stage, random.Random], None], count: int = 1) -> Play:
    """Something is broken at a random moment of the purchase; then perhaps it is sent again."""

    def play(stage: Stage, trial: Trial, rng: random.Random) -> None:
        buyer, form = one_form(stage, trial, rng, count)
        for number in trial.e164s:
            stage.fault("slow", number, seconds=rng.choice([0.0, 0.1, 0.3]))
        sent = threading.Thread(target=_send_once, args=(buyer, form, trial))
        sent.start()
        stage.desk.pause(rng, 0.4)
        break_it(stage, rng)
        sent.join(30)
        _perhaps_again(buyer, form, trial, rng)

    return play


def _send_once(buyer: Buyer, form: Form, trial: Trial) -> None:
    try:
        trial.told.append(buyer.order(form))
    except requests.RequestException:
        trial.told.append("no answer")


def _perhaps_again(buyer: Buyer, form: Form, trial: Trial, rng: random.Random) -> None:
    """Half of the people send the form again; the other half close the page."""
    if trial.told[-1].startswith(("no answer", "page 5")) and rng.random() < 0.5:
        trial.told.append(buyer.order_until_answered(form))


def killed_at(point: Point) -> Play:
    """The process that comes to this point is killed there."""
    return _killed(point.key, point.role, [(point.fault, point.times)] if point.fault else [])


def killed_at_statement(key: str) -> Play:
    role = key.split(":")[0]
    return _killed(key, role, [(LOST, 1)] if role == "worker" else [])


def _killed(key: str, role: str, faults: list[tuple[str, int]]) -> Play:
    def play(stage: Stage, trial: Trial, rng: random.Random) -> None:
        desk = stage.desk
        buyer, form = one_form(stage, trial, rng)
        for kind, times in faults:
            stage.fault(kind, trial.e164s[0], times=times)
        with desk.armed(key) as file:
            _send_once(buyer, form, trial)
            _wait(lambda: not file.exists(), CLAIM_SECONDS if role == "worker" else 1.0)
            trial.broke = not file.exists()
        if role == "web":
            desk.kill_and_start("web")
        _perhaps_again(buyer, form, trial, rng)

    return play


def _wait(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)


def _at_once(calls: list[Callable[[], str]]) -> list[str]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


SEARCHES_FAIL = {"method": LOOK, "times": 2}
# What breaks at the provider's side of the wire, or because people hurry. Safe side by side.
QUIET_KINDS: dict[str, Play] = {
    "nothing fails": with_fault(),
    "answer lost after the purchase": with_fault((LOST, {})),
    "timeout before the purchase": with_fault((NEVER, {})),
    "carried out after the timeout": with_fault(("slow", {"seconds": 2.5})),
    "every request times out": with_fault((NEVER, {"times": 3})),
    "429, then well": with_fault(("rate_limited", {"times": 2})),
    "429 for long": with_fault(("rate_limited", {"times": 9})),
    "500 instead": with_fault(("server_error", {})),
    "500 after the purchase": with_fault(("error_after", {})),
    "a page of HTML instead": with_fault(("not_json", {})),
    "taken": with_fault((TAKEN, {})),
    "answer lost, then taken": with_fault((LOST, {}), (TAKEN, {})),
    "timeout, then taken": with_fault((NEVER, {}), (TAKEN, {})),
    "answer lost, looking fails": with_fault((LOST, {}), ("server_error", SEARCHES_FAIL)),
    "taken, looking fails": with_fault((TAKEN, {}), ("unavailable", SEARCHES_FAIL)),
    "the form sent several times at once": double_submit,
    "eight buyers for one number": eight_for_one_number,
    "eight orders for one balance": eight_for_one_balance,
    "several numbers, some fail": several,
}
# What breaks the desk itself: one after another, or nobody would know what broke what.
LOUD_KINDS: dict[str, Play] = {
    "web killed at random": while_breaking(lambda s, r: s.desk.kill_and_start("web")),
    "worker killed at random": while_breaking(lambda s, r: s.desk.kill_and_start("worker"), 3),
    "PostgreSQL restarted": while_breaking(lambda s, r: s.desk.restart_postgres()),
    "broker restarted": while_breaking(lambda s, r: s.desk.restart_broker(), 3),
}
# Later than any quiet time of a round: only for the controls, which must lose by it.
VERY_LATE, LATE_SECONDS = "carried out when it was given up", 5.0
CONTROL_KINDS = {VERY_LATE: with_fault(("slow", {"seconds": LATE_SECONDS}))}
AT_POINTS = "killed at a named point"
AT_STATEMENTS = "killed between two statements"


def play_of(kind: str, key: str) -> Play:
    if kind == AT_POINTS:
        return killed_at(next(point for point in POINTS if point.key == key))
    if kind == AT_STATEMENTS:
        return killed_at_statement(key)
    return (QUIET_KINDS | LOUD_KINDS | CONTROL_KINDS)[kind]


def is_loud(trial: Trial) -> bool:
    return trial.kind in (*LOUD_KINDS, AT_POINTS, AT_STATEMENTS)


def run_trial(stage: Stage, trial: Trial, key: str, seed: int) -> None:
    rng = random.Random(f"{seed} {trial.number}")
    try:
        play_of(trial.kind, key)(stage, trial, rng)
    except NotReviewed as page:
        trial.told.append(f"not reviewed: {str(page)[:80]}")
        trial.broke = False
