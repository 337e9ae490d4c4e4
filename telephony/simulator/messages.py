"""Messages: send, list, fetch, update, delete, and their media."""

import re
from typing import Any

from lib import segments
from telephony.simulator.exchange import Exchange
from telephony.simulator.lists import in_time, page_of
from telephony.simulator.texts import Texts
from telephony.simulator.wire import Answer, Refused, Request, not_found

MOST_MEDIA = 10


def create(request: Request, texts: Texts) -> Answer:
    sender, to, body = request.get("From"), request.get("To"), request.get("Body")
    media = request.fields.get("MediaUrl", [])
    _check(texts.exchange, sender, to, body, media)
    if texts.traffic.is_stopped(sender, to):
        raise Refused(400, 21610, "Attempt to send to unsubscribed recipient")
    row = texts.send(
        sender=sender, recipient=to, body=body, media=len(media),
        callback=request.get("StatusCallback"),
    )  # fmt: skip
    return Answer(201, show(texts.account, row))


def _check(exchange: Exchange, sender: str, to: str, body: str, media: list[str]) -> None:
    if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
        raise Refused(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    if not body and not media:
        raise Refused(400, 21619, "A text message body or media urls must be specified.")
    if len(body) > segments.LONGEST_TEXT:
        raise Refused(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    if len(media) > MOST_MEDIA:
        raise Refused(400, 21623, "Number of media files exceeds allowed limit")
    if not all(address.startswith(("http://", "https://")) for address in media):
        raise Refused(400, 21620, "Invalid media URL(s)")
    number = exchange.number(sender)
    able = (number or {}).get("capabilities") or {"sms": True, "mms": True}
    if number is None or not able.get("sms"):
        raise Refused(
            400, 21606,
            f"The From phone number {sender} is not a valid, SMS-capable inbound phone number or "
            "short code for your account.",
        )  # fmt: skip
    if media and not able.get("mms"):
        raise Refused(
            400, 21612,
            f"The 'To' phone number: {to}, is not currently reachable using the 'From' phone "
            f"number: {sender} via MMS.",
        )  # fmt: skip


def listing(request: Request, texts: Texts) -> Answer:
    rows = [
        row
        for row in texts.traffic.newest_first("message")
        if row["direction"] != "outbound-keyword"
        and request.get("To") in ("", row["to"])
        and request.get("From") in ("", row["from"])
        and in_time(request, "DateSent", row["date_sent"])
    ]
    return page_of(request, "messages", rows, lambda row: show(texts.account, row))


def fetch(request: Request, texts: Texts, sid: str) -> Answer:
    return Answer(200, show(texts.account, _row(request, texts, sid)))


def update(request: Request, texts: Texts, sid: str) -> Answer:
    """Redact the text, or cancel what has not been sent."""
    row = _row(request, texts, sid)
    if request.get("Status") == "canceled":
        if row["status"] not in ("accepted", "scheduled"):
            raise Refused(400, 30409, "The message cannot be canceled")
        row = texts.traffic.update("message", sid, status="canceled")
    elif "Body" in request.fields:
        row = texts.traffic.update("message", sid, body=request.get("Body"))
    return Answer(200, show(texts.account, row))


def delete(request: Request, texts: Texts, sid: str) -> Answer:
    if not texts.traffic.remove("message", sid):
        raise not_found(request.path)
    return Answer(204)


def media(request: Request, texts: Texts, sid: str) -> Answer:
    rows = [
        {"sid": row["sid"], "content_type": row["content_type"], "parent_sid": sid}
        for row in texts.traffic.media_of(sid)
    ]
    base = f"/2010-04-01/Accounts/{texts.account}/Messages/{sid}/Media"
    message = _row(request, texts, sid)

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        return {
            **row, "account_sid": texts.account, "date_created": message["date_created"],
            "date_updated": message["date_updated"], "uri": f"{base}/{row['sid']}.json",
        }  # fmt: skip

    return page_of(request, "media_list", rows, shown)


def medium(request: Request, texts: Texts, sid: str, medium: str) -> Answer:
    """The file itself."""
    for row in texts.traffic.media_of(sid):
        if row["sid"] == medium:
            return Answer(200, row["content"], row["content_type"])
    raise not_found(request.path)


def _row(request: Request, texts: Texts, sid: str) -> dict[str, Any]:
    row = texts.traffic.fetch("message", sid)
    if row is None:
        raise not_found(request.path)
    return row


def show(account: str, row: dict[str, Any]) -> dict[str, Any]:
    """The object on the wire."""
    uri = f"/2010-04-01/Accounts/{account}/Messages/{row['sid']}"
    # A message that is on its way has not been sent, and is not dated yet.
    sent = None if row["status"] in ("queued", "accepted", "sending") else row["date_sent"]
    return {
        "account_sid": account, "api_version": "2010-04-01", "body": row["body"],
        "date_created": row["date_created"], "date_sent": sent,
        "date_updated": row["date_updated"], "direction": row["direction"],
        "error_code": row.get("error_code"), "error_message": row.get("error_message"),
        "from": row["from"], "messaging_service_sid": None, "num_media": row["num_media"],
        "num_segments": row["num_segments"], "price": row.get("price"), "price_unit": "USD",
        "sid": row["sid"], "status": row["status"],
        "subresource_uris": {"media": f"{uri}/Media.json"}, "to": row["to"], "uri": f"{uri}.json",
    }  # fmt: skip
