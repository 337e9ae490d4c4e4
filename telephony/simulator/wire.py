"""A request and an answer on the wire, and the provider's way of saying no."""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

MOST_PER_PAGE = 1000
StartResponse = Callable[[str, list[tuple[str, str]]], object]
STATUS = {
    200: "OK", 201: "Created", 204: "No Content", 303: "See Other", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict",
    429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable",
}  # fmt: skip


@dataclass(slots=True)
class Request:
    """``fields`` are query and form together, each name with all its values."""

    method: str
    host: str
    path: str
    fields: dict[str, list[str]]
    query_string: str
    body: bytes
    authorization: str
    wait: Callable[[float], None]

    @classmethod
    def read(cls, environ: dict[str, Any], wait: Callable[[float], None]) -> "Request":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        query = environ.get("QUERY_STRING", "")
        fields = parse_qs(query, keep_blank_values=True)
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            for name, values in parse_qs(body.decode(), keep_blank_values=True).items():
                fields.setdefault(name, []).extend(values)
        return cls(
            method=environ["REQUEST_METHOD"],
            host=environ.get("HTTP_HOST", "").split(":")[0],
            path=environ.get("PATH_INFO", "/"),
            fields=fields,
            query_string=query,
            body=body,
            authorization=environ.get("HTTP_AUTHORIZATION", ""),
            wait=wait,
        )

    def get(self, name: str, default: str = "") -> str:
        values = self.fields.get(name)
        return values[-1] if values else default

    def whole_number(self, name: str, default: int) -> int:
        text = self.get(name) or str(default)
        if not (text.isascii() and text.isdigit()):
            raise Refused(400, 20001, f"{name} must be a whole number")
        return int(text)

    def page_size(self, default: int) -> int:
        size = self.whole_number("PageSize", default)
        if size > MOST_PER_PAGE:
            raise Refused(400, 20007, "Page size too large")
        return max(size, 1)

    @property
    def uri(self) -> str:
        """The path with its query, as lists repeat it."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path


@dataclass(slots=True)
class Answer:
    status: int
    body: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, start_response: StartResponse, host: str) -> Iterable[bytes]:
        if self.content_type == "application/json" and self.status != 204:
            content = json.dumps(self.body).encode()
        else:
            content = self.body if isinstance(self.body, bytes) else (self.body or "").encode()
        headers = {
            "Content-Length": str(len(content)),
            "Twilio-Request-Id": "RQ" + secrets.token_hex(16),
            "Twilio-Request-Duration": "0.010",
            "Twilio-Concurrent-Requests": "1",
            "X-Home-Region": "us1",
            "X-Api-Domain": host,
            **self.headers,
        }
        if self.status != 204:
            headers["Content-Type"] = self.content_type
        start_response(f"{self.status} {STATUS[self.status]}", list(headers.items()))
        return [content]


class Refused(Exception):
    """Answer with Twilio's error body."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = error(status, code, message)


def error(status: int, code: int, message: str) -> Answer:
    body: dict[str, Any] = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    if status == 401:
        body["detail"] = "Your AccountSid or AuthToken was incorrect."
    return Answer(status, body)


def not_found(path: str) -> Refused:
    return Refused(404, 20404, f"The requested resource {path} was not found")
