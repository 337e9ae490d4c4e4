"""Webhooks, as Twilio sends them: signed, timed out, retried as the address asks.

The signature is made here by hand from Twilio's description, not by the SDK that checks it.
"""

import base64
import hashlib
import hmac
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from telephony.simulator.faults import Faults
from telephony.simulator.schedule import Schedule

CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 15.0
LARGEST_ANSWER = 64 * 1024
MOST_KEPT = 20_000


class NoConnection(Exception):
    """Nobody listens at the address."""


class NoAnswer(Exception):
    """Nothing came back in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content_type: str
    body: bytes


# (address, body, headers, seconds) → Reply; raises NoConnection or NoAnswer
Transport = Callable[[str, str, dict[str, str], float], Reply]


@dataclass(slots=True)
class Attempt:
    """What was sent where, and what came back (0: nothing did)."""

    address: str
    fields: dict[str, str]
    status: int
    body: str


@dataclass(slots=True)
class Outcome:
    """The last reply, or None with Twilio's error code for what went wrong."""

    reply: Reply | None
    error: int = 0
    body: str = ""  # what came back instead of a good reply


@dataclass(frozen=True, slots=True)
class Alert:
    """A webhook that was given up, as Monitor tells of it."""

    sid: str
    at: datetime
    code: int
    address: str
    fields: dict[str, str]
    body: str


@dataclass(slots=True)
class Postman:
    """``transport`` carries a request; everything else about webhooks is here."""

    token: str
    faults: Faults
    transport: Transport
    schedule: Schedule
    sent: list[Attempt] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    _lock: Any = field(default_factory=threading.Lock)

    def post(self, address: str, fields: dict[str, str]) -> Outcome:
        """Send it, again as often as the address's fragment (``#rc=3&rp=all``) allows."""
        target, overrides = split_overrides(address)
        fault = self.faults.take("WEBHOOK", urlsplit(target).path)
        if fault is not None and fault.kind == "webhook_lost":
            return Outcome(None, 11200)
        if fault is not None and fault.kind == "webhook_late":
            self.schedule.after(fault.seconds, lambda: self._try(target, fields, overrides))
            return Outcome(Reply(204, "", b""))
        if fault is not None and fault.kind == "webhook_forged":
            self._try(target, fields, overrides, signature="Zm9yZ2VkIGJ5IHNvbWVib2R5IGVsc2U=")
        unreachable = fault is not None and fault.kind == "webhook_unreachable"
        outcome = Outcome(None, 11205)
        token = str(uuid.uuid4())
        for attempt in range(1 + overrides.retries):
            if unreachable and attempt < (fault.times if fault else 0):
                outcome, cause = Outcome(None, 11205), "ct"
            else:
                outcome, cause = self._try(target, fields, overrides, token=token)
            if not cause or not overrides.retries_on(cause):
                break
        if fault is not None and fault.kind == "webhook_twice":
            self._try(target, fields, overrides, token=token)
        if outcome.error:
            self._alert(target, fields, outcome)
        return outcome

    def _alert(self, address: str, fields: dict[str, str], outcome: Outcome) -> None:
        sid = f"NO{uuid.uuid4().hex}"
        alert = Alert(sid, datetime.now(UTC), outcome.error, address, fields, outcome.body)
        with self._lock:
            self.alerts.append(alert)
            del self.alerts[:-MOST_KEPT]

    def _try(
        self, target: str, fields: dict[str, str], overrides: "Overrides", *,
        signature: str = "", token: str = "",
    ) -> tuple[Outcome, str]:  # fmt: skip
        """One attempt: (outcome, why it should be tried again or empty)."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signature or sign(self.token, target, fields),
            "I-Twilio-Idempotency-Token": token or str(uuid.uuid4()),
            "Cache-Control": "max-age=259200",
        }
        try:
            reply = self.transport(target, urlencode(fields), headers, overrides.seconds)
        except NoConnection:
            self._note(target, fields, 0, "no connection")
            return Outcome(None, 11205), "ct"
        except NoAnswer:
            self._note(target, fields, 0, "no answer in time")
            return Outcome(None, 11205), "rt"
        self._note(target, fields, reply.status, reply.body.decode(errors="replace"))
        if len(reply.body) > LARGEST_ANSWER:
            return Outcome(None, 11750), ""
        if reply.status >= 400:
            body = reply.body.decode(errors="replace")
            return Outcome(None, 11200, body), "5xx" if reply.status >= 500 else "4xx"
        return Outcome(reply), ""

    def _note(self, address: str, fields: dict[str, str], status: int, body: str) -> None:
        with self._lock:
            self.sent.append(Attempt(address, fields, status, body))
            del self.sent[:-MOST_KEPT]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the fragment of an address asks for. By default one retry, if no connection."""

    retries: int = 1
    on: frozenset[str] = frozenset({"ct"})
    seconds: float = TOTAL_SECONDS

    def retries_on(self, cause: str) -> bool:
        return "all" in self.on or cause in self.on


def split_overrides(address: str) -> tuple[str, Overrides]:
    """The address without fragment and credentials, and what the fragment says."""
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.fragment))
    policy = frozenset(asked.get("rp", "ct").split(","))
    milliseconds = min(int(asked.get("rt", 15000)), int(asked.get("tt", 15000)))
    retries = max(0, min(int(asked.get("rc", 1)), 5))
    host = parts.netloc.rsplit("@", 1)[-1]
    target = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    return target, Overrides(retries, policy, milliseconds / 1000)


def sign(token: str, address: str, fields: dict[str, str]) -> str:
    """HMAC-SHA1 over the address and every field, sorted by name, without separators."""
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.port:
        address = urlunsplit((parts.scheme, parts.hostname or "", parts.path, parts.query, ""))
    text = address + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def over_http(address: str, body: str, headers: dict[str, str], seconds: float) -> Reply:
    """The transport of the server."""
    import requests

    try:
        answer = requests.post(
            address, data=body, headers=headers, timeout=(min(CONNECT_SECONDS, seconds), seconds),
            allow_redirects=False,
        )  # fmt: skip
    except requests.exceptions.ConnectTimeout:
        raise NoConnection from None
    except requests.exceptions.Timeout:
        raise NoAnswer from None
    except requests.exceptions.RequestException:
        raise NoConnection from None
    return Reply(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)
