"""Test credentials: the documented magic numbers, no state, no charge."""

import re
import secrets
from typing import Any

from telephony.simulator import incoming
from telephony.simulator.state import now
from telephony.simulator.wire import Answer, Refused, Request

OK = "+15005550006"
MESSAGE_FROM = {
    "+15005550001": (21212, "The 'From' number {} is not a valid phone number, shortcode, or "
                            "alphanumeric sender ID."),
    "+15005550008": (21611, "SMS queue is full."),
}  # fmt: skip
NOT_OUR_SENDER = (
    21606,
    "The From phone number {} is not a valid, SMS-capable inbound phone number or short code "
    "for your account.",
)
MESSAGE_TO = {
    "+15005550001": (21211, "The 'To' number {} is not a valid phone number."),
    "+15005550002": (21612, "The 'To' phone number: {}, is not currently reachable using the "
                            "'From' phone number via SMS."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region "
                            "indicated by the 'To' number: {}."),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "To number: {}, is not a mobile number"),
}  # fmt: skip
CALL_FROM_INVALID = (
    21212,
    "The 'From' number {} is not a valid phone number, shortcode, or alphanumeric sender ID.",
)
NOT_OUR_CALLER = (
    21210,
    "The source phone number provided, {}, is not yet verified for your account. You may only "
    "make calls from phone numbers that you've verified or purchased from Twilio.",
)
CALL_TO = {
    "+15005550001": (21217, "Phone number {} is not valid"),
    "+15005550002": (21214, "'To' phone number {} cannot be reached"),
    "+15005550003": (21215, "Account not authorized to call {}. Perhaps you need to enable some "
                            "international permissions"),
    "+15005550004": (21216, "Account not allowed to call {}"),
}  # fmt: skip


def answer(request: Request, account: str) -> Answer:
    """Anything but the three supported endpoints is refused with 20008."""
    match = re.fullmatch(r"/2010-04-01/Accounts/[^/]+/(\w+)\.json", request.path)
    endpoint = match[1] if match and request.method == "POST" else ""
    make = {"IncomingPhoneNumbers": _number, "Messages": _message, "Calls": _call}.get(endpoint)
    if make is None or "MessagingServiceSid" in request.fields:
        raise Refused(403, 20008, "Resource not accessible with Test Account Credentials")
    return Answer(201, make(request, account))


def _refuse(code: int, message: str, number: str) -> None:
    raise Refused(400, code, message.format(number))


def _number(request: Request, account: str) -> dict[str, Any]:
    number, area_code = request.get("PhoneNumber"), request.get("AreaCode")
    if number == "+15005550000":
        _refuse(21422, "{} is not available", number)
    if number and number != OK:
        _refuse(21421, "{} is not a valid number", number)
    if not number and area_code != "500":
        _refuse(21452, "No phone numbers found", number)
    return incoming.show(
        account,
        {
            "sid": _sid("PN"),
            "phone_number": OK,
            "friendly_name": request.get("FriendlyName") or "(500) 555-0006",
            "capabilities": {"voice": False, "sms": False, "mms": False, "fax": False},
            "date_created": now(),
        }
        | {
            key: request.get(name)
            for name, key in incoming.SETTABLE.items()
            if name in request.fields and key != "friendly_name"
        },
    )


def _message(request: Request, account: str) -> dict[str, Any]:
    sender, to, body = request.get("From"), request.get("To"), request.get("Body")
    if sender in MESSAGE_FROM:
        _refuse(*MESSAGE_FROM[sender], sender)
    if sender != OK:
        _refuse(*NOT_OUR_SENDER, sender)
    if to in MESSAGE_TO:
        _refuse(*MESSAGE_TO[to], to)
    if not body and "MediaUrl" not in request.fields:
        _refuse(21602, "Message body is required.", "")
    sid = _sid("SM")
    uri = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
    return {
        "account_sid": account, "api_version": "2010-04-01", "body": body,
        "date_created": now(), "date_sent": None, "date_updated": now(),
        "direction": "outbound-api", "error_code": None, "error_message": None, "from": sender,
        "messaging_service_sid": None, "num_media": "0", "num_segments": "1", "price": None,
        "price_unit": "USD", "sid": sid, "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"}, "to": to, "uri": f"{uri}.json",
    }  # fmt: skip


def _call(request: Request, account: str) -> dict[str, Any]:
    sender, to = request.get("From"), request.get("To")
    if sender == "+15005550001":
        _refuse(*CALL_FROM_INVALID, sender)
    if sender != OK:
        _refuse(*NOT_OUR_CALLER, sender)
    if to in CALL_TO:
        _refuse(*CALL_TO[to], to)
    sid = _sid("CA")
    return {
        "account_sid": account, "answered_by": None, "api_version": "2010-04-01",
        "caller_name": None, "date_created": None, "date_updated": None,
        "direction": "outbound-api", "duration": None, "end_time": None, "forwarded_from": None,
        "from": sender, "from_formatted": sender, "group_sid": None, "parent_call_sid": None,
        "phone_number_sid": _sid("PN"), "price": None, "price_unit": "USD", "queue_time": "0",
        "sid": sid, "start_time": None, "status": "queued", "subresource_uris": {}, "to": to,
        "to_formatted": to, "trunk_sid": None,
        "uri": f"/2010-04-01/Accounts/{account}/Calls/{sid}.json",
    }  # fmt: skip


def _sid(letters: str) -> str:
    return letters + secrets.token_hex(16)
