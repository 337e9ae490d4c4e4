"""A call while it lasts: a program that says what it waits for, and is told what happened.

The program is a generator. It yields ``Fetch`` (ask a webhook, get verbs back) or ``Wait``
(so many seconds for something to happen, get an ``Event`` or None). Whoever holds the phone
is a ``Person``: a script in a test, somebody at the handset's page otherwise.
"""

import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from telephony.simulator.verbs import NotTwiML, Verb, read

if TYPE_CHECKING:
    from telephony.simulator.exchange import Exchange

LONGEST_SECONDS = 14_400


@dataclass(frozen=True, slots=True)
class Event:
    """``kind``: digits, speech, spoke (seconds of talking), hangup, and of a dialled phone
    leg_answered, leg_taken, leg_over.
    """

    kind: str
    value: Any = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask this address for what to do."""

    address: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """``why``: speaking, gather, record, ring, talk, pause."""

    seconds: float
    why: str
    verb: Verb | None = None


Program = Generator[Fetch | Wait, Any, None]


class Person(Protocol):
    """Who holds the phone. ``asked`` is told each time the call waits for something."""

    def asked(self, call: "LiveCall", wait: Wait) -> None: ...


class AtTheHandset:
    """Somebody who clicks: does nothing by itself."""

    def asked(self, call: "LiveCall", wait: Wait) -> None:
        pass


class HungUp(Exception):
    """The call ends here, from either side."""


@dataclass(slots=True)
class LiveCall:
    """One call, or the part of it at one dialled phone (then with a ``parent``)."""

    sid: str
    caller: str
    called: str
    direction: str
    person: Person
    began: float
    base: str = ""
    fallback: str = ""
    status_callback: str = ""
    status_events: frozenset[str] = frozenset({"completed"})
    parent: "LiveCall | None" = None
    status: str = "ringing"
    answered: float | None = None
    over: bool = False
    sequence: int = 0
    waiting: Wait | None = None
    transcript: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    program: Program | None = None
    turn: int = 0
    lock: Any = field(default_factory=threading.RLock)

    def note(self, line: str) -> None:
        self.transcript.append(line)


class Engine:
    """Moves calls on: does what they ask for, and tells them what came of it."""

    def __init__(self, exchange: "Exchange") -> None:
        self.exchange = exchange
        self.schedule = exchange.schedule

    def start(self, call: LiveCall, program: Program) -> None:
        call.program = program
        self.schedule.after(0, lambda: self._advance(call, None))

    def tell(self, call: LiveCall, event: Event) -> bool:
        """Something happened at this phone. Kept until the call listens; False if it is over."""
        with call.lock:
            if call.over:
                return False
            if call.waiting is None:
                call.events.append(event)
                return True
            call.waiting = None
            call.turn += 1
        self._advance(call, event)
        return True

    def _advance(self, call: LiveCall, value: Any) -> None:
        with call.lock:
            if call.over or call.program is None:
                return
            try:
                wanted = call.program.send(value)
            except (StopIteration, HungUp):
                self.exchange.finish(call)
                return
            if isinstance(wanted, Fetch):
                self.schedule.after(0, lambda: self._fetch(call, wanted))
                return
            if call.events:
                event = call.events.pop(0)
                self.schedule.after(0, lambda: self._advance(call, event))
                return
            call.waiting = wanted
            call.turn += 1
            turn = call.turn
        self.schedule.after(wanted.seconds, lambda: self._time_is_up(call, turn))
        call.person.asked(call, wanted)

    def _time_is_up(self, call: LiveCall, turn: int) -> None:
        with call.lock:
            if call.over or call.waiting is None or call.turn != turn:
                return
            call.waiting = None
        self._advance(call, None)

    def _fetch(self, call: LiveCall, fetch: Fetch) -> None:
        fields = self.exchange.fields_of(call) | fetch.fields
        post = self.exchange.postman.post
        try:
            verbs = read(post(fetch.address, fields))
        except NotTwiML as problem:
            call.note(f"Error {problem.code}: {problem}")
            verbs = self._fall_back(call, fetch, fields, problem)
        call.base = fetch.address
        self._advance(call, verbs)

    def _fall_back(
        self, call: LiveCall, fetch: Fetch, fields: dict[str, str], problem: NotTwiML
    ) -> list[Verb]:
        if call.fallback and fetch.address != call.fallback:
            told = {"ErrorCode": str(problem.code), "ErrorUrl": fetch.address.split("#")[0]}
            try:
                return read(self.exchange.postman.post(call.fallback, fields | told))
            except NotTwiML as again:
                call.note(f"Error {again.code} at the fallback: {again}")
        call.note("An application error has occurred. Goodbye.")
        return [Verb("Hangup")]
