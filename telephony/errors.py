"""What can go wrong at the provider, in our words, and how its answers are read.

The one question that matters after a failed purchase is whether it may have happened all
the same: ``ProviderUnavailable.outcome_unknown``.
"""

import json
from typing import Any

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException


class ProviderError(Exception):
    """The provider said no, or nothing. Its own words are for the log, never for a page."""

    def __init__(
        self, message: str = "", *, provider_code: int | None = None,
        http_status: int | None = None, request_id: str = "",
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.provider_code = provider_code
        self.http_status = http_status
        self.request_id = request_id

    @property
    def codes(self) -> str:
        """``HTTP 400, code 21422``: what may be shown of it, and helps whoever is written to."""
        codes = [f"HTTP {self.http_status}"] if self.http_status else []
        codes += [f"code {self.provider_code}"] if self.provider_code else []
        return ", ".join(codes) or "no answer"

    def __str__(self) -> str:
        request = f", {self.request_id}" if self.request_id else ""
        return f"{type(self).__name__}: {self.args[0]} ({self.codes}{request})"


class NumberTaken(ProviderError):
    """Not available: somebody else's, gone, or, after a lost answer, ours already."""


class InvalidNumber(ProviderError):
    """Not a phone number at all."""


class RegionRefused(ProviderError):
    """The country asks for more. ``requirement`` is address, local_address, foreign_address,
    bundle, identity or trial.
    """

    def __init__(self, message: str, *, requirement: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.requirement = requirement


class NotConfigured(ProviderError):
    """The credentials do not work. ``reason`` is missing, half_set, rejected,
    test_credentials or suspended.
    """

    def __init__(self, message: str, *, reason: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.reason = reason


class TypeNotOffered(ProviderError):
    """No numbers of this type are sold in this country."""


class NotFound(ProviderError):
    """There is no such thing at the provider, or not any more."""


class NotDeliverable(ProviderError):
    """A message or call that the provider does not take. ``reason`` is opted_out,
    bad_recipient, bad_sender, unreachable, not_enabled, queue_full, trial, content or blocked.
    """

    def __init__(self, message: str, *, reason: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.reason = reason


class TooLarge(ProviderError):
    """A file is larger than we take."""


class ReleaseRefused(ProviderError):
    """The provider does not take the number back. ``reason`` is porting or held."""

    def __init__(self, message: str, *, reason: str, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.reason = reason

    @classmethod
    def of(cls, error: ProviderError) -> "ReleaseRefused":
        reason = "porting" if error.provider_code == PORTING_OUT else "held"
        return cls(
            error.args[0], reason=reason, provider_code=error.provider_code,
            http_status=error.http_status, request_id=error.request_id,
        )  # fmt: skip


class ProviderUnavailable(ProviderError):
    """Busy, broken or out of reach.

    ``outcome_unknown``: the request may have been carried out all the same. 429 is never
    processed, and a connection that was never made carried nothing.
    """

    def __init__(self, message: str, *, outcome_unknown: bool, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.outcome_unknown = outcome_unknown


class Unreadable(Exception):
    """A success that is cut off, or says nothing. Becomes ``ProviderUnavailable``."""


REQUIREMENTS = {
    21404: "trial",
    21615: "local_address",
    21631: "address",
    21649: "bundle",
    21650: "identity",
    21651: "identity",
}
TAKEN = {21422, 21451, 21452}
CREDENTIALS = {20003: "rejected", 20008: "test_credentials"}
SUSPENDED = {20005, 20403, 90010}
BUSY = {20429}
PORTING_OUT = 22350
NOT_DELIVERABLE = {
    21211: "bad_recipient", 21214: "unreachable", 21215: "not_enabled", 21216: "blocked",
    21217: "bad_recipient", 21219: "trial", 21210: "bad_sender", 21212: "bad_sender",
    21606: "bad_sender", 21659: "bad_sender", 21660: "bad_sender", 21661: "bad_sender",
    21608: "trial", 21610: "opted_out", 21611: "queue_full", 21612: "unreachable",
    21614: "bad_recipient", 21635: "bad_recipient", 21408: "not_enabled", 21602: "content",
    21617: "content", 21619: "content", 21620: "content", 21623: "content",
}  # fmt: skip


def from_sdk(error: Exception, *, writes: bool = False) -> ProviderError:
    """Our error for what the SDK or the connection raised.

    ``writes`` tells that the request changes something at the provider: then a timeout, a
    reset or a 5xx leaves its outcome unknown. Lists fail as a bare ``TwilioException`` that
    carries the response (contract of the SDK, section 0).
    """
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, TwilioRestException):
        return _from_answer(error.status, error.code, error.msg, "", writes)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return ProviderUnavailable("no connection in time", outcome_unknown=False)
    if isinstance(error, requests.exceptions.RequestException):
        unknown = writes and not _never_connected(error)
        return ProviderUnavailable(type(error).__name__, outcome_unknown=unknown)
    if isinstance(error, TwilioException):
        return _from_bare(error, writes)
    if isinstance(error, json.JSONDecodeError | Unreadable):
        return ProviderUnavailable(f"unreadable answer: {error}", outcome_unknown=writes)
    raise error


def from_status(status: int, message: str) -> ProviderError:
    """Our error for an answer that has no code, such as that to a download."""
    return _from_answer(status, None, message, "", writes=False)


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    """A refused or unresolved connection, as urllib3 wraps it."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def _from_bare(error: TwilioException, writes: bool) -> ProviderError:
    """A list that failed, or the form of newer APIs (RFC 9457), which knows its facts."""
    status, code = getattr(error, "status", 0), getattr(error, "code", None)
    message, request_id = str(getattr(error, "title", "") or error), ""
    if len(error.args) > 1:
        message, response = error.args[:2]
        status, request_id = response.status_code, response.headers.get("Twilio-Request-Id", "")
        try:
            body = json.loads(response.text)
        except ValueError:
            body = None
        if isinstance(body, dict):
            message, code = str(body.get("message", message)), body.get("code")
    return _from_answer(status, code, message, request_id, writes)


def _from_answer(
    status: int, code: int | None, message: str, request_id: str, writes: bool
) -> ProviderError:
    facts: dict[str, Any] = {"provider_code": code, "http_status": status, "request_id": request_id}
    if code in TAKEN:
        return NumberTaken(message, **facts)
    if code == 21421:
        return InvalidNumber(message, **facts)
    if code in REQUIREMENTS:
        return RegionRefused(message, requirement=REQUIREMENTS[code], **facts)
    if code in NOT_DELIVERABLE:
        return NotDeliverable(message, reason=NOT_DELIVERABLE[code], **facts)
    if code in SUSPENDED:
        return NotConfigured(message, reason="suspended", **facts)
    if code in CREDENTIALS or status == 401:
        return NotConfigured(message, reason=CREDENTIALS.get(code or 0, "rejected"), **facts)
    if status == 429 or code in BUSY:
        return ProviderUnavailable(message, outcome_unknown=False, **facts)
    if status >= 500:
        return ProviderUnavailable(message, outcome_unknown=writes, **facts)
    if status == 404:
        return NotFound(message, **facts)
    if not 400 <= status < 500:  # neither a yes nor a no that we can read
        return ProviderUnavailable(message, outcome_unknown=writes, **facts)
    return ProviderError(message, **facts)
