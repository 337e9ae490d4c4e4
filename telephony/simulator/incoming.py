"""IncomingPhoneNumbers: buy, list, fetch, update, release."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from telephony.simulator import inventory
from telephony.simulator.countries import Stock
from telephony.simulator.state import State, Taken, now
from telephony.simulator.wire import Answer, Refused, Request, not_found

# Form name → key of the object. What is unset is an empty string, methods are POST.
SETTABLE = {
    "FriendlyName": "friendly_name", "VoiceUrl": "voice_url", "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url", "VoiceFallbackMethod": "voice_fallback_method",
    "VoiceCallerIdLookup": "voice_caller_id_lookup",
    "VoiceApplicationSid": "voice_application_sid", "VoiceReceiveMode": "voice_receive_mode",
    "SmsUrl": "sms_url", "SmsMethod": "sms_method", "SmsFallbackUrl": "sms_fallback_url",
    "SmsFallbackMethod": "sms_fallback_method", "SmsApplicationSid": "sms_application_sid",
    "StatusCallback": "status_callback", "StatusCallbackMethod": "status_callback_method",
    "TrunkSid": "trunk_sid", "AddressSid": "address_sid", "IdentitySid": "identity_sid",
    "BundleSid": "bundle_sid", "EmergencyStatus": "emergency_status",
    "EmergencyAddressSid": "emergency_address_sid", "ApiVersion": "api_version",
}  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "address_sid": None, "api_version": "2010-04-01", "beta": False, "bundle_sid": None,
    "emergency_address_sid": None, "emergency_address_status": "unregistered",
    "emergency_status": "Inactive", "identity_sid": None, "origin": "twilio",
    "sms_application_sid": "", "sms_fallback_method": "POST", "sms_fallback_url": "",
    "sms_method": "POST", "sms_url": "", "status": "in-use", "status_callback": "",
    "status_callback_method": "POST", "trunk_sid": None, "voice_application_sid": None,
    "voice_caller_id_lookup": False, "voice_fallback_method": "POST", "voice_fallback_url": None,
    "voice_method": "POST", "voice_receive_mode": "voice", "voice_url": None,
}  # fmt: skip
KINDS = {"Local": "local", "TollFree": "toll_free", "Mobile": "mobile"}
MOST_PER_PAGE = 1000


def create(request: Request, account: str, state: State, kind: str = "") -> Answer:
    """Buy ``PhoneNumber``. One that the account owns is answered like a purchase, with 201."""
    number = request.get("PhoneNumber")
    if kind and not number:
        raise Refused(400, 21457, "PhoneNumber is required; AreaCode is not supported here")
    if not number:
        number = _any_in(request.get("AreaCode"), state)
    e164 = "+" + re.sub(r"\D", "", number) if len(number) > 5 else number
    fields = _fields(request, {})
    owned = {row["phone_number"] for row in state.owned(account)}
    item = inventory.lookup(e164)
    if e164 not in owned:
        if not re.fullmatch(r"\+[1-9]\d{6,14}", e164):
            raise Refused(400, 21421, f"{number} is not a valid number")
        if item is None:
            raise Refused(400, 21422, f"{e164} is not available")
        if kind and KINDS.get(kind) != item.stock.kind:
            raise Refused(400, 21458, f"{e164} is not a {kind} number")
        _require(request, item.stock)
    if item is not None:
        fields = _about(item) | fields
    price = item.stock.price if item else Decimal(0)  # seeded, not from a shelf
    try:
        sid = state.buy(account, e164, fields, price)
    except Taken:
        raise Refused(400, 21422, f"{e164} is not available") from None
    return Answer(201, show(account, state.fetch(account, sid) or {}))


def _any_in(area_code: str, state: State) -> str:
    gone = state.unavailable()
    for country in ("US", "CA"):
        for item in inventory.shelf(country, "local", area_code or "none"):
            if item.e164 not in gone:
                return item.e164
    raise Refused(400, 21452, "No phone numbers found")


def _require(request: Request, stock: Stock) -> None:
    if stock.address != "none" and not re.fullmatch(r"AD[0-9a-f]{32}", request.get("AddressSid")):
        if stock.address == "local":
            raise Refused(400, 21615, "Phone Number Requires a Local Address")
        raise Refused(
            400, 21631,
            "Phone Number Requires an Address but the 'AddressSid' parameter was empty.",
        )  # fmt: skip
    if stock.needs_bundle and not re.fullmatch(r"BU[0-9a-f]{32}", request.get("BundleSid")):
        raise Refused(
            400, 21649,
            "To purchase or transfer this number you must provide a bundle compliant with the "
            "rules for the country and number type.",
        )  # fmt: skip


def _about(item: inventory.Item) -> dict[str, Any]:
    able = item.stock.capabilities
    return {
        **DEFAULTS,
        "address_requirements": item.stock.address,
        "capabilities": {name: name in able for name in ("voice", "sms", "mms", "fax")},
        "friendly_name": inventory.friendly_name(item.e164),
        "type": item.stock.kind.replace("_", "-"),
        "date_updated": now(),
    }


def _fields(request: Request, known: dict[str, Any]) -> dict[str, Any]:
    """What the form sets, checked against what is set already."""
    fields: dict[str, Any] = {
        key: request.get(name) for name, key in SETTABLE.items() if name in request.fields
    }
    if "voice_caller_id_lookup" in fields:
        fields["voice_caller_id_lookup"] = fields["voice_caller_id_lookup"] == "true"
    if len(fields.get("friendly_name", "")) > 64:
        raise Refused(400, 21403, "FriendlyName is too long")
    after = known | fields
    if after.get("voice_fallback_url") and not after.get("voice_url"):
        raise Refused(400, 21405, "VoiceFallbackUrl was set without VoiceUrl")
    if after.get("sms_fallback_url") and not after.get("sms_url"):
        raise Refused(400, 21406, "SmsFallbackUrl was set without SmsUrl")
    if fields.get("voice_application_sid"):
        fields["trunk_sid"] = None
    elif fields.get("trunk_sid"):
        fields["voice_application_sid"] = None
    return fields


def listing(request: Request, account: str, state: State) -> Answer:
    size = int(request.get("PageSize") or 50)
    if size > MOST_PER_PAGE:
        raise Refused(400, 20007, "Page size too large")
    rows = [row for row in state.owned(account) if _fits(row, request)]
    page = int(request.get("Page") or 0)
    token = request.get("PageToken").removeprefix("PA")
    start = next((i + 1 for i, row in enumerate(rows) if row["sid"] == token), page * size)
    shown = rows[start : start + size]
    path = f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json"

    def uri(number: int, after: str = "") -> str:
        query = {name: values[-1] for name, values in request.fields.items()}
        query |= {"PageSize": str(size), "Page": str(number)}
        query.pop("PageToken", None)
        return f"{path}?{urlencode(query | ({'PageToken': f'PA{after}'} if after else {}))}"

    more = len(rows) > start + size
    return Answer(
        200,
        {
            "incoming_phone_numbers": [show(account, row) for row in shown],
            "page": page,
            "page_size": size,
            "start": start,
            "end": start + max(len(shown) - 1, 0),
            "uri": request.path + (f"?{request.query_string}" if request.query_string else ""),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1, shown[-1]["sid"]) if more else None,
            "previous_page_uri": uri(page - 1) if page else None,
        },
    )


def _fits(row: dict[str, Any], request: Request) -> bool:
    if wanted := request.get("PhoneNumber"):
        pattern = re.sub(r"[^0-9*]", "", wanted).replace("*", r"\d")
        if not re.search(pattern, row["phone_number"]):
            return False
    name, origin = request.get("FriendlyName"), request.get("Origin")
    return (not name or row["friendly_name"] == name) and (not origin or row["origin"] == origin)


def fetch(request: Request, account: str, sid: str, state: State) -> Answer:
    row = state.fetch(account, sid)
    if row is None:
        raise not_found(request.path)
    return Answer(200, show(account, row))


def update(request: Request, account: str, sid: str, state: State) -> Answer:
    known = state.fetch(account, sid)
    if known is None:
        raise not_found(request.path)
    state.update(account, sid, _fields(request, known))
    return Answer(200, show(account, state.fetch(account, sid) or {}))


def delete(request: Request, account: str, sid: str, state: State) -> Answer:
    row = state.fetch(account, sid)
    if row is not None and row.get("emergency_address_status") == "registered":
        # That it is refused is documented (help article 223183028); the code is not.
        raise Refused(400, 20001, "The number has a registered emergency address")
    if not state.release(account, sid):
        raise not_found(request.path)
    return Answer(204)


def show(account: str, row: dict[str, Any]) -> dict[str, Any]:
    """The object on the wire, all of its 35 keys."""
    return {
        **DEFAULTS,
        "address_requirements": "none",
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        "type": "local",
        "date_updated": row.get("date_created"),
        **row,
        "account_sid": account,
        "uri": f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{row['sid']}.json",
    }
