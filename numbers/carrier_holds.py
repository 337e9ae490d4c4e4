"""Whether the carrier would take a number back, asked before anything is done."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from numbers.models import Number
from telephony import provider
from telephony.errors import ProviderError, ProviderUnavailable

AT_ONCE = 8
NONE = ""


def told_hold_of(number: Number) -> str:
    """The same as the carrier told at the last comparison, without asking. That a number is
    being ported away it tells nobody before it is asked to take it back.
    """
    return _hold(number.emergency_address_status)


def hold_of(number: Number) -> str:
    """Why the carrier holds the number (a key of ``CarrierHolds.BECAUSE``), or empty.

    A carrier that does not answer is no reason: it is asked again when the number is given
    back.
    """
    try:
        return _ask(number)
    except ProviderError:
        return NONE


def holds_of(numbers: Sequence[Number]) -> dict[int, str]:
    """The same for several, by primary key, asked side by side. Once the carrier is out of
    reach nobody waits for it any more.
    """
    out_of_reach = threading.Event()

    def ask(number: Number) -> str:
        if out_of_reach.is_set():
            return NONE
        try:
            return _ask(number)
        except ProviderUnavailable:
            out_of_reach.set()
        except ProviderError:
            pass
        return NONE

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = pool.map(ask, numbers)
        return {number.pk: hold for number, hold in zip(numbers, answers, strict=True)}


def _ask(number: Number) -> str:
    return _hold(provider.fetch(sid=number.provider_sid).emergency_address_status)


def _hold(emergency_address_status: str) -> str:
    return "emergency" if emergency_address_status == "registered" else NONE
