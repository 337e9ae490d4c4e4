"""monitor.twilio.com, version 1: what the provider could not deliver."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from telephony.simulator.lists import meta_page_of
from telephony.simulator.postman import Alert, Postman
from telephony.simulator.wire import Answer, Request, not_found

BASE = "https://monitor.twilio.com/v1/Alerts"
LEVEL = "error"


def listing(request: Request, account: str, postman: Postman) -> Answer:
    """Newest first. Everything that the simulator reports is an error."""
    begin, end = (_moment(request.get(name)) for name in ("StartDate", "EndDate"))
    found = [
        alert
        for alert in reversed(postman.alerts)
        if request.get("LogLevel") in ("", LEVEL)
        and (begin is None or alert.at >= begin)
        and (end is None or alert.at <= end)
    ]
    filters = {
        name: request.get(name)
        for name in ("LogLevel", "StartDate", "EndDate")
        if request.get(name)
    }

    return meta_page_of(request, "alerts", found, partial(_show, account), BASE, filters)


def fetch(request: Request, account: str, postman: Postman, sid: str) -> Answer:
    """One alone, with what was sent and what came back."""
    for alert in postman.alerts:
        if alert.sid == sid:
            more = {
                "request_headers": "", "request_variables": urlencode(alert.fields),
                "response_body": alert.body, "response_headers": "",
            }  # fmt: skip
            return Answer(200, _show(account, alert) | more)
    raise not_found(request.path)


def _show(account: str, alert: Alert) -> dict[str, Any]:
    at = alert.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = {"Msg": "Got HTTP failure", "ErrorCode": alert.code, "url": alert.address}
    return {
        "account_sid": account, "alert_text": urlencode(text), "api_version": "2010-04-01",
        "date_created": at, "date_generated": at, "date_updated": at,
        "error_code": str(alert.code), "log_level": LEVEL,
        "more_info": f"https://www.twilio.com/docs/errors/{alert.code}",
        "request_method": "POST", "request_url": alert.address,
        "resource_sid": alert.fields.get("CallSid") or alert.fields.get("MessageSid"),
        "service_sid": None, "sid": alert.sid, "url": f"{BASE}/{alert.sid}",
    }  # fmt: skip


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
