"""The simulator's own side: a page for people, and the same as JSON for auditors and tests.

It answers on any host that is not Twilio's.
"""

import json
from html import escape
from typing import TYPE_CHECKING

from telephony.simulator import handset, incoming
from telephony.simulator.faults import ANSWERS, KINDS, OTHERS, WEBHOOKS, Fault
from telephony.simulator.wire import Answer, Request

if TYPE_CHECKING:
    from telephony.simulator.app import SimulatedTwilio

STYLE = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif;
  background: Canvas; color: CanvasText }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
tr { border-bottom: 1px solid #8886 }
td, th { text-align: left; padding: 0.4rem; overflow-wrap: anywhere }
button { font: inherit; min-height: 2.25rem }
form { display: inline }
@media (max-width: 40rem) { tr, td, th { display: block } }
"""
MOST_SHOWN = 50
PURCHASES = "IncomingPhoneNumbers"
MATCHES = {"no_inventory": "AvailablePhoneNumbers", "price_change": "PhoneNumbers/Countries"}


def answer(simulator: "SimulatedTwilio", request: Request) -> Answer:
    if request.path.startswith("/handset"):
        return handset.answer(simulator, request)
    match request.method, request.path:
        case "GET", "/":
            return Answer(200, _page(simulator), "text/html; charset=utf-8")
        case "GET", "/_simulator/state":
            return Answer(200, _state(simulator))
        case "GET", "/_simulator/faults":
            return Answer(200, simulator.faults.waiting())
        case "POST", "/_simulator/faults":
            return _add_fault(simulator, request)
        case ("DELETE", "/_simulator/faults") | ("POST", "/_simulator/faults/clear"):
            simulator.faults.clear()
            return _back(request)
        case "POST", "/_simulator/reset":
            simulator.state.reset()
            simulator.exchange.reset()
            simulator.faults.clear()
            return _back(request)
    return Answer(404, {"message": "There is nothing here."})


def _add_fault(simulator: "SimulatedTwilio", request: Request) -> Answer:
    kind = request.get("kind")
    try:
        # A button of the page names the kind alone; a test says more.
        fault = _fault_of_button(kind) if kind else Fault(**json.loads(request.body))
        simulator.faults.add(fault)
    except (TypeError, ValueError) as problem:
        return Answer(400, {"message": str(problem)})
    return _back(request)


def _fault_of_button(kind: str) -> Fault:
    """The next request that the fault is mostly for: a purchase, a search, a webhook."""
    if kind in WEBHOOKS:
        return Fault(kind, method="WEBHOOK")
    match = MATCHES.get(kind, PURCHASES)
    return Fault(kind, method="" if kind in MATCHES else "POST", path_contains=match)


def _back(request: Request) -> Answer:
    if request.fields or (not request.body and request.method == "POST"):
        return Answer(303, "", "text/plain", {"Location": "/"})
    return Answer(200, {})


def _state(simulator: "SimulatedTwilio") -> dict:
    account = simulator.credentials.account
    return {
        "account": account,
        "balance": str(simulator.state.balance(account)),
        "owned": [incoming.show(account, row) for row in simulator.state.owned(account)],
        "purchases": simulator.state.purchases(),
        "requests": len(simulator.log),
    }


def _page(simulator: "SimulatedTwilio") -> str:
    account, state = simulator.credentials.account, simulator.state
    owned = state.page(account, size=MOST_SHOWN, newest_first=True)
    rows = "".join(
        f"<tr><td>{escape(row['phone_number'])}<td>{escape(row.get('friendly_name') or '')}"
        f"<td>{escape(row.get('voice_url') or 'no webhook')}"
        for row in owned
    )
    explained = {kind: f"answers {ANSWERS[kind][0]}, code {ANSWERS[kind][1]}" for kind in ANSWERS}
    buttons = "".join(
        "<tr><td><form method=post action=/_simulator/faults>"
        f"<button name=kind value={kind}>{kind}</button></form><td>"
        f"{escape((explained | OTHERS | WEBHOOKS)[kind])}"
        for kind in KINDS
    )
    waiting = ", ".join(fault["kind"] for fault in simulator.faults.waiting()) or "none"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>Simulated Twilio</title><style>{STYLE}</style><body><main>"
        "<h1>Simulated Twilio</h1><p>The provider's side of the wire, made up. Nothing here is "
        "real, and nothing costs anything.</p>"
        "<p><a href=/handset>The handset</a>: call and text the owned numbers.</p>"
        f"<h2>Owned numbers ({state.count(account)})</h2>"
        f"<p>The newest first, {MOST_SHOWN} at most.</p>"
        f"<table><tr><th>Number<th>Name<th>Voice webhook{rows}</table>"
        f"<h2>Make something fail once</h2><p>Waiting: {escape(waiting)} "
        "<form method=post action=/_simulator/faults/clear><button>Clear</button></form></p>"
        f"<table>{buttons}</table></main></body></html>"
    )
