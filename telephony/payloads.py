"""What the provider's webhooks say, in our words.

Twilio adds fields without notice, leaves others out and sends unknown places as empty
strings: a payload reads what it needs and takes nothing for granted but the SID.
"""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl

SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
MOST_FIELDS = 300
MOST_MEDIA = 10
LONGEST_ADDRESS = 64


class Malformed(Exception):
    """Not a form, or without the SID that says what it is about."""


class Fields(dict[str, list[str]]):
    """A form: each name with all its values. ``getall`` is what the SDK's validator reads."""

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Raises ``Malformed`` for what is not a form in UTF-8."""
        fields = cls()
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
            )
        except ValueError as error:
            raise Malformed(str(error)) from error
        for name, value in pairs:
            if name in fields:
                fields[name].append(value)
            else:
                fields[name] = [value]
        return fields

    def getall(self, name: str) -> list[str]:
        return self[name]

    def text(self, name: str) -> str:
        """The last value, without the NUL that PostgreSQL refuses; empty where there is none."""
        values = self.get(name)
        return values[-1].replace("\0", "") if values else ""

    def number(self, name: str) -> int | None:
        text = self.text(name)
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else None

    def sid(self, name: str) -> str:
        """Raises ``Malformed`` where there is none."""
        sid = self.text(name)
        if not SID.fullmatch(sid):
            raise Malformed(f"{name} is not a SID")
        return sid

    def sid_or_nothing(self, name: str) -> str:
        sid = self.text(name)
        return sid if SID.fullmatch(sid) else ""

    def address(self, name: str) -> str:
        """A phone number, short code, sender's name or SIP address, as far as it is kept."""
        return self.text(name).strip()[:LONGEST_ADDRESS]


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call that has arrived, and waits for an answer."""

    sid: str
    caller: str
    called: str
    status: str
    forwarded_from: str
    is_fax: bool

    @classmethod
    def read(cls, fields: Fields) -> Self:
        # A number that somebody set to receive faxes calls this address with a FaxSid.
        fax = fields.sid_or_nothing("FaxSid")
        return cls(
            sid=fax or fields.sid("CallSid"),
            caller=fields.address("From"),
            called=fields.address("To"),
            status=fields.text("CallStatus") or "ringing",
            forwarded_from=fields.address("ForwardedFrom"),
            is_fax=bool(fax),
        )


@dataclass(frozen=True, slots=True)
class CallStatus:
    """What has become of a call, or of one leg of it (then ``parent_sid`` names the call)."""

    sid: str
    parent_sid: str
    caller: str
    called: str
    status: str
    direction: str
    seconds: int | None
    answered_by: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            sid=fields.sid("CallSid"),
            parent_sid=fields.sid_or_nothing("ParentCallSid"),
            caller=fields.address("From"),
            called=fields.address("To"),
            status=fields.text("CallStatus"),
            direction=fields.text("Direction"),
            seconds=fields.number("CallDuration"),
            answered_by=fields.text("AnsweredBy"),
        )


@dataclass(frozen=True, slots=True)
class DialResult:
    """How a ``<Dial>`` ended: completed, busy, no-answer, failed or canceled. One that was
    picked up and not taken, by a mailbox that heard the whisper, can be ``completed`` too, and
    was not bridged.
    """

    sid: str
    status: str
    is_unbridged: bool
    leg_sid: str
    seconds: int | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            sid=fields.sid("CallSid"),
            status=fields.text("DialCallStatus"),
            is_unbridged=fields.text("DialBridged") == "false",
            leg_sid=fields.sid_or_nothing("DialCallSid"),
            seconds=fields.number("DialCallDuration"),
        )

    @property
    def was_answered(self) -> bool:
        return self.status in ("completed", "answered") and not self.is_unbridged


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that is ready, or will be; ``status`` is empty in the verb's own answer."""

    call_sid: str
    sid: str
    status: str
    seconds: int | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            call_sid=fields.sid("CallSid"),
            sid=fields.sid_or_nothing("RecordingSid"),
            status=fields.text("RecordingStatus"),
            seconds=fields.number("RecordingDuration"),
        )


@dataclass(frozen=True, slots=True)
class Transcription:
    """What a machine heard in a recording."""

    call_sid: str
    recording_sid: str
    status: str
    text: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            call_sid=fields.sid("CallSid"),
            recording_sid=fields.sid("RecordingSid"),
            status=fields.text("TranscriptionStatus"),
            text=fields.text("TranscriptionText"),
        )


@dataclass(frozen=True, slots=True)
class Medium:
    """A file that came with a message; it is fetched from the provider by its SID."""

    sid: str
    content_type: str


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A text or picture message that has arrived. ``opt_out`` is STOP, START, HELP or empty:
    the provider's own reading, where it makes one.
    """

    sid: str
    sender: str
    recipient: str
    body: str
    segments: int
    media: tuple[Medium, ...]
    opt_out: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            sid=fields.sid("MessageSid"),
            sender=fields.address("From"),
            recipient=fields.address("To"),
            body=fields.text("Body"),
            segments=max(fields.number("NumSegments") or 1, 1),
            media=tuple(_media(fields)),
            opt_out=fields.text("OptOutType").upper(),
        )


@dataclass(frozen=True, slots=True)
class MessageStatus:
    """How far a message has got. ``error_code`` says why it failed."""

    sid: str
    status: str
    error_code: int | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            sid=fields.sid("MessageSid"),
            status=fields.text("MessageStatus") or fields.text("SmsStatus"),
            error_code=fields.number("ErrorCode"),
        )


def _media(fields: Fields) -> list[Medium]:
    """``…/Messages/MM…/Media/ME…``: only the SID is kept, so that nothing but the provider
    is ever asked for a file.
    """
    found = []
    for place in range(min(fields.number("NumMedia") or 0, MOST_MEDIA)):
        sid = fields.text(f"MediaUrl{place}").rstrip("/").rsplit("/", 1)[-1]
        if SID.fullmatch(sid):
            found.append(Medium(sid, fields.text(f"MediaContentType{place}")[:80]))
    return found
