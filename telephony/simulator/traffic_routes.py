"""The endpoints of calls, messages and what they cost, for the program's table."""

from collections.abc import Callable
from decimal import Decimal

from telephony.simulator import alerts, calls, messages, usage_pricing
from telephony.simulator.exchange import Exchange
from telephony.simulator.faults import Fault
from telephony.simulator.texts import Texts
from telephony.simulator.wire import Answer, Request

Route = tuple[str, str, str, Callable[..., Answer]]
API, PRICES, MONITOR = "api.twilio.com", "pricing.twilio.com", "monitor.twilio.com"


def traffic_routes(account: str, exchange: Exchange, texts: Texts) -> list[Route]:
    all_messages, all_calls = f"{account}/Messages", f"{account}/Calls"
    message = rf"{all_messages}/(?P<sid>[SM]M[0-9a-f]{{32}})"
    one_call = rf"{all_calls}/(?P<sid>CA[0-9a-f]{{32}})"
    call = rf"{one_call}\.json"

    def factor(fault: Fault | None) -> Decimal:
        return Decimal(fault.factor) if fault and fault.kind == "price_change" else Decimal(1)

    def recording(r: Request, f: Fault | None, sid: str) -> Answer:
        return calls.recording(r, exchange, sid)

    def voice(r: Request, f: Fault | None, code: str) -> Answer:
        return usage_pricing.voice(r, code, factor(f))

    def messaging(r: Request, f: Fault | None, code: str) -> Answer:
        return usage_pricing.messaging(r, code, factor(f))

    def alert(r: Request, f: Fault | None, sid: str) -> Answer:
        return alerts.fetch(r, exchange.account, exchange.postman, sid)

    return [
        ("GET", MONITOR, "/v1/Alerts",
         lambda r, f: alerts.listing(r, exchange.account, exchange.postman)),
        ("GET", MONITOR, "/v1/Alerts/(?P<sid>NO[0-9a-f]{32})", alert),
        ("POST", API, rf"{all_messages}\.json", lambda r, f: messages.create(r, texts)),
        ("GET", API, rf"{all_messages}\.json", lambda r, f: messages.listing(r, texts)),
        ("GET", API, rf"{message}\.json", lambda r, f, sid: messages.fetch(r, texts, sid)),
        ("POST", API, rf"{message}\.json", lambda r, f, sid: messages.update(r, texts, sid)),
        ("DELETE", API, rf"{message}\.json", lambda r, f, sid: messages.delete(r, texts, sid)),
        ("GET", API, rf"{message}/Media\.json", lambda r, f, sid: messages.media(r, texts, sid)),
        ("GET", API, rf"{message}/Media/(?P<medium>ME[0-9a-f]{{32}})",
         lambda r, f, sid, medium: messages.medium(r, texts, sid, medium)),
        ("POST", API, rf"{all_calls}\.json", lambda r, f: calls.create(r, exchange)),
        ("GET", API, rf"{all_calls}\.json", lambda r, f: calls.listing(r, exchange)),
        ("GET", API, call, lambda r, f, sid: calls.fetch(r, exchange, sid)),
        ("POST", API, call, lambda r, f, sid: calls.update(r, exchange, sid)),
        ("GET", API, rf"{one_call}/Recordings\.json",
         lambda r, f, sid: calls.recordings(r, exchange, sid)),
        ("GET", API, rf"{account}/Recordings/(?P<sid>RE[0-9a-f]{{32}})\.wav", recording),
        ("GET", PRICES, "/v1/Voice/Countries/(?P<code>[A-Z]{2})", voice),
        ("GET", PRICES, "/v1/Messaging/Countries/(?P<code>[A-Z]{2})", messaging),
    ]  # fmt: skip
