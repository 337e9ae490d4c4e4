"""The handset: a page to call and text the owned numbers from, and to be called at.

It shows what a caller hears, offers what can be done at each moment (keys, speaking,
answering, hanging up), keeps the messages of a phone, and lists the webhooks that went out.
What happens is shown as it happens; without JavaScript the page loads again while a call lasts.
"""

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from lib.e164 import digits_from, from_text, is_e164
from telephony.simulator import incoming
from telephony.simulator.live_call import Event, LiveCall
from telephony.simulator.wire import Answer, Request

if TYPE_CHECKING:
    from telephony.simulator.app import SimulatedTwilio

FIRST_PHONE = "+14155550123"
STYLE = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif;
  background: Canvas; color: CanvasText }
body { max-width: 64rem; margin: 1.5rem auto; padding: 0 1rem }
.columns { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)) }
section { border: 1px solid #8886; border-radius: 10px; padding: 1rem; min-width: 0 }
h1, h2, h3 { line-height: 1.25; margin: 0 0 .5rem } main > h2 { margin-top: 1.5rem }
input, select, textarea, button { font: inherit; min-height: 2.4rem; max-width: 100% }
input[type=text], input[type=tel], select, textarea { width: 100%; box-sizing: border-box }
button { padding: 0 .9rem }
label { display: block; font-weight: 600; margin-top: .5rem }
label.inline { display: inline-flex; gap: .4rem; align-items: center; font-weight: 400 }
form { margin: 0 0 .5rem }
form.row { display: inline-block; margin-right: .4rem }
ol { padding-left: 1.2rem } li { overflow-wrap: anywhere }
.quiet { opacity: .75 }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
td, th { text-align: left; padding: .25rem .4rem; border-bottom: 1px solid #8886;
  overflow-wrap: anywhere }
"""
# What is shown is replaced where it has changed; what is typed, chosen or in focus stays.
SCRIPT = """
setInterval(async () => {
  if (document.hidden) return;
  const text = await fetch(location.href).then(answer => answer.text()).catch(() => "");
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(part.id);
    if (!now || now.innerHTML === part.innerHTML) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceChildren(...now.childNodes);
    if (focused) document.getElementById(focused)?.focus();
  }
}, 1000);
"""
MOST_SHOWN = 25
MOST_NUMBERS = 100


def answer(simulator: "SimulatedTwilio", request: Request) -> Answer:
    match request.method, request.path:
        case "GET", "/handset":
            return Answer(200, _page(simulator, request), "text/html; charset=utf-8")
        case "POST", "/handset/call":
            simulator.exchange.call_number(caller=_phone(request), called=request.get("to"))
        case "POST", "/handset/text":
            simulator.texts.arrive(
                sender=_phone(request), recipient=request.get("to"), body=request.get("body"),
                pictures=1 if request.get("picture") else 0,
            )  # fmt: skip
        case "POST", "/handset/event":
            _event(simulator, request)
        case _:
            return Answer(404, {"message": "There is nothing here."})
    query = urlencode({"phone": _phone(request), "to": request.get("to")})
    return Answer(303, "", "text/plain", {"Location": f"/handset?{query}"})


def _phone(request: Request) -> str:
    return _typed(request) or FIRST_PHONE


def _typed(request: Request) -> str:
    """Empty where no phone number was typed. One that nobody could have is one all the same."""
    text = request.get("phone").strip()
    with_code = "+" + digits_from(text) if text.startswith("+") else ""
    return with_code if is_e164(with_code) else from_text(text, "US")


def _event(simulator: "SimulatedTwilio", request: Request) -> None:
    call = simulator.exchange.calls.get(request.get("sid"))
    if call is not None:
        simulator.exchange.tell(call, Event(request.get("kind"), request.get("value")))


def _page(simulator: "SimulatedTwilio", request: Request) -> str:
    exchange, phone = simulator.exchange, _phone(request)
    calls = list(exchange.calls.values())
    at_hand = [call for call in calls if _is_at(call, phone, exchange.owns)]
    live = any(not call.over for call in at_hand)
    refresh = "<noscript><meta http-equiv=refresh content=2></noscript>" if live else ""
    shown = "".join(_call(call, phone) for call in reversed(at_hand[-6:]))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"{refresh}<title>Handset</title><style>{STYLE}</style><body><main>"
        "<h1>Handset</h1><p>A made-up phone that reaches the numbers of the "
        "simulated account. <a href=/>Back to the provider</a></p>"
        f"{_choose(phone, request)}<div class=columns>"
        f"<section>{_dial(simulator, phone, request.get('to'))}</section>"
        "<section><h2>Calls</h2><div id=calls data-live aria-live=polite>"
        f"{shown or '<p class=quiet>No calls yet.</p>'}</div></section>"
        "<section><h2>Messages</h2><div id=messages data-live aria-live=polite>"
        f"{_messages(simulator, phone)}</div></section></div>"
        f"<h2>Webhooks</h2><div id=webhooks data-live>{_webhooks(simulator)}</div></main>"
        f"<script>{SCRIPT}</script></body></html>"
    )


def _is_at(call: LiveCall, phone: str, owns: Any) -> bool:
    """Calls from this phone, and every call to a phone that nobody else holds."""
    if call.direction == "inbound":
        return call.caller == phone
    return not owns(call.called)


def _choose(phone: str, request: Request) -> str:
    problem = ""
    if request.get("phone") and not _typed(request):
        problem = (
            f"<p role=alert><strong>“{escape(request.get('phone'))}” is no phone number.</strong> "
            f"Write it with its country code, as in {FIRST_PHONE}.</p>"
        )
    return (
        f"{problem}<form action=/handset method=get><label for=phone>My phone number</label>"
        f"<input type=tel id=phone name=phone value='{escape(phone)}'> "
        "<button>Use this phone</button></form>"
    )


def _dial(simulator: "SimulatedTwilio", phone: str, chosen: str) -> str:
    """``chosen`` is called or texted unless another number is: what was used last, or what the
    link to this page names.
    """
    account, state = simulator.credentials.account, simulator.state
    newest = state.page(account, size=MOST_NUMBERS, newest_first=True)
    owned = [incoming.show(account, row) for row in newest]
    if len(owned) == MOST_NUMBERS and (row := state.find(account, chosen)):
        owned = [show for show in owned if show["phone_number"] != chosen]
        owned.insert(0, incoming.show(account, row))
    if not owned:
        return "<h2>Call or text</h2><p>The account owns no numbers yet.</p>"
    options = "".join(
        f"<option value='{escape(row['phone_number'])}'"
        f"{' selected' if row['phone_number'] == chosen else ''}>{escape(row['phone_number'])} "
        f"{escape(row.get('friendly_name') or '')}"
        for row in owned
    )
    hidden = f"<input type=hidden name=phone value='{escape(phone)}'>"
    return (
        f"<h2>Call</h2><form action=/handset/call method=post>{hidden}"
        f"<label for=call-to>Number to call</label>"
        f"<select id=call-to name=to>{options}</select><p><button>Call</button></p></form>"
        f"<h2>Text</h2><form action=/handset/text method=post>{hidden}"
        f"<label for=text-to>Number to text</label><select id=text-to name=to>{options}</select>"
        "<label for=body>Text</label><textarea id=body name=body rows=3></textarea>"
        "<p><label class=inline><input type=checkbox name=picture value=1> with a picture</label>"
        "</p><button>Send text</button></form>"
    )


def _call(call: LiveCall, phone: str) -> str:
    lines = "".join(f"<li>{escape(line)}" for line in call.transcript)
    to_here = call.direction != "inbound"
    title = f"{'Call to' if to_here else 'Call from'} {call.called if to_here else call.caller}"
    other = f"from {call.caller}" if to_here else f"to {call.called}"
    state = "ended" if call.over else call.status
    return (
        f"<article><h3>{escape(title)}</h3><p class=quiet>{escape(other)}, {escape(state)}</p>"
        f"<ol>{lines}</ol>{'' if call.over else _buttons(call, phone)}</article>"
    )


def _buttons(call: LiveCall, phone: str) -> str:
    why = call.waiting.why if call.waiting else ""
    buttons = ""
    if why == "ring" and call.direction != "inbound":
        buttons += _button(call, phone, "answer", "", "Answer")
        buttons += _button(call, phone, "busy", "", "Decline")
    if why == "gather":
        buttons += "".join(_button(call, phone, "digits", key, key) for key in "123456789*0#")
    if why == "record":
        buttons += _button(call, phone, "spoke", "5", "Speak for 5 seconds")
        buttons += _button(call, phone, "digits", "#", "Finish with #")
    return buttons + _button(call, phone, "hangup", "", "Hang up")


def _button(call: LiveCall, phone: str, kind: str, value: str, label: str) -> str:
    whole = call.parent or call
    ours = whole.called if whole.direction == "inbound" else whole.caller
    hidden = {"sid": call.sid, "phone": phone, "to": ours, "kind": kind, "value": value}
    fields = "".join(
        f"<input type=hidden name={name} value='{escape(text)}'>" for name, text in hidden.items()
    )
    head = "<form class=row action=/handset/event method=post>"
    return f"{head}{fields}<button id='{call.sid}-{kind}-{escape(value)}'>{label}</button></form>"


def _messages(simulator: "SimulatedTwilio", phone: str) -> str:
    rows = [
        row
        for row in simulator.exchange.traffic.newest_first("message")
        if phone in (row["from"], row["to"])
    ][:MOST_SHOWN]
    items = "".join(
        f"<li><strong>{'I' if row['from'] == phone else escape(row['from'])}</strong>: "
        f"{escape(row['body'])}{' (with a picture)' if row['num_media'] != '0' else ''} "
        f"<span class=quiet>{escape(row['status'])}</span>"
        for row in reversed(rows)
    )
    return f"<ol>{items}</ol>" if items else "<p class=quiet>No messages yet.</p>"


def _webhooks(simulator: "SimulatedTwilio") -> str:
    rows = "".join(
        f"<tr><td>{attempt.status or 'none'}<td>{escape(urlsplit(attempt.address).path)}"
        f"<td>{escape(_told(attempt.fields))}"
        for attempt in reversed(simulator.postman.sent[-MOST_SHOWN:])
    )
    return (
        f"<table><tr><th>Answer<th>Address<th>What it said{rows}</table>"
        if rows
        else "<p class=quiet>None yet.</p>"
    )


def _told(fields: dict[str, str]) -> str:
    wanted = ("CallStatus", "DialCallStatus", "MessageStatus", "RecordingDuration", "Body",
              "Digits", "ErrorCode")  # fmt: skip
    return ", ".join(f"{name} {fields[name]}" for name in wanted if fields.get(name))
