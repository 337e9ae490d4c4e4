"""The calls of the simulated provider: who rings, who talks, what is reported and billed."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

from lib import area_codes
from lib.e164 import country_of
from telephony.simulator import usage_pricing
from telephony.simulator.dial import PATIENCE_SECONDS, leg_program, pick_up
from telephony.simulator.incoming import show
from telephony.simulator.live_call import (
    LONGEST_SECONDS,
    AtTheHandset,
    Engine,
    Event,
    Fetch,
    LiveCall,
    Person,
    Program,
    Wait,
)
from telephony.simulator.player import incoming, play
from telephony.simulator.postman import Postman
from telephony.simulator.schedule import Schedule
from telephony.simulator.state import State, now
from telephony.simulator.traffic import Traffic, new_sid
from telephony.simulator.verbs import Verb

FINAL = {"completed", "busy", "no-answer", "failed", "canceled"}
MOST_ENDED_KEPT = 50


class Exchange:
    """``price_delay`` is how long a bill takes; ``phones`` says who holds which phone."""

    play = staticmethod(play)

    def __init__(self, account: str, state: State, schedule: Schedule, postman: Postman) -> None:
        self.account, self.state = account, state
        self.schedule, self.postman = schedule, postman
        self.traffic = Traffic(state)
        self.engine = Engine(self)
        self.calls: dict[str, LiveCall] = {}
        self.phones: dict[str, Person] = {}
        self.price_delay = 20.0

    # --- Calls begin ----------------------------------------------------------------

    def call_number(self, *, caller: str, called: str, person: Person | None = None) -> LiveCall:
        """Somebody calls a number. One that the account does not own, or that has no address
        for calls, hears nothing but a tone.
        """
        call = self._new("inbound", caller, called, person or AtTheHandset())
        number = self.number(called)
        if number is None or not number.get("voice_url"):
            call.note("The number is not in service")
            self.set_status(call, "failed")
            self.finish(call)
            return call
        call.fallback = number.get("voice_fallback_url") or ""
        call.status_callback = number.get("status_callback") or ""
        call.base = number["voice_url"]
        self.engine.start(call, incoming(self, call, number["voice_url"]))
        return call

    def place(self, *, caller: str, called: str, request: dict[str, str],
              events: list[str]) -> LiveCall:  # fmt: skip
        """A call by the API: rings the phone, then does what it was told to."""
        call = self._new("outbound-api", caller, called, self.phone(called))
        call.status_callback = request.get("StatusCallback", "")
        call.status_events = frozenset(events or ["completed"])
        call.fallback = request.get("FallbackUrl", "")
        call.base = request.get("Url", "")
        self.traffic.update("call", call.sid, status="queued")
        limit = float(request.get("TimeLimit") or LONGEST_SECONDS)
        self.schedule.after(limit, lambda: self.tell(call, Event("hangup")))
        self.engine.start(call, self._outgoing(call, request))
        return call

    def _outgoing(self, call: LiveCall, request: dict[str, str]) -> Program:
        from telephony.simulator.postman import Outcome, Reply
        from telephony.simulator.verbs import read

        self.set_status(call, "initiated")
        yield Wait(0.5, "pause")
        self.set_status(call, "ringing")
        self._bridge(call)
        if not (yield from pick_up(self, call, float(request.get("Timeout") or PATIENCE_SECONDS))):
            return
        if twiml := request.get("Twiml"):
            verbs = read(Outcome(Reply(200, "text/xml", twiml.encode())))
        else:
            verbs = yield Fetch(request["Url"])
        yield from play(self, call, verbs)

    def ring(self, parent: LiveCall, noun: Verb, caller_id: str) -> LiveCall:
        """Ring one phone for a call that is being dialled on."""
        leg = self._new("outbound-dial", caller_id, noun.text, self.phone(noun.text), parent)
        leg.status_callback = noun.get("statusCallback")
        leg.status_events = frozenset((noun.get("statusCallbackEvent") or "completed").split())
        self._bridge(leg)
        self.set_status(leg, "ringing")
        self.engine.start(leg, leg_program(self, leg, noun, PATIENCE_SECONDS * 10))
        return leg

    def _bridge(self, leg: LiveCall) -> None:
        """A phone that is one of the account's own numbers is called through its webhook."""
        if self.owns(leg.called):
            self.schedule.after(0.5, lambda: self._through(leg))

    def _through(self, leg: LiveCall) -> None:
        inner = self.call_number(caller=leg.caller, called=leg.called)
        inner.person = _OtherEnd(self, leg)
        leg.person = _OtherEnd(self, inner)
        if inner.over:
            self.tell(leg, Event("busy"))

    def _new(
        self, direction: str, caller: str, called: str, person: Person,
        parent: LiveCall | None = None,
    ) -> LiveCall:  # fmt: skip
        call = LiveCall(new_sid("CA"), caller, called, direction, person, self.schedule.now(),
                        parent=parent)  # fmt: skip
        self.calls[call.sid] = call
        self._keep(call)
        ended = [sid for sid, one in self.calls.items() if one.over]
        for sid in ended[:-MOST_ENDED_KEPT]:
            del self.calls[sid]
        return call

    def _keep(self, call: LiveCall) -> None:
        number = self.number(call.called if call.direction == "inbound" else call.caller)
        fields = {
            "sid": call.sid, "from": call.caller, "to": call.called, "direction": call.direction,
            "status": call.status, "phone_number_sid": number["sid"] if number else None,
            "parent_call_sid": call.parent.sid if call.parent else None, "start_time": now(),
        }  # fmt: skip
        self.traffic.add("call", fields)

    # --- What happens in them -------------------------------------------------------

    def tell(self, call: LiveCall, event: Event) -> None:
        """Something happened at a phone; the call hears of it in its own turn."""
        self.schedule.after(0, lambda: self.engine.tell(call, event))

    def answer(self, call: LiveCall) -> None:
        if call.answered is None:
            call.answered = self.schedule.now()
            self.set_status(call, "in-progress")
            if isinstance(call.person, _OtherEnd) and call.direction == "inbound":
                self.tell(call.person.other, Event("answer"))

    def drop(self, leg: LiveCall, status: str) -> None:
        """Hang up a dialled phone from this side."""
        if not leg.over and leg.answered is None:
            leg.status = status
        self.tell(leg, Event("hangup"))

    def set_status(self, call: LiveCall, status: str) -> None:
        call.status = status
        self.traffic.update("call", call.sid, status=status)
        name = {"in-progress": "answered"}.get(status, status)
        if call.direction != "inbound" and name in call.status_events and status not in FINAL:
            self.report(call, {})

    def finish(self, call: LiveCall) -> None:
        """The end, from whichever side: what is reported, and what it costs."""
        call.over = True
        seconds = 0
        if call.answered is not None:
            seconds = max(round(self.schedule.now() - call.answered), 1)
            call.status = "completed"
        elif call.status not in FINAL:
            call.status = "no-answer"
        call.note(f"Ended: {call.status}, {seconds} seconds")
        self.traffic.update("call", call.sid, status=call.status, duration=str(seconds),
                            end_time=now())  # fmt: skip
        for leg in [one for one in self.calls.values() if one.parent is call and not one.over]:
            self.drop(leg, "canceled")
        if call.parent is not None:
            self.tell(call.parent, Event("leg_over", call))
        if isinstance(call.person, _OtherEnd):
            self.tell(call.person.other, Event("hangup"))
        if call.status_callback and (
            call.direction == "inbound" or "completed" in call.status_events
        ):
            self.report(call, {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))})
        self.schedule.after(self.price_delay, lambda: self._bill(call, seconds))

    def report(self, call: LiveCall, fields: dict[str, str]) -> None:
        """A status callback."""
        if not call.status_callback:
            return
        told = self.fields_of(call) | fields
        told |= {
            "Timestamp": format_datetime(datetime.now(UTC)), "SequenceNumber": str(call.sequence),
            "CallbackSource": "call-progress-events",
        }  # fmt: skip
        call.sequence += 1
        self.schedule.after(0.1, lambda: self.postman.post(call.status_callback, told))

    def recorded(self, call: LiveCall, verb: Verb, fields: dict[str, str]) -> None:
        """Tell that a recording can be fetched, and what was heard in it."""
        if address := verb.get("recordingStatusCallback"):
            told = {
                "AccountSid": self.account, "CallSid": call.sid, "RecordingStatus": "completed",
                "RecordingChannels": "1", "RecordingSource": "RecordVerb",
                **{name: value for name, value in fields.items() if name != "Digits"},
            }  # fmt: skip
            self.schedule.after(1.0, partial(self.postman.post, address, told))
        if verb.says("transcribe") and (address := verb.get("transcribeCallback")):
            heard = {
                "AccountSid": self.account, "CallSid": call.sid, "From": call.caller,
                "To": call.called, "TranscriptionSid": new_sid("TR"),
                "TranscriptionStatus": "completed", "RecordingSid": fields["RecordingSid"],
                "TranscriptionText": "Hello, this is a test message. Please call me back.",
            }  # fmt: skip
            self.schedule.after(5.0, partial(self.postman.post, address, heard))

    def _bill(self, call: LiveCall, seconds: int) -> None:
        minutes = -(-seconds // 60)
        if call.direction == "inbound":
            number = self.number(call.called) or {}
            tariff = usage_pricing.tariff(country_of(call.called))
            kind = str(number.get("type") or "local").replace("-", "_")
            rate = tariff.calls_in.get(kind, 0) if tariff else 0
        else:
            rate = usage_pricing.minute_to(call.called, country_of(call.called))
        self.traffic.update("call", call.sid, price=f"{-minutes * rate:.5f}", price_unit="USD")

    # --- Facts ----------------------------------------------------------------------

    def number(self, e164: str) -> dict[str, Any] | None:
        row = self.state.find(self.account, e164)
        return show(self.account, row) if row else None

    def owns(self, e164: str) -> bool:
        return self.number(e164) is not None

    def phone(self, e164: str) -> Person:
        return self.phones.get(e164) or AtTheHandset()

    def address_of(self, path: str) -> str:
        return f"https://api.twilio.com/2010-04-01/Accounts/{self.account}/{path}"

    def fields_of(self, call: LiveCall) -> dict[str, str]:
        """What every webhook of a call says."""
        fields = {
            "AccountSid": self.account, "ApiVersion": "2010-04-01", "CallSid": call.sid,
            "CallStatus": call.status, "Direction": call.direction,
            "From": call.caller, "To": call.called, "Caller": call.caller, "Called": call.called,
        }  # fmt: skip
        for name, e164 in (("From", call.caller), ("To", call.called),
                           ("Caller", call.caller), ("Called", call.called)):  # fmt: skip
            fields |= place_of(name, e164)
        if call.parent is not None:
            fields["ParentCallSid"] = call.parent.sid
        return fields

    def reset(self) -> None:
        self.calls.clear()
        self.traffic.reset()


class _OtherEnd:
    """The two halves of a call from one of the account's numbers to another."""

    def __init__(self, exchange: Exchange, other: LiveCall) -> None:
        self.exchange, self.other = exchange, other

    def asked(self, call: LiveCall, wait: Wait) -> None:
        pass


def place_of(name: str, e164: str) -> dict[str, str]:
    """The geography of a number; what is not known is an empty string, as on the wire."""
    country = country_of(e164)
    code = area_codes.code_of(e164, country) if country else ""
    area = area_codes.find(country, code) if code else None
    return {
        f"{name}City": area.city.upper() if area else "",
        f"{name}State": area.region if area else "",
        f"{name}Zip": "",
        f"{name}Country": country,
    }
