"""Failures on demand: each waits for requests that match it, and is used up by them."""

import random
import threading
from dataclasses import asdict, dataclass, replace
from typing import Any

# What the provider answers instead: HTTP status, code, message.
ANSWERS: dict[str, tuple[int, int, str]] = {
    "taken": (400, 21422, "{number} is not available"),
    "address_required": (
        400, 21631, "Phone Number Requires an Address but the 'AddressSid' parameter was empty."
    ),
    "local_address_required": (400, 21615, "Phone Number Requires a Local Address"),
    "bundle_required": (
        400, 21649,
        "To purchase or transfer this number you must provide a bundle compliant with the rules "
        "for the country and number type.",
    ),
    "porting_out": (
        400, 22350,
        "The Phone Number cannot be released because it is being ported out of Twilio",
    ),
    "trial": (400, 21404, "Inbound Phone number not available to trial account"),
    "unauthorized": (401, 20003, "Authenticate"),
    "suspended": (403, 20005, "Account not active"),
    "rate_limited": (429, 20429, "Too Many Requests"),
    "server_error": (500, 20500, "Internal Server Error"),
    "unavailable": (503, 20503, "Service Unavailable"),
}  # fmt: skip

# How else a request can go wrong, each told on the simulator's own page.
OTHERS = {
    "no_inventory": "a search finds nothing",
    "list_empty": "a list of owned numbers comes back empty",
    "slow": "answers after `seconds`",
    "answer_lost": "does everything, then closes the connection without an answer",
    "error_after": "does everything, then answers 500",
    "timeout_before": "waits `seconds`, does nothing and closes the connection",
    "not_json": "answers 502 with a page of HTML",
    "price_change": "prices are multiplied by `factor`",
}
# How a webhook can go wrong on its way to us; its method is WEBHOOK, its path that of its
# address.
WEBHOOKS = {
    "webhook_lost": "a webhook is not sent, and not tried again",
    "webhook_unreachable": "the first `times` attempts at a webhook find nobody",
    "webhook_twice": "a webhook is sent twice",
    "webhook_late": "a status callback comes `seconds` later, after others",
    "webhook_forged": "somebody else sends the same webhook first, without our token",
}
KINDS = (*ANSWERS, *OTHERS, *WEBHOOKS)


class ConnectionDropped(Exception):
    """The connection ends here, without an answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``times`` requests (-1: all) whose method and path fit fail, each with ``probability``,
    after the first ``skip`` of them; with ``number`` only those that are about it. An answer
    that refuses carries ``retry_after`` as its header.
    """

    kind: str
    method: str = ""
    path_contains: str = ""
    times: int = 1
    skip: int = 0
    seconds: float = 30.0
    probability: float = 1.0
    factor: str = "1.10"
    number: str = ""
    retry_after: str = ""

    def fits(self, method: str, path: str, number: str) -> bool:
        if (self.kind in WEBHOOKS) != (method == "WEBHOOK"):
            return False
        about_it = self.number in ("", number)
        return about_it and self.method in ("", method) and self.path_contains in path


class Faults:
    """The faults that wait; safe to use from many threads."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self._rng = random.Random(1)

    def add(self, fault: Fault) -> None:
        if fault.kind not in KINDS:
            raise ValueError(f"unknown fault {fault.kind}; there are {', '.join(KINDS)}")
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str, number: str = "") -> Fault | None:
        """The first fault that fits this request, used up by one."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if not fault.fits(method, path, number) or self._rng.random() >= fault.probability:
                    continue
                if fault.skip:
                    self._waiting[place] = replace(fault, skip=fault.skip - 1)
                    continue
                if fault.times == 1 or fault.kind == "webhook_unreachable":
                    del self._waiting[place]
                elif fault.times > 1:
                    self._waiting[place] = replace(fault, times=fault.times - 1)
                return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]
