"""The WSGI program: who asks, and which endpoint answers."""

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from wallet.stripe_simulator import page
from wallet.stripe_simulator.payments import Payments
from wallet.stripe_simulator.state import State

STATUS = {200: "OK", 303: "See Other", 400: "Bad Request", 401: "Unauthorized",
          402: "Payment Required", 404: "Not Found", 500: "Internal Server Error",
          503: "Service Unavailable"}  # fmt: skip
HIDDEN = ("intent_metadata", "name", "pays_at", "behaves")


class ConnectionDropped(Exception):
    """The connection ends here, without an answer."""


@dataclass(slots=True)
class Request:
    method: str
    path: str
    fields: dict[str, str]
    base: str
    authorization: str
    idempotency_key: str

    @classmethod
    def read(cls, environ: dict[str, Any]) -> "Request":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length).decode() if length else ""
        pairs = parse_qsl(environ.get("QUERY_STRING", "")) + parse_qsl(body)
        return cls(
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO", "/"),
            fields=dict(pairs),
            base=f"http://{environ.get('HTTP_HOST', '')}",
            authorization=environ.get("HTTP_AUTHORIZATION", ""),
            idempotency_key=environ.get("HTTP_IDEMPOTENCY_KEY", ""),
        )

    def under(self, prefix: str) -> dict[str, str]:
        """``{"a": "1"}`` of a form's ``prefix[a]=1``."""
        start = f"{prefix}["
        return {
            name[len(start) : -1]: value
            for name, value in self.fields.items()
            if name.startswith(start) and name.count("[") == start.count("[")
        }


@dataclass(slots=True)
class Answer:
    status: int
    body: Any
    location: str = ""

    def send(self, start_response: Callable[..., object]) -> Iterable[bytes]:
        is_page = isinstance(self.body, str)
        content = (self.body if is_page else json.dumps(_shown(self.body))).encode()
        kind = "text/html; charset=utf-8" if is_page else "application/json"
        headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
        if self.location:
            headers.append(("Location", self.location))
        start_response(f"{self.status} {STATUS[self.status]}", headers)
        return [content]


