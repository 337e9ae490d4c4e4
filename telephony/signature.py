"""Whether a webhook was sent by the provider."""

from functools import lru_cache

from django.conf import settings
from twilio.request_validator import RequestValidator

from telephony.payloads import Fields


@lru_cache(maxsize=4)
def _validator(token: str) -> RequestValidator:
    return RequestValidator(token)


def is_genuine(*, path: str, fields: Fields, signature: str | None) -> bool:
    """Whether ``signature`` is the provider's for this address and these fields.

    ``path`` is the path with its query, exactly as it was asked for. The address signed is
    the one we gave out, under ``PUBLIC_BASE_URL``; what a proxy reports may differ from it.
    While the auth token is being changed, two are good: Twilio signs with the primary one.
    """
    if not signature:  # the SDK raises TypeError where the header is missing
        return False
    address = settings.PUBLIC_BASE_URL + path
    tokens = (settings.TWILIO_AUTH_TOKEN, settings.TWILIO_AUTH_TOKEN_SECONDARY)
    return any(_validator(token).validate(address, fields, signature) for token in tokens if token)
