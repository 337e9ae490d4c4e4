"""What the carrier says of a number this moment."""

from dataclasses import dataclass

from numbers.models import Number
from numbers.number_refusals import NotAtCarrier
from numbers.refusals import refusal_for
from telephony import provider
from telephony.errors import NotFound, ProviderError
from telephony.values import OwnedNumber
from telephony.webhook_urls import webhooks_for_numbers


@dataclass(frozen=True, slots=True)
class ProviderData:
    """``reaches_us``: calls and messages are sent to this site. ``same_name``: the carrier
    calls it what we do.
    """

    owned: OwnedNumber
    reaches_us: bool
    same_name: bool


def look_up(number: Number) -> ProviderData:
    """One call, with a timeout. Raises a ``Refusal`` that says why there is no answer."""
    try:
        owned = provider.fetch(sid=number.provider_sid)
    except NotFound as error:
        raise NotAtCarrier(number) from error
    except ProviderError as error:
        raise refusal_for(error) from error
    return ProviderData(
        owned=owned,
        reaches_us=owned.webhooks == webhooks_for_numbers(owned.capabilities),
        same_name=owned.friendly_name in (number.friendly_name, number.international),
    )
