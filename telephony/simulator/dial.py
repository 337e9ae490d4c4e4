"""``<Dial>``: ringing phones, and connecting the one that takes the call."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from telephony.simulator.live_call import LONGEST_SECONDS, Event, Fetch, HungUp, LiveCall, Wait
from telephony.simulator.verbs import Verb

if TYPE_CHECKING:
    from telephony.simulator.exchange import Exchange

MOST_PHONES = 10
PATIENCE_SECONDS = 60


@dataclass(slots=True)
class Ended:
    """How the dialling ended, as the action hears it."""

    status: str
    leg: LiveCall | None = None
    seconds: int = 0
    bridged: bool = False

    def fields(self) -> dict[str, str]:
        told = {"DialCallStatus": self.status, "DialBridged": str(self.bridged).lower()}
        if self.leg is not None:
            told["DialCallSid"] = self.leg.sid
        if self.bridged:
            told["DialCallDuration"] = str(self.seconds)
        return told


def dial(
    exchange: "Exchange", call: LiveCall, verb: Verb
) -> Generator[Wait, Any, tuple[dict[str, str], bool]]:
    """Returns what the action is told, and whether the caller has hung up."""
    phones = [noun for noun in verb.nested if noun.name == "Number"][:MOST_PHONES]
    if not phones and verb.text:
        phones = [Verb("Number", verb.text)]
    caller_id = verb.get("callerId") or call.caller
    if caller_id != call.caller and not exchange.owns(caller_id):
        call.note(f"Error 13214: {caller_id} cannot be shown as the caller")
        return Ended("failed").fields(), False
    call.note("Dials " + ", ".join(phone.text for phone in phones))
    legs = [exchange.ring(call, phone, caller_id) for phone in phones]
    try:
        ended = yield from _until_taken(exchange, call, verb, legs)
    except HungUp:
        for leg in legs:
            exchange.drop(leg, "canceled")
        return Ended("canceled", legs[0] if legs else None).fields(), True
    if not ended.bridged or ended.leg is None:
        return ended.fields(), False
    hung_up = yield from _talk(exchange, call, verb, ended)
    return ended.fields(), hung_up


def _until_taken(
    exchange: "Exchange", call: LiveCall, verb: Verb, legs: list[LiveCall]
) -> Generator[Wait, Any, Ended]:
    """Ring until somebody takes the call, everybody has declined, or nobody did in time."""
    began, patience = exchange.schedule.now(), verb.seconds("timeout", 30)
    last = "no-answer"
    while True:
        left = patience - (exchange.schedule.now() - began)
        event = yield Wait(max(left, 0), "ring", verb)
        if event is not None and event.kind == "hangup":
            call.note("Hung up")
            raise HungUp
        if event is not None and event.kind == "leg_taken":
            for leg in legs:
                if leg is not event.value:
                    exchange.drop(leg, "canceled")
            return Ended("completed", event.value, bridged=True)
        if event is not None and event.kind == "leg_over":
            last = event.value.status  # completed, of one that picked up and did not take it
        if any(not leg.over and leg.answered is not None for leg in legs) and event is None:
            patience += PATIENCE_SECONDS  # somebody listens to the whisper
            continue
        if all(leg.over for leg in legs) or event is None:
            for leg in legs:
                exchange.drop(leg, "no-answer")
            return Ended(last, legs[0] if legs else None)


def _talk(
    exchange: "Exchange", call: LiveCall, verb: Verb, ended: Ended
) -> Generator[Wait, Any, bool]:
    """The two are connected. Returns whether the caller hung up."""
    leg = ended.leg
    assert leg is not None
    exchange.answer(call)
    call.note(f"Connected to {leg.called}")
    began = exchange.schedule.now()
    limit = min(verb.seconds("timeLimit", LONGEST_SECONDS), LONGEST_SECONDS)
    hung_up = False
    while True:
        left = limit - (exchange.schedule.now() - began)
        event = yield Wait(max(left, 0), "talk", verb)
        if event is None:
            call.note("The time limit is reached")
            break
        if event.kind == "hangup":
            call.note("Hung up")
            hung_up = True
            break
        if event.kind == "leg_over" and event.value is leg:
            call.note(f"{leg.called} hung up")
            break
    ended.seconds = round(exchange.schedule.now() - began)
    exchange.drop(leg, "completed")
    return hung_up


def pick_up(exchange: "Exchange", call: LiveCall, patience: float) -> Generator[Wait, Any, bool]:
    """A phone rings; returns whether somebody picked it up in time."""
    event = yield Wait(patience, "ring")
    if event is None or event.kind in ("hangup", "busy"):
        if call.status not in ("canceled", "failed"):  # dropped from the other side
            exchange.set_status(call, "busy" if event and event.kind == "busy" else "no-answer")
        return False
    exchange.answer(call)
    return True


def leg_program(
    exchange: "Exchange", leg: LiveCall, noun: Verb, patience: float
) -> Generator[Fetch | Wait, Any, None]:
    """A dialled phone: rings, is picked up, hears the whisper, takes the call, hangs up."""
    parent = leg.parent
    assert parent is not None
    if not (yield from pick_up(exchange, leg, patience)):
        return
    if noun.get("url"):
        verbs = yield Fetch(urljoin(parent.base, noun.get("url")))
        yield from exchange.play(exchange, leg, verbs)
    exchange.tell(parent, Event("leg_taken", leg))
    while True:
        event = yield Wait(LONGEST_SECONDS, "talk", noun)
        if event is None or event.kind == "hangup":
            return
