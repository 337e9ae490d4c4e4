"""What a route says, as values: read from the row's JSON, and written to it."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo

from telephony.twiml import Greeting

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STANDARD_GREETING = (
    "Thank you for calling. Nobody can take your call right now. "
    "Please leave a message after the tone."
)
STANDARD_CLOSED = "Thank you for calling. We are closed at the moment. Please call again later."


class Answers(StrEnum):
    """What a caller can meet."""

    FORWARD = "forward"
    VOICEMAIL = "voicemail"
    SAY = "say"


class CallerId(StrEnum):
    """Whose number the phone shows that a call is forwarded to."""

    CALLER = "caller"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to answer a call; ``fallback`` follows a forwarding that nobody takes."""

    kind: Answers
    phones: tuple[str, ...] = ()
    together: bool = True
    seconds: int = 20
    caller_id: CallerId = CallerId.CALLER
    whisper: bool = False
    greeting: Greeting = field(default_factory=Greeting)
    transcribe: bool = False
    fallback: "Answer | None" = None

    @classmethod
    def read(cls, plan: dict[str, Any]) -> Self:
        greeting, fallback = plan.get("greeting") or {}, plan.get("fallback")
        return cls(
            kind=Answers(plan["kind"]),
            phones=tuple(plan.get("phones", ())),
            together=plan.get("together", True),
            seconds=plan.get("seconds", 20),
            caller_id=CallerId(plan.get("caller_id", CallerId.CALLER)),
            whisper=plan.get("whisper", False),
            greeting=Greeting(greeting.get("text", ""), greeting.get("recording_url", "")),
            transcribe=plan.get("transcribe", False),
            fallback=cls.read(fallback) if fallback else None,
        )

    def write(self) -> dict[str, Any]:
        """Only what the kind needs."""
        if self.kind == Answers.FORWARD:
            return {
                "kind": self.kind, "phones": list(self.phones), "together": self.together,
                "seconds": self.seconds, "caller_id": self.caller_id, "whisper": self.whisper,
                "fallback": self.fallback.write() if self.fallback else None,
            }  # fmt: skip
        greeting = {"text": self.greeting.text, "recording_url": self.greeting.recording_url}
        plan: dict[str, Any] = {"kind": self.kind, "greeting": greeting}
        return plan | {"transcribe": self.transcribe} if self.kind == Answers.VOICEMAIL else plan

    @property
    def rounds(self) -> tuple[tuple[str, ...], ...]:
        """The phones to ring, round by round."""
        return (self.phones,) if self.together else tuple((phone,) for phone in self.phones)

    @property
    def is_forward(self) -> bool:
        return self.kind == Answers.FORWARD

    @property
    def is_voicemail(self) -> bool:
        return self.kind == Answers.VOICEMAIL


Span = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Hours:
    """When the workspace is open, in its own time zone: spans for each day, Monday first.

    A span that ends at 00:00 lasts until midnight. On a holiday it is closed all day.
    """

    days: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = frozenset()

    @classmethod
    def read(cls, plan: dict[str, Any]) -> Self:
        return cls(
            days=tuple(
                tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in spans)
                for spans in plan["days"]
            ),
            holidays=frozenset(map(date.fromisoformat, plan.get("holidays", ()))),
        )

    def write(self) -> dict[str, Any]:
        return {
            "days": [[[f"{a:%H:%M}", f"{b:%H:%M}"] for a, b in spans] for spans in self.days],
            "holidays": sorted(day.isoformat() for day in self.holidays),
        }

    def are_open_at(self, moment: datetime, zone: ZoneInfo) -> bool:
        local = moment.astimezone(zone)
        if local.date() in self.holidays:
            return False
        now = local.time()
        return any(
            opens <= now and (now < closes or closes == time(0))
            for opens, closes in self.days[local.weekday()]
        )


@dataclass(frozen=True, slots=True)
class VoicePlan:
    """Who answers calls: always the same, or by the hours another one when it is closed."""

    answer: Answer
    hours: Hours | None = None
    closed: Answer | None = None

    @classmethod
    def read(cls, plan: dict[str, Any] | None) -> Self:
        if not plan:
            return cls(STANDARD)
        hours, closed = plan.get("hours"), plan.get("closed")
        return cls(
            answer=Answer.read(plan["answer"]),
            hours=Hours.read(hours) if hours else None,
            closed=Answer.read(closed) if closed else None,
        )

    def write(self) -> dict[str, Any]:
        return {
            "answer": self.answer.write(),
            "hours": self.hours.write() if self.hours else None,
            "closed": self.closed.write() if self.closed else None,
        }

    def at(self, moment: datetime, zone: str) -> Answer:
        """The answer to a call that arrives at this moment."""
        if self.hours is None or self.closed is None:
            return self.answer
        return self.answer if self.hours.are_open_at(moment, ZoneInfo(zone)) else self.closed

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every answer that it may give."""
        firsts = [self.answer, *([self.closed] if self.closed else [])]
        return (*firsts, *(first.fallback for first in firsts if first.fallback))


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """What happens with messages beside being kept in the inbox, which they always are.

    ``mail_to`` are the ids of people of the workspace.
    """

    mail_to: tuple[int, ...] = ()
    reply: str = ""

    @classmethod
    def read(cls, plan: dict[str, Any] | None) -> Self:
        plan = plan or {}
        return cls(tuple(plan.get("mail_to", ())), plan.get("reply", ""))

    def write(self) -> dict[str, Any]:
        return {"mail_to": list(self.mail_to), "reply": self.reply}


STANDARD = Answer(kind=Answers.VOICEMAIL, greeting=Greeting(text=STANDARD_GREETING))


@lru_cache(maxsize=10_000)
def voice_plan(text: str | None) -> VoicePlan:
    """The plan in a row's JSON, as text; None is the standard of a number without a route."""
    return VoicePlan.read(json.loads(text) if text else None)
