"""Where the provider is told to send calls, messages and their states."""

from django.conf import settings

from telephony.values import Webhooks

# After '#', read by the provider and neither sent nor signed: three retries, for every cause.
# Answers are safe to repeat, since each call and message is stored once.
RETRY = "#rc=3&rp=all"


def webhooks_for_numbers() -> Webhooks:
    """The same five addresses for every number, under ``PUBLIC_BASE_URL``."""
    base = f"{settings.PUBLIC_BASE_URL}/webhooks/twilio"
    return Webhooks(
        voice_url=f"{base}/voice/",
        voice_fallback_url=f"{base}/voice/fallback/",
        voice_status_url=f"{base}/voice/status/{RETRY}",
        message_url=f"{base}/message/{RETRY}",
        message_fallback_url=f"{base}/message/fallback/",
    )
