"""Where the provider is told to send calls, messages and their states."""

from collections.abc import Collection

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
