"""What we tell the provider to do with a call or a message, made with the SDK.

Each function is pure and returns the document as text: the same arguments give the same
answer, which is what makes a repeated webhook get the first answer again.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

# What XML 1.0 cannot carry, however it is escaped.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
CONTENT_TYPE = "text/xml; charset=utf-8"
LONGEST_VOICEMAIL_SECONDS = 180
SILENCE_ENDS_VOICEMAIL_SECONDS = 5
LONGEST_CALL_SECONDS = 14_400


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone to ring. ``whisper_url`` answers what the person who picks up hears first."""

    e164: str
    whisper_url: str = ""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a caller hears: words to be read, or the address of a recording to be played."""

    text: str = ""
    recording_url: str = ""


@lru_cache(maxsize=1)
def nothing() -> str:
    """No answer is needed."""
    return str(VoiceResponse())


@lru_cache(maxsize=1)
def no_reply() -> str:
    return str(MessagingResponse())


@lru_cache(maxsize=1)
def reject() -> str:
    """Do not pick up. The caller hears that the number is not in service, at no cost."""
    response = VoiceResponse()
    response.reject(reason="rejected")
    return str(response)


@lru_cache(maxsize=1)
def hang_up() -> str:
    response = VoiceResponse()
    response.hangup()
    return str(response)


@lru_cache(maxsize=2000)
def say(greeting: Greeting) -> str:
    """Pick up, say it, hang up."""
    response = VoiceResponse()
    _greet(response, greeting)
    response.hangup()
    return str(response)


@lru_cache(maxsize=2000)
def ring(
    *, phones: tuple[Phone, ...], seconds: int, caller_id: str, action: str, leg_status_url: str,
    limit_seconds: int | None,
) -> str:  # fmt: skip
    """Ring all the phones at once, for ``seconds``; who picks up first has the call.

    ``action`` is asked what comes next. The caller hears ringing until somebody answers.
    ``limit_seconds`` ends the call, where there is a reason to.
    """
    response = VoiceResponse()
    dial = Dial(
        action=action, method="POST", timeout=seconds, caller_id=caller_id or None,
        answer_on_bridge=True, time_limit=limit_seconds,
    )  # fmt: skip
    for phone in phones:
        dial.number(
            phone.e164, url=phone.whisper_url or None, method="POST" if phone.whisper_url else None,
            status_callback=leg_status_url, status_callback_event="completed",
            status_callback_method="POST",
        )  # fmt: skip
    response.append(dial)
    return str(response)


@lru_cache(maxsize=2000)
def record(
    *, greeting: Greeting, action: str, status_url: str, transcription_url: str
) -> str:  # fmt: skip
    """Greet, beep, and record what the caller says, for three minutes at most."""
    response = VoiceResponse()
    _greet(response, greeting)
    response.record(
        action=action, method="POST", play_beep=True, finish_on_key="#", trim="trim-silence",
        max_length=LONGEST_VOICEMAIL_SECONDS, timeout=SILENCE_ENDS_VOICEMAIL_SECONDS,
        recording_status_callback=status_url, recording_status_callback_method="POST",
        transcribe=True if transcription_url else None,
        transcribe_callback=transcription_url or None,
    )  # fmt: skip
    response.hangup()
    return str(response)


@lru_cache(maxsize=2000)
def ask_to_accept(*, text: str, action: str) -> str:
    """Tell who picked up what the call is about, and wait for a key: a mailbox presses none."""
    response = VoiceResponse()
    gather = Gather(action=action, method="POST", num_digits=1, timeout=8)
    gather.say(printable(text))
    response.append(gather)
    response.hangup()
    return str(response)


def printable(text: str) -> str:
    """The text without what XML cannot carry."""
    return UNPRINTABLE.sub("", text)


def _greet(response: VoiceResponse, greeting: Greeting) -> None:
    if greeting.recording_url:
        response.play(greeting.recording_url)
    elif greeting.text:
        response.say(printable(greeting.text))
