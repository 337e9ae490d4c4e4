"""Calls: place, list, fetch, update; and recordings."""

import re
from typing import Any

from telephony.simulator.exchange import Exchange
from telephony.simulator.inventory import friendly_name
from telephony.simulator.lists import in_time, page_of
from telephony.simulator.live_call import Event
from telephony.simulator.wire import Answer, Refused, Request, not_found

LONGEST_TWIML = 4096


def create(request: Request, exchange: Exchange) -> Answer:
    caller, called = request.get("From"), request.get("To")
    if not re.fullmatch(r"\+[1-9]\d{6,14}", called):
        raise Refused(400, 21217, f"Phone number {called} is not valid")
    if not exchange.owns(caller):
        raise Refused(
            400, 21210,
            f"The source phone number provided, {caller}, is not yet verified for your account. "
            "You may only make calls from phone numbers that you've verified or purchased from "
            "Twilio.",
        )  # fmt: skip
    if not any(request.get(name) for name in ("Url", "Twiml", "ApplicationSid")):
        raise Refused(400, 21205, "Url parameter is required")
    if len(request.get("Twiml")) > LONGEST_TWIML:
        raise Refused(400, 21218, "The TwiML is too long")
    fields = {name: values[-1] for name, values in request.fields.items()}
    call = exchange.place(
        caller=caller, called=called, request=fields,
        events=request.fields.get("StatusCallbackEvent", []),
    )  # fmt: skip
    return Answer(201, show(exchange.account, exchange.traffic.fetch("call", call.sid) or {}))


def listing(request: Request, exchange: Exchange) -> Answer:
    rows = [
        row
        for row in exchange.traffic.newest_first("call")
        if request.get("To") in ("", row["to"])
        and request.get("From") in ("", row["from"])
        and request.get("Status") in ("", row["status"])
        and request.get("ParentCallSid") in ("", row.get("parent_call_sid"))
        and in_time(request, "StartTime", row["start_time"])
    ]
    return page_of(request, "calls", rows, lambda row: show(exchange.account, row))


def fetch(request: Request, exchange: Exchange, sid: str) -> Answer:
    row = exchange.traffic.fetch("call", sid)
    if row is None:
        raise not_found(request.path)
    return Answer(200, show(exchange.account, row))


def update(request: Request, exchange: Exchange, sid: str) -> Answer:
    """End a call."""
    call = exchange.calls.get(sid)
    if call is None or call.over:
        if exchange.traffic.fetch("call", sid) is None:
            raise not_found(request.path)
        raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
    if request.get("Status") in ("completed", "canceled"):
        exchange.tell(call, Event("hangup"))
    return fetch(request, exchange, sid)


def recordings(request: Request, exchange: Exchange, sid: str) -> Answer:
    """What was recorded in a call, newest first."""
    call = exchange.traffic.fetch("call", sid)
    if call is None:
        raise not_found(request.path)
    base = f"/2010-04-01/Accounts/{exchange.account}/Calls/{sid}/Recordings"

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        return {
            "account_sid": exchange.account, "api_version": "2010-04-01", "call_sid": sid,
            "channels": 1, "conference_sid": None, "date_created": call["date_updated"],
            "date_updated": call["date_updated"], "duration": str(row["seconds"]),
            "encryption_details": None, "error_code": None, "price": None, "price_unit": "USD",
            "sid": row["sid"], "source": "RecordVerb", "start_time": call["date_updated"],
            "status": "completed", "track": "both", "uri": f"{base}/{row['sid']}.json",
        }  # fmt: skip

    rows = [dict(row) for row in exchange.traffic.recordings_of(sid)]
    return page_of(request, "recordings", rows, shown)


def recording(request: Request, exchange: Exchange, sid: str) -> Answer:
    """The audio, as WAV."""
    row = exchange.traffic.recording(sid)
    if row is None:
        raise not_found(request.path)
    return Answer(200, row["content"], "audio/x-wav")


def show(account: str, row: dict[str, Any]) -> dict[str, Any]:
    """The object on the wire."""
    uri = f"/2010-04-01/Accounts/{account}/Calls/{row['sid']}"
    parts = ("events", "notifications", "payments", "recordings", "siprec", "streams")
    return {
        "account_sid": account, "answered_by": None,
        "api_version": "2010-04-01", "caller_name": None, "date_created": row["date_created"],
        "date_updated": row["date_updated"], "direction": row["direction"],
        "duration": row.get("duration"), "end_time": row.get("end_time"), "forwarded_from": None,
        "from": row["from"], "from_formatted": friendly_name(row["from"]), "group_sid": None,
        "parent_call_sid": row["parent_call_sid"], "phone_number_sid": row["phone_number_sid"],
        "price": row.get("price"), "price_unit": "USD", "queue_time": "0", "sid": row["sid"],
        "start_time": row["start_time"] if row["status"] != "queued" else None,
        "status": "ringing" if row["status"] == "initiated" else row["status"],
        "subresource_uris": {part: f"{uri}/{part.title()}.json" for part in parts},
        "to": row["to"], "to_formatted": friendly_name(row["to"]), "trunk_sid": None,
        "uri": f"{uri}.json",
    }  # fmt: skip
