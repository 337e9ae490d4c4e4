"""The same program, called in the same process through ``requests``, for tests."""

import io
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from telephony.simulator import incoming
from telephony.simulator.app import SimulatedTwilio
from telephony.simulator.faults import ConnectionDropped, Fault
from telephony.simulator.inventory import friendly_name
from telephony.simulator.live_call import LiveCall, Person
from telephony.simulator.people import Scripted
from telephony.simulator.postman import Attempt


class WSGIAdapter(BaseAdapter):
    """Mounted on a session, it answers from the program instead of from a socket.

    A dropped connection becomes a ``ConnectionError``, and a wait longer than the client's
    patience a ``ReadTimeout``, at once and without sleeping. As with a real server, what
    comes after the wait is carried out although nobody listens any more.
    """

    def __init__(self, app: SimulatedTwilio) -> None:
        super().__init__()
        self.app = app

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None,
        verify: Any = True, cert: Any = None, proxies: Any = None,
    ) -> requests.Response:  # fmt: skip
        waited = 0.0

        def wait(seconds: float) -> None:
            nonlocal waited
            waited += seconds

        response = requests.Response()

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            response.status_code = int(status.split()[0])
            response.headers = CaseInsensitiveDict(headers)

        content = None
        with suppress(ConnectionDropped):
            content = b"".join(self.app(_environ(request, wait), start_response))
        if timeout is not None and waited > timeout:  # what was done late stays done
            raise requests.exceptions.ReadTimeout(request=request)
        if content is None:
            raise requests.exceptions.ConnectionError(request=request)
        response._content = content
        response._content_consumed = True  # type: ignore[attr-defined]  # so it is read as read
        response.encoding = "utf-8"
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        pass


def _environ(request: requests.PreparedRequest, wait: Any) -> dict[str, Any]:
    url = urlsplit(str(request.url))
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body)
    return {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "HTTP_HOST": request.headers.get("Host", url.netloc),
        "HTTP_AUTHORIZATION": request.headers.get("Authorization", ""),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
        "simulator.wait": wait,
    }


class Simulator:
    """What a test holds in its hand."""

    def __init__(self, app: SimulatedTwilio) -> None:
        self.app = app
        self.account = app.credentials.account

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every request so far: method, path, fields."""
        return self.app.log

    def fault(self, kind: str, **match: Any) -> None:
        self.app.faults.add(Fault(kind, **match))

    def owned(self) -> list[dict[str, Any]]:
        """Every number of the account, as the wire shows it."""
        return [incoming.show(self.account, row) for row in self.app.state.owned(self.account)]

    def run(self, seconds: float = 3600.0) -> int:
        """Let everything happen that is due within so many seconds, in an instant."""
        return self.app.schedule.run(seconds=seconds)

    @property
    def webhooks(self) -> list[Attempt]:
        """Every webhook so far: address, fields, the status that came back."""
        return self.app.postman.sent

    def call(self, *, caller: str, called: str, person: Person | None = None) -> LiveCall:
        """Somebody calls a number; ``run`` lets the call happen."""
        return self.app.exchange.call_number(caller=caller, called=called, person=person)

    def text(self, *, sender: str, recipient: str, body: str = "", pictures: int = 0) -> str:
        """Somebody writes to a number; ``run`` sends the webhook. Returns the SID."""
        return self.app.texts.arrive(
            sender=sender, recipient=recipient, body=body, pictures=pictures
        )

    def person(self, **does: Any) -> Scripted:
        """Somebody with a phone who does what is written down (``people.Scripted``)."""
        return Scripted(self.app.schedule, self.app.exchange.tell, **does)

    def phone(self, e164: str, **does: Any) -> None:
        """Who holds a phone that may be called."""
        self.app.exchange.phones[e164] = self.person(**does)

    def seed(self, e164: str, account: str = "", **fields: Any) -> str:
        """Make the account, or another one, the owner of a number. Returns its sid."""
        fields = {"friendly_name": friendly_name(e164)} | fields
        return self.app.state.buy(account or self.account, e164, fields, Decimal(0))

    def service(self, *numbers: str, **fields: Any) -> str:
        """A messaging service with these numbers (their sids) among its senders; its sid."""
        state, at = self.app.state, "2026-01-02T03:04:05Z"
        sid = state.add_service({"friendly_name": "Marketing", "date_created": at} | fields)
        for number in numbers:
            state.join(sid, number, at)
        return sid

    def seed_many(self, numbers: Iterable[str]) -> None:
        """Make the account the owner of very many numbers, quickly."""
        self.app.state.adopt(self.account, numbers)
