"""messaging.twilio.com, version 1: Services, and the numbers in the sender pool of each."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from lib.e164 import country_of
from telephony.simulator.faults import Fault
from telephony.simulator.incoming import show as show_number
from telephony.simulator.lists import meta_page_of
from telephony.simulator.state import State
from telephony.simulator.wire import Answer, Refused, Request, not_found

HOST = "messaging.twilio.com"
BASE = f"https://{HOST}/v1/Services"
Route = tuple[str, str, str, Callable[..., Answer]]
# Form name → key of the object.
SETTABLE = {
    "FriendlyName": "friendly_name", "InboundRequestUrl": "inbound_request_url",
    "InboundMethod": "inbound_method", "FallbackUrl": "fallback_url",
    "FallbackMethod": "fallback_method", "StatusCallback": "status_callback",
    "Usecase": "usecase", "UseInboundWebhookOnNumber": "use_inbound_webhook_on_number",
}  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "area_code_geomatch": True, "fallback_method": "POST", "fallback_to_long_code": True,
    "fallback_url": None, "inbound_method": "POST", "inbound_request_url": None,
    "mms_converter": True, "scan_message_content": "inherit", "smart_encoding": True,
    "status_callback": None, "sticky_sender": True, "synchronous_validation": False,
    "us_app_to_person_registered": False, "use_inbound_webhook_on_number": False,
    "usecase": "undeclared", "validity_period": 36000,
}  # fmt: skip
LINKS = {
    "alpha_senders": "AlphaSenders", "channel_senders": "ChannelSenders",
    "destination_alpha_senders": "DestinationAlphaSenders", "messages": "Messages",
    "phone_numbers": "PhoneNumbers", "short_codes": "ShortCodes",
    "us_app_to_person": "Compliance/Usa2p",
    "us_app_to_person_usecases": "Compliance/Usa2p/Usecases",
}  # fmt: skip
CAPABILITIES = {"voice": "Voice", "sms": "SMS", "mms": "MMS"}


class Services:
    """The endpoints, each with the request first."""

    def __init__(self, account: str, state: State) -> None:
        self.account, self.state = account, state

    def routes(self) -> list[Route]:
        one = "/v1/Services/(?P<service>MG[0-9a-f]{32})"
        senders, sender = f"{one}/PhoneNumbers", f"{one}/PhoneNumbers/(?P<sid>PN[0-9a-f]{{32}})"
        return [
            ("POST", HOST, "/v1/Services", self.create),
            ("GET", HOST, "/v1/Services", self.listing),
            ("GET", HOST, one, self.fetch),
            ("POST", HOST, one, self.update),
            ("DELETE", HOST, one, self.delete),
            ("GET", HOST, senders, self.list_senders),
            ("POST", HOST, senders, self.add_sender),
            ("GET", HOST, sender, self.fetch_sender),
            ("DELETE", HOST, sender, self.remove_sender),
        ]

    def create(self, r: Request, f: Fault | None) -> Answer:
        if not r.get("FriendlyName"):
            raise Refused(400, 20001, "Missing required parameter FriendlyName in the post body")
        sid = self.state.add_service(_fields(r) | {"date_created": _moment()})
        return Answer(201, self._show(self._known(r, sid)))

    def listing(self, r: Request, f: Fault | None) -> Answer:
        return meta_page_of(r, "services", self.state.services(), self._show, BASE, {})

    def fetch(self, r: Request, f: Fault | None, service: str) -> Answer:
        return Answer(200, self._show(self._known(r, service)))

    def update(self, r: Request, f: Fault | None, service: str) -> Answer:
        self.state.change_service(service, self._known(r, service) | _fields(r))
        return self.fetch(r, f, service)

    def delete(self, r: Request, f: Fault | None, service: str) -> Answer:
        self._known(r, service)
        self.state.remove_service(service)
        return Answer(204)

    def list_senders(self, r: Request, f: Fault | None, service: str) -> Answer:
        self._known(r, service)
        rows, base = self.state.senders(self.account, service), f"{BASE}/{service}/PhoneNumbers"
        show = partial(self._show_sender, service)
        return meta_page_of(r, "phone_numbers", rows, show, base, {})

    def add_sender(self, r: Request, f: Fault | None, service: str) -> Answer:
        self._known(r, service)
        number = self.state.fetch(self.account, r.get("PhoneNumberSid"))
        if number is None:
            raise not_found(r.path)
        held_by = self.state.service_of(number["sid"])
        if held_by == service:
            raise Refused(409, 21710, "Phone Number or Short Code is already in the service")
        if held_by:
            raise Refused(409, 21712, "Phone Number or Short Code is in another service")
        self.state.join(service, number["sid"], _moment())
        return Answer(201, self._show_sender(service, self._sender(r, service, number["sid"])))

    def fetch_sender(self, r: Request, f: Fault | None, service: str, sid: str) -> Answer:
        return Answer(200, self._show_sender(service, self._sender(r, service, sid)))

    def remove_sender(self, r: Request, f: Fault | None, service: str, sid: str) -> Answer:
        self._sender(r, service, sid)
        self.state.leave(sid)
        return Answer(204)

    def _known(self, request: Request, service: str) -> dict[str, Any]:
        fields = self.state.service(service)
        if fields is None:
            raise not_found(request.path)
        return fields

    def _sender(self, request: Request, service: str, sid: str) -> dict[str, Any]:
        rows = self.state.senders(self.account, service, sid)
        if not rows:
            raise not_found(request.path)
        return rows[0]

    def _show(self, fields: dict[str, Any]) -> dict[str, Any]:
        url = f"{BASE}/{fields['sid']}"
        return {
            **DEFAULTS, "date_updated": fields["date_created"], **fields,
            "account_sid": self.account, "url": url,
            "links": {name: f"{url}/{path}" for name, path in LINKS.items()},
        }  # fmt: skip

    def _show_sender(self, service: str, row: dict[str, Any]) -> dict[str, Any]:
        able = show_number(self.account, row)["capabilities"]
        return {
            "account_sid": self.account, "service_sid": service, "sid": row["sid"],
            "phone_number": row["phone_number"], "country_code": country_of(row["phone_number"]),
            "capabilities": [label for name, label in CAPABILITIES.items() if able.get(name)],
            "date_created": row["joined_at"], "date_updated": row["joined_at"],
            "url": f"{BASE}/{service}/PhoneNumbers/{row['sid']}",
        }  # fmt: skip


def receiver(number: dict[str, Any], state: State) -> dict[str, str]:
    """Where the messages of a number are sent: to its service, unless that defers to the
    number. ``url`` is empty where they are dropped.
    """
    sid = state.service_of(number["sid"])
    service = DEFAULTS | (state.service(sid) or {})
    if not sid or service["use_inbound_webhook_on_number"]:
        addresses = number.get("sms_url"), number.get("sms_fallback_url")
    else:
        addresses = service["inbound_request_url"], service["fallback_url"]
    return {"url": addresses[0] or "", "fallback": addresses[1] or "", "service": sid}


def _fields(request: Request) -> dict[str, Any]:
    fields: dict[str, Any] = {
        key: request.get(name) for name, key in SETTABLE.items() if name in request.fields
    }
    for key, value in fields.items():
        if key.endswith(("_url", "_callback")) and value and not re.match(r"https?://", value):
            raise Refused(400, 21402, f"{value} is not a valid URL")
    if "use_inbound_webhook_on_number" in fields:
        asked = fields["use_inbound_webhook_on_number"]
        fields["use_inbound_webhook_on_number"] = asked.lower() == "true"
    return fields


def _moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
