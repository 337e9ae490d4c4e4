"""Messages, calls and what they cost: each endpoint and each error, as requests by hand."""

from collections.abc import Callable
from typing import Any

from telephony.simulator.in_process import Simulator
from telephony.simulator.postman import Reply

CONTACT, UNREACHABLE_LINE = "+14155550123", "+12125550100"
PRICING, MONITOR = {"host": "pricing.twilio.com"}, {"host": "monitor.twilio.com"}
TWIML = "<Response><Say>Hello</Say></Response>"


def traffic_cases(case: Callable[..., Any], me: str, number: str, voice_only: str) -> list[Any]:
    """``number`` can do everything, ``voice_only`` takes calls alone; both are on shelves."""
    messages, calls = f"{me}/Messages", f"{me}/Calls"

    def own(simulator: Simulator) -> str:
        simulator.app.postman.transport = lambda *request: Reply(204, "", b"")
        simulator.seed(voice_only, capabilities={"voice": True, "sms": False})
        able = {"voice": True, "sms": True, "mms": True}
        return simulator.seed(number, capabilities=able)

    def sent(simulator: Simulator) -> str:
        own(simulator)
        row = simulator.app.texts.send(sender=number, recipient=CONTACT, body="Hello", media=0,
                                       callback="")  # fmt: skip
        simulator.run()
        return row["sid"]

    def arrived(simulator: Simulator) -> str:
        own(simulator)
        return simulator.text(sender=CONTACT, recipient=number, body="Look", pictures=1)

    def picture(simulator: Simulator) -> str:
        sid = arrived(simulator)
        [row] = simulator.app.exchange.traffic.media_of(sid)
        return f"{sid}/Media/{row['sid']}"

    def stopped(simulator: Simulator) -> str:
        own(simulator)
        return simulator.text(sender=CONTACT, recipient=number, body="STOP")

    def called(simulator: Simulator) -> str:
        own(simulator)
        request = {"Twiml": TWIML}
        exchange = simulator.app.exchange
        call = exchange.place(caller=number, called=CONTACT, request=request, events=[])
        return call.sid

    def over(simulator: Simulator) -> str:
        sid = called(simulator)
        simulator.run()
        return sid

    def failed(simulator: Simulator) -> str:
        own(simulator)
        simulator.app.postman.transport = lambda *request: Reply(500, "text/plain", b"Oh no")
        simulator.app.postman.post("https://desk.example/a", {"MessageSid": "SM" + "0" * 32})
        return simulator.app.postman.alerts[-1].sid

    def recorded(simulator: Simulator) -> str:
        own(simulator)
        return simulator.app.exchange.traffic.add_recording("CA" + "0" * 32, 2, b"RIFF")

    def left_a_message(simulator: Simulator) -> str:
        sid = over(simulator)
        simulator.app.exchange.traffic.add_recording(sid, 2, b"RIFF")
        return sid

    def text(name: str, code: int = 0, before: Any = own, **fields: str) -> Any:
        form = {"From": number, "To": CONTACT, "Body": "Hello", **fields}
        status = 400 if code else 201
        return case(name, "POST", f"{messages}.json", form, status, code, before)

    def call(name: str, code: int = 0, **fields: str) -> Any:
        form = {"From": number, "To": CONTACT, "Twiml": TWIML, **fields}
        status = 400 if code else 201
        return case(name, "POST", f"{calls}.json", form, status, code, own)

    one_message, one_call = f"{messages}/{{sid}}.json", f"{calls}/{{sid}}.json"
    unknown = "SM" + "0" * 32
    return [
        text("send a text"),
        text("send a picture", Body="", MediaUrl="https://desk.example/a.png"),
        text("send to no number", 21211, To="12"),
        text("send nothing", 21619, Body=""),
        text("send too much", 21617, Body="x" * 1601),
        text("send a picture from nowhere", 21620, MediaUrl="ftp://x"),
        text("send from a stranger's", 21606, From=UNREACHABLE_LINE),
        text("send from a voice line", 21606, From=voice_only),
        text("send to one who said stop", 21610, stopped),
        case("too many pictures", "POST", f"{messages}.json",
             {"From": number, "To": CONTACT, "MediaUrl": ["https://x.test/a.png"] * 11},
             400, 21623, own),
        case("a picture from a line without", "POST", f"{messages}.json",
             {"From": number, "To": CONTACT, "MediaUrl": "https://x.test/a.png"}, 400, 21612,
             lambda s: s.seed(number, capabilities={"voice": True, "sms": True, "mms": False})),
        case("a message", "GET", one_message, before=sent),
        case("a message that arrived", "GET", one_message, before=arrived),
        case("a message unknown", "GET", f"{messages}/{unknown}.json", {}, 404, 20404),
        case("messages", "GET", f"{messages}.json", before=sent),
        case("messages, none", "GET", f"{messages}.json"),
        case("too many messages at once", "GET", f"{messages}.json", {"PageSize": "1001"},
             400, 20007),
        case("redact a message", "POST", one_message, {"Body": ""}, before=sent),
        case("cancel too late", "POST", one_message, {"Status": "canceled"}, 400, 30409, sent),
        case("delete a message", "DELETE", one_message, status=204, before=sent),
        case("media of a message", "GET", f"{messages}/{{sid}}/Media.json", before=arrived),
        case("a picture", "GET", f"{messages}/{{sid}}", before=picture),
        call("place a call"),
        call("call no number", 21217, To="12"),
        call("call from a stranger's", 21210, From=UNREACHABLE_LINE),
        call("call without a word", 21205, Twiml=""),
        call("call with too many words", 21218, Twiml="x" * 4097),
        case("a call", "GET", one_call, before=called),
        case("a call that is over", "GET", one_call, before=over),
        case("a call unknown", "GET", f"{calls}/CA{'0' * 32}.json", {}, 404, 20404),
        case("calls", "GET", f"{calls}.json", before=over),
        case("end a call", "POST", one_call, {"Status": "completed"}, before=called),
        case("end a call that is over", "POST", one_call, {"Status": "completed"}, 400, 21220,
             over),
        case("recordings of a call", "GET", f"{calls}/{{sid}}/Recordings.json",
             before=left_a_message),
        case("recordings of no call", "GET", f"{calls}/CA{'0' * 32}/Recordings.json", {}, 404,
             20404),
        case("a recording", "GET", f"{me}/Recordings/{{sid}}.wav", before=recorded),
        case("a recording unknown", "GET", f"{me}/Recordings/RE{'0' * 32}.wav", {}, 404, 20404),
        case("alerts", "GET", "/v1/Alerts", {"LogLevel": "error"}, before=failed, **MONITOR),
        case("alerts, none", "GET", "/v1/Alerts", {"StartDate": "2020-01-01T00:00:00Z"},
             **MONITOR),
        case("too many alerts at once", "GET", "/v1/Alerts", {"PageSize": "1001"}, 400, 20007,
             **MONITOR),
        case("an alert", "GET", "/v1/Alerts/{sid}", before=failed, **MONITOR),
        case("an alert unknown", "GET", f"/v1/Alerts/NO{'0' * 32}", {}, 404, 20404, **MONITOR),
        case("prices of calls", "GET", "/v1/Voice/Countries/US", **PRICING),
        case("prices of calls elsewhere", "GET", "/v1/Voice/Countries/PL", **PRICING),
        case("prices of calls nowhere", "GET", "/v1/Voice/Countries/XX", {}, 404, 20404, **PRICING),
        case("prices of messages", "GET", "/v1/Messaging/Countries/GB", **PRICING),
        case("prices of messages nowhere", "GET", "/v1/Messaging/Countries/XX", {}, 404, 20404,
             **PRICING),
    ]  # fmt: skip
