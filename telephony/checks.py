"""System checks: what would keep the provider from working, said before anybody notices."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

from telephony.client import credential_state


@checks.register
def provider_is_configured(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    state = credential_state()
    if state == "missing":
        return [
            checks.Warning(
                "No Twilio account is configured, so no number can be bought.",
                hint="Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.",
                id="telephony.W001",
            )
        ]
    if state == "half_set":
        return [
            Error(
                "The Twilio credentials are incomplete.",
                hint="TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN go together (the token also "
                "checks the signature of webhooks); TWILIO_API_KEY_SID and "
                "TWILIO_API_KEY_SECRET may be added, both of them.",
                id="telephony.E001",
            )
        ]
    return []


@checks.register
def webhooks_can_arrive(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEMO_MODE or settings.PUBLIC_BASE_URL.startswith("https://"):
        return []
    return [
        Error(
            f"PUBLIC_BASE_URL is {settings.PUBLIC_BASE_URL}, which the provider cannot use.",
            hint="Set it to the https:// address under which the provider reaches this site.",
            id="telephony.E002",
        )
    ]
