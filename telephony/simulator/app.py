"""The WSGI program: who asks, what fails today, which endpoint answers."""

import base64
import binascii
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from telephony.simulator import available, incoming, magic, page, pricing
from telephony.simulator.exchange import Exchange
from telephony.simulator.faults import ANSWERS, ConnectionDropped, Fault, Faults
from telephony.simulator.messaging_services import Services
from telephony.simulator.postman import Postman, Transport, over_http
from telephony.simulator.schedule import Schedule
from telephony.simulator.state import State, now
from telephony.simulator.texts import Texts
from telephony.simulator.traffic_routes import traffic_routes
from telephony.simulator.wire import Answer, Refused, Request, StartResponse, error, not_found

ACCOUNT = r"/2010-04-01/Accounts/(?P<account>AC[0-9a-f]{32})"
MOST_LOGGED = 10_000
TEST_ACCOUNT = "AC" + "7" * 32
TEST_TOKEN = "test-token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One live pair, with an API key where there is one, and one test pair, as in Twilio's
    console.
    """

    account: str
    token: str
    key: str = ""
    secret: str = ""
    test_account: str = TEST_ACCOUNT
    test_token: str = TEST_TOKEN


class SimulatedTwilio:
    """``wait(seconds)`` is how time passes here: the server sleeps, a test does not.

    ``schedule`` is when calls and messages go on, ``transport`` how webhooks are carried.
    """

    def __init__(
        self, credentials: Credentials, state: State, wait: Callable[[float], None] = time.sleep,
        schedule: Schedule | None = None, transport: Transport = over_http,
    ) -> None:  # fmt: skip
        self.credentials = credentials
        self.state = state
        self.faults = Faults()
        self.schedule = schedule or Schedule()
        self.postman = Postman(credentials.token, self.faults, transport, self.schedule)
        self.exchange = Exchange(credentials.account, state, self.schedule, self.postman)
        self.texts = Texts(self.exchange)
        self.wait = wait
        self.account_status = "active"
        self.log: list[dict[str, Any]] = []
        self.routes = self._routes()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        wait = environ.get("simulator.wait", self.wait)
        request = Request.read(environ, wait)
        if not request.host.endswith(".twilio.com"):
            return page.answer(self, request).send(start_response, request.host)
        self._note(request)
        fault = self.faults.take(request.method, request.path, request.get("PhoneNumber"))
        return self._answer(request, fault).send(start_response, request.host)

    def _answer(self, request: Request, fault: Fault | None) -> Answer:
        kind = fault.kind if fault else ""
        if fault and kind in ("slow", "timeout_before"):
            request.wait(fault.seconds)
        if kind == "timeout_before":
            raise ConnectionDropped
        if kind == "not_json":
            return Answer(502, "<html><body>Bad gateway</body></html>", "text/html")
        if fault and kind in ANSWERS:
            status, code, message = ANSWERS[kind]
            answer = error(status, code, message.format(number=request.get("PhoneNumber")))
            answer.headers |= {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return answer
        try:
            answer = self._route(request, fault)
        except Refused as refused:
            answer = refused.answer
        if kind == "answer_lost":
            raise ConnectionDropped
        if kind == "error_after":
            return error(500, 20500, "Internal Server Error")
        return answer

    def _route(self, request: Request, fault: Fault | None) -> Answer:
        account = self._authenticate(request)
        if account == self.credentials.test_account:
            return magic.answer(request, account)
        for method, host, pattern, make in self.routes:
            match = pattern.fullmatch(request.path)
            if match and (method, host) == (request.method, request.host):
                parts = match.groupdict()
                if parts.pop("account", account) != account:
                    raise not_found(request.path)
                return make(request, fault, **parts)
        raise not_found(request.path)

    def _authenticate(self, request: Request) -> str:
        """The account that the Basic credentials belong to."""
        try:
            pair = base64.b64decode(request.authorization.removeprefix("Basic ")).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        known = self.credentials
        if pair == f"{known.account}:{known.token}":
            return known.account
        if known.key and pair == f"{known.key}:{known.secret}":
            return known.account
        if pair == f"{known.test_account}:{known.test_token}":
            return known.test_account
        raise Refused(401, 20003, "Authenticate")

    def _note(self, request: Request) -> None:
        fields = {name: values[-1] for name, values in request.fields.items()}
        self.log.append({"method": request.method, "path": request.path, "fields": fields})
        del self.log[:-MOST_LOGGED]

    def _routes(self) -> list[tuple[str, str, re.Pattern[str], Callable[..., Answer]]]:
        me, state = self.credentials.account, self.state
        api, prices = "api.twilio.com", "pricing.twilio.com"
        offers, mine = f"{ACCOUNT}/AvailablePhoneNumbers", f"{ACCOUNT}/IncomingPhoneNumbers"
        one = rf"{mine}/(?P<sid>PN[0-9a-f]{{32}})\.json"

        def search(r: Request, fault: Fault | None, code: str, kind: str) -> Answer:
            if fault and fault.kind == "no_inventory":
                return Answer(200, {"available_phone_numbers": [], "uri": r.path})
            return available.search(r, me, code, kind, state)

        def listing(r: Request, fault: Fault | None) -> Answer:
            if fault and fault.kind == "list_empty":
                return incoming.listing(r, me, State())
            return incoming.listing(r, me, state)

        def price(r: Request, fault: Fault | None, code: str) -> Answer:
            changed = fault and fault.kind == "price_change"
            return pricing.country(r, code, Decimal(fault.factor if fault and changed else 1))

        table: list[tuple[str, str, str, Callable[..., Answer]]] = [
            ("GET", api, rf"{offers}\.json", lambda r, f: available.countries(r, me)),
            ("GET", api, rf"{offers}/(?P<code>[A-Z]{{2}})\.json",
             lambda r, f, code: available.country(r, me, code)),
            ("GET", api, rf"{offers}/(?P<code>[A-Z]{{2}})/(?P<kind>\w+)\.json", search),
            ("POST", api, rf"{mine}\.json", lambda r, f: incoming.create(r, me, state)),
            ("POST", api, rf"{mine}/(?P<kind>Local|TollFree|Mobile)\.json",
             lambda r, f, kind: incoming.create(r, me, state, kind)),
            ("GET", api, rf"{mine}\.json", listing),
            ("GET", api, one, lambda r, f, sid: incoming.fetch(r, me, sid, state)),
            ("POST", api, one, lambda r, f, sid: incoming.update(r, me, sid, state)),
            ("DELETE", api, one, lambda r, f, sid: incoming.delete(r, me, sid, state)),
            ("GET", api, rf"{ACCOUNT}\.json", lambda r, f: self._account()),
            ("GET", api, rf"{ACCOUNT}/Balance\.json", lambda r, f: self._balance()),
            ("GET", prices, "/v1/PhoneNumbers/Countries", lambda r, f: pricing.countries(r)),
            ("GET", prices, "/v1/PhoneNumbers/Countries/(?P<code>[A-Z]{2})", price),
            *traffic_routes(ACCOUNT, self.exchange, self.texts),
            *Services(me, state).routes(),
        ]  # fmt: skip
        return [(method, host, re.compile(path), make) for method, host, path, make in table]

    def _account(self) -> Answer:
        sid = self.credentials.account
        base = f"/2010-04-01/Accounts/{sid}"
        parts = ("available_phone_numbers", "calls", "incoming_phone_numbers", "messages")
        return Answer(
            200,
            {
                "auth_token": self.credentials.token, "date_created": now(),
                "date_updated": now(), "friendly_name": "Simulated account",
                "owner_account_sid": sid, "sid": sid, "status": self.account_status,
                "subresource_uris": {part: f"{base}/{part}.json" for part in parts},
                "type": "Full", "uri": f"{base}.json",
            },
        )  # fmt: skip

    def _balance(self) -> Answer:
        sid = self.credentials.account
        balance = f"{self.state.balance(sid):.2f}"
        return Answer(200, {"account_sid": sid, "balance": balance, "currency": "USD"})