class SimulatedStripe:
    """``faults`` is for tests: (kind, part of the path), each used up by one request."""

    def __init__(self, *, api_key: str, state: State, payments: Payments) -> None:
        self.api_key = api_key
        self.state = state
        self.payments = payments
        self.faults: list[tuple[str, str]] = []
        self.log: list[Request] = []

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        request = Request.read(environ)
        if not request.path.startswith("/v1/"):
            return Answer(*page.answer(self, request)).send(start_response)
        self.log.append(request)
        fault = self._fault(request)
        if fault == "server_error":
            return refused(500, "api_error", "Something went wrong.").send(start_response)
        answer = self._once(request)
        if fault == "answer_lost":
            raise ConnectionDropped
        return answer.send(start_response)

    def _fault(self, request: Request) -> str:
        for place, (kind, part) in enumerate(self.faults):
            if part in request.path:
                del self.faults[place]
                return kind
        return ""

    def _once(self, request: Request) -> Answer:
        """The same idempotency key gives the same answer, and no other request may use it."""
        if request.authorization != f"Bearer {self.api_key}":
            return refused(401, "invalid_request_error", "Invalid API Key provided.")
        asked = f"{request.method} {request.path} {sorted(request.fields.items())}"
        with self.state.lock:
            earlier = request.idempotency_key and self.state.reply(request.idempotency_key)
            if earlier and earlier[0] != asked:
                return refused(400, "idempotency_error", "Keys can only be used once.")
            if earlier:
                return Answer(earlier[1], earlier[2])
            answer = self._route(request)
            if request.idempotency_key:
                self.state.keep_reply(request.idempotency_key, asked, answer.status, answer.body)
            return answer

    def _route(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix("/v1/").split("/"):
            case "POST", ["checkout", "sessions"]:
                if request.fields.get("mode") == "setup":
                    return self._create_setup(request)
                return self._create_session(request)
            case "GET", ["checkout", "sessions", session_id]:
                return self._found(self.payments.session(session_id), request)
            case "POST", ["checkout", "sessions", session_id, "expire"]:
                return self._expire(session_id)
            case "POST", ["payment_intents"]:
                return self._charge_saved(request)
            case "GET", ["payment_intents"]:
                return self._payment_intents(request)
            case "GET", ["payment_intents", intent_id]:
                return self._found(self.payments.intent(intent_id), request)
            case "GET", ["events"]:
                return self._events(request)
            case "POST", ["payment_methods", method_id, "detach"]:
                return self._detach(method_id)
        return refused(404, "invalid_request_error", "Unrecognized request URL.")

    def _create_session(self, request: Request) -> Answer:
        item = "line_items[0][price_data]"
        amount = request.fields.get(f"{item}[unit_amount]", "")
        if not re.fullmatch(r"[1-9]\d{0,7}", amount):
            return refused(400, "invalid_request_error", "Invalid integer: unit_amount")
        session = self.state.add(
            "checkout.session", "cs_test",
            {"amount_total": int(amount), "currency": request.fields[f"{item}[currency]"],
             "cancel_url": request.fields.get("cancel_url"),
             "client_reference_id": request.fields.get("client_reference_id"),
             "created": int(time.time()),
             "expires_at": int(request.fields.get("expires_at", time.time() + 86_400)),
             "intent_metadata": request.under("payment_intent_data[metadata]"),
             "livemode": False, "metadata": request.under("metadata"), "mode": "payment",
             "name": request.fields.get(f"{item}[product_data][name]", ""),
             "payment_intent": None, "payment_status": "unpaid", "status": "open",
             "success_url": request.fields["success_url"]},
        )  # fmt: skip
        session["url"] = f"{request.base}/pay/{session['id']}"
        self.state.save(session)
        return Answer(200, session)

    def _create_setup(self, request: Request) -> Answer:
        """A session that saves a card for later; its customer is made along with it."""
        if request.fields.get("payment_method_types[0]") != "card":
            return refused(400, "invalid_request_error", "Missing: payment_method_types")
        customer = self.state.add("customer", "cus", {"livemode": False})
        intent = self.state.add(
            "setup_intent", "seti",
            {"status": "requires_payment_method", "payment_method": None, "usage": "off_session",
             "customer": customer["id"], "metadata": request.under("setup_intent_data[metadata]")},
        )  # fmt: skip
        session = self.state.add(
            "checkout.session", "cs_test",
            {"cancel_url": request.fields.get("cancel_url"), "currency": None,
             "amount_total": None, "created": int(time.time()), "customer": customer["id"],
             "client_reference_id": request.fields.get("client_reference_id"),
             "expires_at": int(request.fields.get("expires_at", time.time() + 86_400)),
             "livemode": False, "metadata": request.under("metadata"), "mode": "setup",
             "payment_intent": None, "payment_status": "no_payment_required",
             "setup_intent": intent["id"], "status": "open",
             "success_url": request.fields["success_url"]},
        )  # fmt: skip
        session["url"] = f"{request.base}/pay/{session['id']}"
        self.state.save(session)
        return Answer(200, session)

    def _charge_saved(self, request: Request) -> Answer:
        fields = request.fields
        method = self.state.find(fields.get("payment_method", ""))
        if method is None or method["customer"] != fields.get("customer"):
            return refused(400, "invalid_request_error", "No such PaymentMethod")
        if (fields.get("confirm"), fields.get("off_session")) != ("true", "true"):
            return refused(400, "invalid_request_error", "Only off-session charges are simulated.")
        if not re.fullmatch(r"[1-9]\d{0,7}", fields.get("amount", "")):
            return refused(400, "invalid_request_error", "Invalid integer: amount")
        intent = self.payments.charge_saved(
            {"amount": int(fields["amount"]), "currency": fields["currency"],
             "customer": fields["customer"], "created": int(time.time()), "livemode": False,
             "description": fields.get("description"), "metadata": request.under("metadata")},
            method,
        )  # fmt: skip
        if intent["status"] == "requires_payment_method":
            error = {"type": "card_error", "message": "Your card has insufficient funds.",
                     "payment_intent": _shown(intent), **intent["last_payment_error"]}  # fmt: skip
            return Answer(402, {"error": error})
        return Answer(200, intent)

    def _payment_intents(self, request: Request) -> Answer:
        since = int(request.fields.get("created[gte]", 0))
        found = [
            _shown(intent)
            for intent in self.state.newest("payment_intent", 100)
            if intent.get("customer") == request.fields.get("customer")
            and intent.get("created", 0) >= since
        ]
        return Answer(200, {"object": "list", "data": found, "has_more": False,
                            "url": request.path})  # fmt: skip

    def _events(self, request: Request) -> Answer:
        """The newest first, page by page."""
        fields = request.fields
        types = {value for name, value in fields.items() if name.startswith("types[")}
        found = [
            event
            for event in self.state.newest("event", 10_000)
            if event["type"] in types and event["created"] >= int(fields.get("created[gte]", 0))
        ]
        ids = [event["id"] for event in found]
        begin = ids.index(fields["starting_after"]) + 1 if "starting_after" in fields else 0
        end = begin + int(fields.get("limit", 10))
        return Answer(200, {"object": "list", "data": found[begin:end],
                            "has_more": end < len(found), "url": request.path})  # fmt: skip

    def _detach(self, method_id: str) -> Answer:
        method = self.state.find(method_id)
        if method is None or method["customer"] is None:
            return refused(400, "invalid_request_error", "The payment method is not attached.")
        method["customer"] = None
        self.state.save(method)
        return Answer(200, method)

    def _expire(self, session_id: str) -> Answer:
        session = self.payments.session(session_id)
        if session is None:
            return refused(404, "invalid_request_error", "No such checkout.session")
        if session["status"] != "open":
            return refused(400, "invalid_request_error", "Only open sessions can be expired.")
        return Answer(200, self.payments.expire(session))

    def _found(self, thing: dict[str, Any] | None, request: Request) -> Answer:
        """With what ``expand[]`` asks for in full."""
        if thing is None:
            return refused(404, "invalid_request_error", "No such object")
        for name, value in request.fields.items():
            if name.startswith("expand["):
                thing = self._expanded(thing, value.split("."))
        return Answer(200, thing)

    def _expanded(self, thing: dict[str, Any], path: list[str]) -> dict[str, Any]:
        """``["setup_intent", "payment_method"]`` puts both in the place of their ids."""
        if not path or not thing.get(path[0]):
            return thing
        inner = thing[path[0]]
        found = self.state.find(inner) if isinstance(inner, str) else inner
        return thing | {path[0]: self._expanded(_shown(found or {}), path[1:])}


def refused(status: int, kind: str, message: str) -> Answer:
    return Answer(status, {"error": {"type": kind, "message": message}})


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in HIDDEN}
