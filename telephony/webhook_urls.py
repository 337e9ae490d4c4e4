"""Where the provider is told to send calls, messages and their states."""

from collections.abc import Collection
from urllib.parse import urlencode

from django.conf import settings

from telephony.values import Capability, Webhooks

# After '#', read by the provider and neither sent nor signed: three retries, for every cause.
# Answers are safe to repeat, since each call and message is stored once.
RETRY = "#rc=3&rp=all"


def webhooks_for_numbers(capabilities: Collection[str]) -> Webhooks:
    """The same addresses for every number, under ``PUBLIC_BASE_URL``. A number that takes no
    messages gets none for them: the provider would refuse it (21407).
    """
    base = f"{settings.PUBLIC_BASE_URL}/webhooks/twilio"
    texts = Capability.SMS in capabilities or Capability.MMS in capabilities
    return Webhooks(
        voice_url=f"{base}/voice/",
        voice_fallback_url=f"{base}/voice/fallback/",
        voice_status_url=f"{base}/voice/status/{RETRY}",
        message_url=f"{base}/message/{RETRY}" if texts else "",
        message_fallback_url=f"{base}/message/fallback/" if texts else "",
    )


# Reports within a call, whose answer nobody waits for.
REPORTS = ("leg", "recording", "transcribed")


def within_call(what: str, **query: str | int) -> str:
    """The address that a step of a call is asked at: ``dialled``, ``whisper``, ``recorded`` …

    The query is part of what the provider signs, so nobody can change it on the way.
    """
    base = f"{settings.PUBLIC_BASE_URL}/webhooks/twilio/voice/{what}/"
    address = f"{base}?{urlencode(query)}" if query else base
    return address + RETRY if what in REPORTS else address


def status_of_message(reference: str) -> str:
    """Where the states of a message of ours are sent.

    ``reference`` finds it even if the answer to sending it, with its SID, was lost.
    """
    return _with_reference("message/status/", reference)


def status_of_call(reference: str) -> str:
    return _with_reference("voice/status/", reference)


def _with_reference(path: str, reference: str) -> str:
    base = f"{settings.PUBLIC_BASE_URL}/webhooks/twilio/{path}"
    return f"{base}?{urlencode({'ref': reference})}{RETRY}"
