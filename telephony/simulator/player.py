"""TwiML, carried out: what each verb does to a call.

The documented behaviour of each verb, as far as it can be heard or seen from outside. Voices
and tones take a second here, whatever they say.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from telephony.simulator.dial import dial
from telephony.simulator.live_call import Event, Fetch, HungUp, LiveCall, Program, Wait
from telephony.simulator.sound import spoken
from telephony.simulator.verbs import VOICE, Verb

if TYPE_CHECKING:
    from telephony.simulator.exchange import Exchange

SPEAKING_SECONDS = 1.0
MOST_DOCUMENTS = 100
Steps = Generator[Fetch | Wait, Any, list[Verb] | None]


def incoming(exchange: "Exchange", call: LiveCall, voice_url: str) -> Program:
    """An incoming call, from ringing to its end."""
    verbs = yield Fetch(voice_url, {"CallStatus": "ringing"})
    yield from play(exchange, call, verbs)


def play(exchange: "Exchange", call: LiveCall, verbs: list[Verb]) -> Program:
    """Carry out a document, and those that its verbs lead to, until there is nothing left."""
    for _document in range(MOST_DOCUMENTS):
        following = yield from _document_of(exchange, call, verbs)
        if following is None:
            return
        verbs = following
    call.note("Error 11215: too many documents in a row")


def _document_of(exchange: "Exchange", call: LiveCall, verbs: list[Verb]) -> Steps:
    """The verbs of one document; returns those of the next one, or None at the end."""
    for place, verb in enumerate(verbs):
        if verb.name == "Reject" and place == 0 and call.answered is None:
            is_busy = verb.get("reason") == "busy"
            exchange.set_status(call, "busy" if is_busy else "no-answer")
            heard = "a busy tone" if is_busy else "“The number is not in service.”"
            call.note(f"Rejected: {heard}")
            raise HungUp
        if verb.name not in VOICE:
            call.note(f"Warning 12200: {verb.name} is no verb of a call")
            continue
        if verb.name not in ("Redirect", "Reject") and not verb.says("answerOnBridge"):
            exchange.answer(call)
        following = yield from STEPS[verb.name](exchange, call, verb)
        if following is not None:
            return following
    return None


def _say(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    for _time in range(max(verb.seconds("loop", 1), 1)):
        call.note(f"Says: {verb.text}")
        yield from _listen(call, Wait(SPEAKING_SECONDS, "speaking", verb))
    return None


def _play(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    call.note(f"Plays {verb.text}" if verb.text else f"Presses {verb.get('digits')}")
    yield from _listen(call, Wait(SPEAKING_SECONDS, "speaking", verb))
    return None


def _pause(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    yield from _listen(call, Wait(verb.seconds("length", 1), "pause", verb))
    return None


def _hang_up(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    call.note("Hangs up")
    raise HungUp
    yield  # a generator like the others


def _redirect(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    verbs = yield Fetch(urljoin(call.base, verb.text))
    return verbs


def _gather(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    """Say what is nested, then wait for keys or speech; a key cuts the saying short."""
    for nested in verb.nested:
        if nested.name in ("Say", "Play", "Pause"):
            call.note(f"Says: {nested.text}" if nested.name == "Say" else f"Plays {nested.text}")
    finish, most = verb.get("finishOnKey", "#"), verb.seconds("numDigits", 0)
    wait = Wait(SPEAKING_SECONDS + verb.seconds("timeout", 5), "gather", verb)
    digits, speech = "", ""
    while True:
        event = yield from _listen(call, wait)
        if event is None:
            break
        if event.kind == "speech" and "speech" in verb.get("input", "dtmf"):
            speech = str(event.value)
            break
        if event.kind != "digits":
            continue
        pressed, ended, _rest = str(event.value).partition(finish or "\0")
        digits = (digits + pressed)[:most] if most else digits + pressed
        if ended or (most and len(digits) >= most):
            break
    if not digits and not speech and not verb.says("actionOnEmptyResult"):
        call.note("Nothing was pressed")
        return None
    call.note(f"Pressed {digits}" if digits else f"Said “{speech}”")
    fields = {"Digits": digits} if digits else {"SpeechResult": speech, "Confidence": "0.92"}
    verbs = yield Fetch(urljoin(call.base, verb.get("action") or call.base), fields)
    return verbs


def _record(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    """Beep and record until a key, silence, the longest time or the end of the call."""
    call.note("Beep")
    longest = verb.seconds("maxLength", 3600)
    seconds, digits, hung_up = 0, "", False
    while seconds < longest:
        try:
            event = yield from _listen(call, Wait(verb.seconds("timeout", 5), "record", verb))
            if event is not None and event.kind == "spoke":
                seconds = min(seconds + int(event.value), longest)
                call.note(f"Speaks for {event.value} seconds")
                event = yield from _listen(call, Wait(int(event.value), "speaking", verb))
                if event is None:
                    continue
        except HungUp:
            hung_up, digits = True, "hangup"
            break
        if event is None:
            break
        if event.kind == "digits":
            digits = str(event.value)
            break
    if not seconds:
        if hung_up:
            raise HungUp
        return None
    sid = exchange.traffic.add_recording(call.sid, seconds, spoken(seconds))
    fields = {"RecordingSid": sid, "RecordingDuration": str(seconds), "Digits": digits,
              "RecordingUrl": exchange.address_of(f"Recordings/{sid}")}  # fmt: skip
    exchange.recorded(call, verb, fields)
    action = urljoin(call.base, verb.get("action") or call.base)
    verbs = yield Fetch(action, fields | ({"CallStatus": "completed"} if hung_up else {}))
    if hung_up:
        raise HungUp
    return verbs


def _dial(exchange: "Exchange", call: LiveCall, verb: Verb) -> Steps:
    fields, hung_up = yield from dial(exchange, call, verb)
    if not verb.get("action"):
        if hung_up:
            raise HungUp
        return None
    action = urljoin(call.base, verb.get("action"))
    verbs = yield Fetch(action, fields | ({"CallStatus": "completed"} if hung_up else {}))
    if hung_up:  # the caller is gone: the action is told, its answer is not used
        raise HungUp
    return verbs


def _listen(call: LiveCall, wait: Wait) -> Generator[Wait, Any, Event | None]:
    """Wait, and leave at once when somebody hangs up."""
    event = yield wait
    if event is not None and event.kind == "hangup":
        call.note("Hung up")
        raise HungUp
    return event


STEPS = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Hangup": _hang_up,
    "Redirect": _redirect,
    "Gather": _gather,
    "Record": _record,
    "Dial": _dial,
    "Reject": _hang_up,
}
