"""What a caller meets, step by step.

Every step is worked out from the call's row and the route in force when it arrived, never
from what was decided before: a step that is asked for twice gets the same answer twice.

``settings.INBOUND_ANSWERERS`` names classes that may answer first. Each is made without
arguments and asked in order: ``voice(call)`` returns TwiML or None to leave the call to the
next one and in the end to the route; ``message(message)`` returns whether it has dealt with
the message, which is in the inbox all the same.
"""

import logging
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from interactions import forwarding
from interactions.models import Call, Message
from interactions.plans import STANDARD, Answer, Answers, CallerId, voice_plan
from interactions.receive import ReceivedCall
from interactions.routing import step_of
from lib import e164 as formats
from numbers.models import Number
from telephony import twiml
from telephony.webhook_urls import within_call

log = logging.getLogger(__name__)

# A call is hung up a little before its last minute is over, or another one would begin.
HANGING_UP_SECONDS = 2


class Answerer(Protocol):
    """What stands behind a dotted path in ``settings.INBOUND_ANSWERERS``."""

    def voice(self, call: ReceivedCall) -> str | None: ...

    def message(self, message: Message) -> bool: ...


@lru_cache(maxsize=4)
def _load(paths: tuple[str, ...]) -> tuple[Answerer, ...]:
    return tuple(import_string(path)() for path in paths)


def answerers() -> tuple[Answerer, ...]:
    return _load(tuple(settings.INBOUND_ANSWERERS))


def answer_call(call: ReceivedCall) -> str:
    """The first answer to a call that has arrived."""
    if call.refused_because or call.is_fax:
        return twiml.reject()
    if call.answer:
        return call.answer
    for answerer in answerers():
        if (answer := answerer.voice(call)) is not None:
            Call.objects.filter(pk=call.id).update(answer=answer)
            return answer
    step = voice_plan(call.plan).at(call.at, call.time_zone)
    if step.kind == Answers.SAY and call.is_new:
        Call.objects.filter(pk=call.id).update(outcome=Call.Outcome.ANNOUNCED)
    if call.is_loop and step.is_forward:
        step = step.fallback or STANDARD
    try:
        limit = forwarding.allow(call, step) if step.is_forward else None
    except forwarding.WalletIsBusy:
        log.warning("call %s is not forwarded: its wallet is locked", call.id)
        return _instead(call, step)
    if limit == 0:
        return twiml.reject()
    return render(step, 0, caller=call.caller, called=call.called, limit_seconds=limit)


def _instead(call: ReceivedCall, step: Answer) -> str:
    """What a caller meets who cannot wait until the money is looked at; kept, so that it is
    the same when it is asked for again.
    """
    rest = replace(step.fallback or STANDARD, fallback=None)
    answer = render(rest, 0, caller=call.caller, called=call.called, limit_seconds=None)
    Call.objects.filter(pk=call.id).update(answer=answer)
    return answer


def after_dial(call: Call, *, round_done: int) -> str:
    """Nobody took the call in this round of phones: the next round, or the fallback."""
    step = step_of(call)
    if not step.is_forward:  # the route says otherwise than the address we were asked at
        return twiml.hang_up()
    return render(
        step, round_done + 1, caller=call.conversation.contact, called=call.number.e164,
        limit_seconds=call.limit_seconds,
    )  # fmt: skip


def render(
    step: Answer, round_: int, *, caller: str, called: str, limit_seconds: int | None
) -> str:  # fmt: skip
    """TwiML for one step of a call; forwarding goes round by round and then falls back."""
    if step.kind == Answers.SAY:
        return twiml.say(step.greeting)
    if step.is_voicemail:
        return twiml.record(
            greeting=step.greeting,
            action=within_call("recorded"),
            status_url=within_call("recording"),
            transcription_url=within_call("transcribed") if step.transcribe else "",
        )
    if round_ >= len(step.rounds):
        rest = step.fallback or STANDARD
        return render(replace(rest, fallback=None), 0, caller=caller, called=called,
                      limit_seconds=limit_seconds)  # fmt: skip
    whisper_url = within_call("whisper", number=called) if step.whisper else ""
    return twiml.ring(
        phones=tuple(twiml.Phone(phone, whisper_url) for phone in step.rounds[round_]),
        seconds=step.seconds,
        # An anonymous caller cannot be shown: the provider refuses such a caller ID.
        caller_id=caller
        if step.caller_id == CallerId.CALLER and formats.is_e164(caller)
        else called,
        action=within_call("dialled", round=round_),
        leg_status_url=within_call("leg", **({"whisper": 1} if step.whisper else {})),
        limit_seconds=limit_seconds and limit_seconds - HANGING_UP_SECONDS,
    )


def whisper(called: str) -> str:
    """What the person who picks up a forwarded call hears first."""
    number = Number.objects.owned().select_related("workspace").filter(e164=called).first()
    if number is None:
        return twiml.hang_up()
    name = number.friendly_name or number.international
    return twiml.ask_to_accept(
        text=f"A call for {number.workspace.name}, {name}. Press any key to take it.",
        action=within_call("accepted"),
    )
