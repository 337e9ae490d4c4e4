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


def service_routes(account: str, state: State) -> list[Route]:
    one = "/v1/Services/(?P<service>MG[0-9a-f]{32})"
    senders, sender = f"{one}/PhoneNumbers", f"{one}/PhoneNumbers/(?P<sid>PN[0-9a-f]{{32}})"

    def known(r: Request, service: str) -> dict[str, Any]:
        fields = state.service(service)
        if fields is None:
            raise not_found(r.path)
        return fields

    def create(r: Request, f: Fault | None) -> Answer:
        if not r.get("FriendlyName"):
            raise Refused(400, 20001, "Missing required parameter FriendlyName in the post body")
        sid = state.add_service(_fields(r) | {"date_created": _moment()})
        return Answer(201, _show(account, known(r, sid)))

    def listing(r: Request, f: Fault | None) -> Answer:
        show = partial(_show, account)
        return meta_page_of(r, "services", state.services(), show, BASE, {})

    def update(r: Request, f: Fault | None, service: str) -> Answer:
        state.change_service(service, known(r, service) | _fields(r))
        return Answer(200, _show(account, known(r, service)))

    def delete(r: Request, f: Fault | None, service: str) -> Answer:
        known(r, service)
        state.remove_service(service)
        return Answer(204)

    def show_sender(service: str, row: dict[str, Any]) -> dict[str, Any]:
        return _show_sender(account, service, row)

    def list_senders(r: Request, f: Fault | None, service: str) -> Answer:
        known(r, service)
        rows, base = state.senders(account, service), f"{BASE}/{service}/PhoneNumbers"
        return meta_page_of(r, "phone_numbers", rows, partial(show_sender, service), base, {})

    def add_sender(r: Request, f: Fault | None, service: str) -> Answer:
        known(r, service)
        number = state.fetch(account, r.get("PhoneNumberSid"))
        if number is None:
            raise not_found(r.path)
        held_by = state.service_of(number["sid"])
        if held_by == service:
            raise Refused(409, 21710, "Phone Number or Short Code is already in the service")
        if held_by:
            raise Refused(409, 21712, "Phone Number or Short Code is in another service")
        state.join(service, number["sid"], _moment())
        return Answer(201, show_sender(service, number | {"joined_at": _moment()}))

    def one_sender(r: Request, service: str, sid: str) -> dict[str, Any]:
        rows = state.senders(account, service, sid)
        if not rows:
            raise not_found(r.path)
        return rows[0]

    def fetch_sender(r: Request, f: Fault | None, service: str, sid: str) -> Answer:
        return Answer(200, show_sender(service, one_sender(r, service, sid)))

    def remove_sender(r: Request, f: Fault | None, service: str, sid: str) -> Answer:
        one_sender(r, service, sid)
        state.leave(sid)
        return Answer(204)

    return [
        ("POST", HOST, "/v1/Services", create),
        ("GET", HOST, "/v1/Services", listing),
        ("GET", HOST, one, lambda r, f, service: Answer(200, _show(account, known(r, service)))),
        ("POST", HOST, one, update),
        ("DELETE", HOST, one, delete),
        ("GET", HOST, senders, list_senders),
        ("POST", HOST, senders, add_sender),
        ("GET", HOST, sender, fetch_sender),
        ("DELETE", HOST, sender, remove_sender),
    ]


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


def _show(account: str, fields: dict[str, Any]) -> dict[str, Any]:
    url = f"{BASE}/{fields['sid']}"
    return {
        **DEFAULTS, "date_updated": fields["date_created"], **fields, "account_sid": account,
        "url": url, "links": {name: f"{url}/{path}" for name, path in LINKS.items()},
    }  # fmt: skip


def _show_sender(account: str, service: str, row: dict[str, Any]) -> dict[str, Any]:
    able = show_number(account, row)["capabilities"]
    return {
        "account_sid": account, "service_sid": service, "sid": row["sid"],
        "phone_number": row["phone_number"], "country_code": country_of(row["phone_number"]),
        "capabilities": [label for name, label in CAPABILITIES.items() if able.get(name)],
        "date_created": row["joined_at"], "date_updated": row["joined_at"],
        "url": f"{BASE}/{service}/PhoneNumbers/{row['sid']}",
    }  # fmt: skip


def _moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
