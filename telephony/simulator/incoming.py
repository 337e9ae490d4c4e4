"""IncomingPhoneNumbers: buy, list, fetch, update, release."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from telephony.simulator import inventory
from telephony.simulator.countries import Stock
from telephony.simulator.state import State, Taken, Wanted, now
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
CAPABILITIES = {"voice": True, "sms": True, "mms": False, "fax": False}
KINDS = {"Local": "local", "TollFree": "toll_free", "Mobile": "mobile"}
URLS = (
    "voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url", "status_callback",
)  # fmt: skip
PER_PAGE = 50
LONGEST_NAME = 64


def create(request: Request, account: str, state: State, kind: str = "") -> Answer:
    """Buy ``PhoneNumber``. One that the account owns is answered like a purchase, with 201,
    and takes over what the form sets.
    """
    e164 = _which(request, state, kind)
    known, about, price = state.find(account, e164), {}, Decimal(0)
    if known is None:
        item = inventory.lookup(e164)
        # Not free, and ours: bought by another request since it was looked for above.
        if item is None or not (state.is_free(e164) or state.find(account, e164)):
            raise _not_available(e164)
        if kind and KINDS[kind] != item.stock.kind:
            raise Refused(400, 21458, f"{e164} is not a {kind} number")
        _require(request, item.stock)
        about, price = _about(item), item.stock.price
    fields = _fields(request, known or about)
    try:
        sid = state.buy(account, e164, fields, price, about)
    except Taken:  # by somebody else, in between
        raise _not_available(e164) from None
    shown = show(account, state.fetch(account, sid) or {})
    if kind:  # as published: the lists of one type do not repeat it
        del shown["type"]
    return Answer(201, shown)


def _which(request: Request, state: State, kind: str) -> str:
    """The number that is asked for, in E.164."""
    number, area_code = request.get("PhoneNumber"), request.get("AreaCode")
    if kind and area_code:
        raise Refused(400, 21457, f"AreaCode is not supported for {kind} numbers")
    if not number and area_code:
        return _any_in(area_code, state)
    digits = re.sub(r"[\s().-]", "", number)
    e164 = digits if digits.startswith("+") else f"+{digits}"
    if not inventory.is_possible(e164):
        raise Refused(400, 21421, f"{number} is not a valid number")
    return e164


def _any_in(area_code: str, state: State) -> str:
    if not re.fullmatch(r"[2-9][0-9]{2}", area_code, re.ASCII):
        raise Refused(400, 21451, f"{area_code} is not a valid area code")
    for country in ("US", "CA"):
        for item in inventory.shelf(country, "local", area_code):
            if state.is_free(item.e164):
                return item.e164
    raise Refused(400, 21452, "No phone numbers found")


def _not_available(e164: str) -> Refused:
    return Refused(400, 21422, f"{e164} is not available")


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
    """What is kept of a new number: what differs from ``DEFAULTS``."""
    able = item.stock.capabilities
    return {
        "address_requirements": item.stock.address,
        "capabilities": {name: name in able for name in CAPABILITIES},
        "friendly_name": inventory.friendly_name(item.e164),
        "type": item.stock.kind.replace("_", "-"),
        "date_updated": now(),
        "phone_number": item.e164,
    }


def _fields(request: Request, known: dict[str, Any]) -> dict[str, Any]:
    """What the form sets, checked against what is set already."""
    fields: dict[str, Any] = {
        key: request.get(name) for name, key in SETTABLE.items() if name in request.fields
    }
    if "voice_caller_id_lookup" in fields:
        fields["voice_caller_id_lookup"] = fields["voice_caller_id_lookup"] == "true"
    _check(fields, known)
    if fields.get("voice_application_sid"):
        fields["trunk_sid"] = None
    elif fields.get("trunk_sid"):
        fields["voice_application_sid"] = None
    return fields


def _check(fields: dict[str, Any], known: dict[str, Any]) -> None:
    """Each field for itself, then with the others, then with what the number can do."""
    if len(fields.get("friendly_name", "")) > LONGEST_NAME:
        raise Refused(400, 20002, "FriendlyName is too long")
    for key, value in fields.items():
        if key in URLS and value and not re.match(r"https?://[^/\s]+", value):
            raise Refused(400, 21402, f"{value} is not a valid URL")
        if key.endswith("_method") and value not in ("GET", "POST"):
            raise Refused(400, 21403, f"{value} is not a valid method")
    after = known | fields
    if after.get("voice_fallback_url") and not after.get("voice_url"):
        raise Refused(400, 21405, "VoiceFallbackUrl was set without VoiceUrl")
    if after.get("sms_fallback_url") and not after.get("sms_url"):
        raise Refused(400, 21406, "SmsFallbackUrl was set without SmsUrl")
    able = known.get("capabilities", CAPABILITIES)
    texts = fields.get("sms_url") or fields.get("sms_application_sid")
    if texts and not (able["sms"] or able["mms"]):
        raise Refused(400, 21407, "This Phone Number type does not support SMS or MMS")
    lookup = fields.get("voice_caller_id_lookup")
    if lookup and not known.get("phone_number", "+1").startswith("+1"):
        raise Refused(400, 21409, "VoiceCallerIdLookup cannot be set for this phone number")


def listing(request: Request, account: str, state: State) -> Answer:
    """One page. Pages are told apart by the number before or after them, as Twilio does it,
    so that no page is counted off from the first one.
    """
    size, page = request.page_size(PER_PAGE), request.whole_number("Page", 0)
    token = request.get("PageToken")
    direction, sid = token[:2], token[2:]
    if token and direction not in ("PA", "PB"):
        raise Refused(400, 20001, "PageToken is not valid")
    wanted = Wanted(request.get("PhoneNumber"), request.get("FriendlyName"), request.get("Origin"))
    try:
        rows = state.page(
            account, wanted, size=size + 1,
            after=sid if direction == "PA" else "", before=sid if direction == "PB" else "",
        )  # fmt: skip
    except KeyError:
        raise Refused(400, 20001, "PageToken is not valid") from None
    shown = rows[-size:] if direction == "PB" else rows[:size]
    more = direction == "PB" or len(rows) > size
    path = f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json"

    def uri(number: int, token: str = "") -> str:
        query = {name: values[-1] for name, values in request.fields.items()}
        query |= {"PageSize": str(size), "Page": str(number), "PageToken": token}
        return f"{path}?{urlencode({k: v for k, v in query.items() if v})}"

    start = page * size
    return Answer(
        200,
        {
            "incoming_phone_numbers": [show(account, row) for row in shown],
            "page": page,
            "page_size": size,
            "start": start,
            "end": start + max(len(shown) - 1, 0),
            "uri": request.uri,
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1, f"PA{shown[-1]['sid']}") if more and shown else None,
            "previous_page_uri": uri(page - 1, f"PB{shown[0]['sid']}") if page and shown else None,
        },
    )


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
        "capabilities": CAPABILITIES,
        "type": "local",
        "friendly_name": inventory.friendly_name(row["phone_number"]),
        "date_updated": row.get("date_created"),
        **row,
        "account_sid": account,
        "uri": f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{row['sid']}.json",
    }
