"""The messages of the simulated provider: sending, delivering, receiving, STOP."""

from decimal import Decimal
from typing import Any
from urllib.parse import urljoin

from lib import segments
from lib.e164 import country_of
from telephony.simulator import usage_pricing
from telephony.simulator.exchange import Exchange, place_of
from telephony.simulator.messaging_services import receiver
from telephony.simulator.sound import picture
from telephony.simulator.state import now
from telephony.simulator.traffic import new_sid
from telephony.simulator.verbs import NotTwiML, Verb, read

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "YES", "UNSTOP"}
HELP = {"HELP", "INFO"}
REPLIES = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages "
    "from this number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP "
    "for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
# A handset that is never reached, as a test wants it: error 30003.
UNREACHABLE = "+15005550003"
MOST_REDIRECTS = 10


class Texts:
    """``unreachable`` are phones to which nothing can be delivered, with the error code."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.traffic, self.schedule = exchange.traffic, exchange.schedule
        self.account = exchange.account
        self.unreachable: dict[str, int] = {UNREACHABLE: 30003}

    # --- From outside to a number of ours ---------------------------------------------

    def arrive(
        self, *, sender: str, recipient: str, body: str, pictures: int = 0,
        media: list[tuple[str, bytes]] | None = None,
    ) -> str:  # fmt: skip
        """Somebody writes to a number. Returns the SID; the webhook is sent at once."""
        media = media or [("image/png", picture()) for _ in range(pictures)]
        sid = new_sid("MM" if media else "SM")
        count = 1 if media else max(segments.count(body).count, 1)
        self._add(sid, "inbound", sender, recipient, body, "received", count, len(media))
        found = [(self.traffic.add_medium(sid, kind, file), kind) for kind, file in media]
        keyword = keyword_of(body)
        if keyword == "STOP":
            self.traffic.stop(recipient, sender)
        elif keyword == "START":
            self.traffic.start(recipient, sender)
        if keyword:
            self._note_reply(recipient, sender, REPLIES[keyword])
        number = self.exchange.number(recipient)
        to = receiver(number, self.exchange.state) if number is not None else {}
        if to.get("url"):
            fields = self._incoming_fields(sid, sender, recipient, body, count, found)
            if to["service"]:
                fields["MessagingServiceSid"] = to["service"]
            self.schedule.after(0, lambda: self._deliver(to, fields))
        self.schedule.after(self.exchange.price_delay, lambda: self._bill(sid))
        return sid

    def _incoming_fields(
        self, sid: str, sender: str, recipient: str, body: str, count: int,
        media: list[tuple[str, str]],
    ) -> dict[str, str]:  # fmt: skip
        fields = {
            "AccountSid": self.account, "ApiVersion": "2010-04-01", "MessageSid": sid,
            "SmsSid": sid, "SmsMessageSid": sid, "SmsStatus": "received", "From": sender,
            "To": recipient, "Body": body, "NumSegments": str(count), "NumMedia": str(len(media)),
            **place_of("From", sender), **place_of("To", recipient),
        }  # fmt: skip
        for place, (medium, kind) in enumerate(media):
            fields[f"MediaUrl{place}"] = self.exchange.address_of(f"Messages/{sid}/Media/{medium}")
            fields[f"MediaContentType{place}"] = kind
        return fields

    def _deliver(self, to: dict[str, str], fields: dict[str, str]) -> None:
        """Ask the address what to do, and do it."""
        address: str | None = to["url"]
        for _ in range(MOST_REDIRECTS):
            if address is None:
                return
            address = self._carry_out(address, self._ask(to, address, fields), fields)

    def _ask(self, to: dict[str, str], address: str, fields: dict[str, str]) -> list[Verb]:
        post = self.exchange.postman.post
        try:
            return read(post(address, fields))
        except NotTwiML as problem:
            if not to["fallback"]:
                return []
            told = {"ErrorCode": str(problem.code), "ErrorUrl": address.split("#")[0]}
            try:
                return read(post(to["fallback"], fields | told))
            except NotTwiML:
                return []

    def _carry_out(self, base: str, verbs: list[Verb], fields: dict[str, str]) -> str | None:
        """Returns the address of a ``<Redirect>``, after which nothing else is read."""
        for verb in verbs:
            if verb.name == "Message":
                self._reply(base, verb, fields)
            elif verb.name == "Redirect":
                return urljoin(base, verb.text)
        return None

    def _reply(self, base: str, verb: Verb, fields: dict[str, str]) -> None:
        """``<Message>`` in an answer sends a message back, to whoever has not said STOP."""
        sender, recipient = fields["To"], verb.get("to") or fields["From"]
        if self.traffic.is_stopped(sender, recipient):
            return
        body = verb.text or "".join(noun.text for noun in verb.nested if noun.name == "Body")
        callback = verb.get("action") or verb.get("statusCallback")
        self.send(
            sender=sender, recipient=recipient, body=body,
            media=sum(noun.name == "Media" for noun in verb.nested),
            callback=urljoin(base, callback) if callback else "", direction="outbound-reply",
        )  # fmt: skip

    # --- From a number of ours to outside ---------------------------------------------

    def send(
        self, *, sender: str, recipient: str, body: str, media: int, callback: str,
        direction: str = "outbound-api",
    ) -> dict[str, Any]:  # fmt: skip
        """Take a message and send it on its way; its states are reported as they come."""
        sid = new_sid("MM" if media else "SM")
        count = 1 if media else max(segments.count(body).count, 1)
        row = self._add(sid, direction, sender, recipient, body, "queued", count, media)
        self.schedule.after(1, lambda: self._report(sid, "sent", callback))
        error = self.unreachable.get(recipient)
        final = "undelivered" if error else "delivered"
        self.schedule.after(2, lambda: self._report(sid, final, callback, error))
        if not error and self.exchange.owns(recipient):
            self.schedule.after(
                2, lambda: self.arrive(sender=sender, recipient=recipient, body=body)
            )
        self.schedule.after(self.exchange.price_delay, lambda: self._bill(sid))
        return row

    def _report(self, sid: str, status: str, callback: str, error: int | None = None) -> None:
        row = self.traffic.update(
            "message", sid, status=status, error_code=error, date_sent=now(),
            error_message="Unreachable destination handset" if error else None,
        )  # fmt: skip
        if not callback:
            return
        fields = {
            "AccountSid": self.account, "ApiVersion": "2010-04-01", "MessageSid": sid,
            "SmsSid": sid, "MessageStatus": status, "SmsStatus": status, "From": row["from"],
            "To": row["to"],
        }  # fmt: skip
        if error:
            fields["ErrorCode"] = str(error)
        if status in ("delivered", "undelivered"):
            fields["RawDlrDoneDate"] = "2611240900"
        self.exchange.postman.post(callback, fields)

    def _note_reply(self, sender: str, recipient: str, body: str) -> None:
        """Twilio's own answer to a keyword; it is on the phone, and no resource of ours."""
        self.traffic.add(
            "message", self._fields(new_sid("SM"), "outbound-keyword", sender, recipient, body,
                                    "delivered", 1, 0),
        )  # fmt: skip

    def _add(
        self, sid: str, direction: str, sender: str, recipient: str, body: str, status: str,
        count: int, media: int,
    ) -> dict[str, Any]:  # fmt: skip
        return self.traffic.add(
            "message", self._fields(sid, direction, sender, recipient, body, status, count, media)
        )

    def _fields(
        self, sid: str, direction: str, sender: str, recipient: str, body: str, status: str,
        count: int, media: int,
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "sid": sid, "direction": direction, "from": sender, "to": recipient, "body": body,
            "status": status, "num_segments": str(count), "num_media": str(media),
            "date_sent": now(),
        }  # fmt: skip

    def _bill(self, sid: str) -> None:
        row = self.traffic.fetch("message", sid)
        if row is None or row["status"] == "failed":
            return
        count, has_media = int(row["num_segments"]), row["num_media"] != "0"
        country = country_of(row["to"])
        price: Decimal | int = 0
        if row["direction"] == "inbound":
            number = self.exchange.number(row["to"]) or {}
            kind = str(number.get("type") or "local").replace("-", "_")
            tariff = usage_pricing.tariff(country)
            price = tariff.texts_in.get(kind, 0) * count if tariff else 0
        else:
            kind = ""
            tariff = usage_pricing.tariff(country)
            price = tariff.text_out * count if tariff else 0
        if has_media:
            is_incoming = row["direction"] == "inbound"
            known = usage_pricing.picture(country, kind, is_incoming=is_incoming)
            price = price if known is None else known
        self.traffic.update("message", sid, price=f"{-price:.5f}", price_unit="USD")


def keyword_of(body: str) -> str:
    word = body.strip().upper()
    groups = {"STOP": STOP, "START": START, "HELP": HELP}
    return next((name for name, words in groups.items() if word in words), "")
