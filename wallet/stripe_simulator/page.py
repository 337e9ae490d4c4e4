"""What people see of the simulated Stripe: the payment page, and a list of payments."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from wallet.stripe_simulator.payments import CARDS, SAVED_CARDS

if TYPE_CHECKING:
    from wallet.stripe_simulator.app import Request, SimulatedStripe

STYLE = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
.strip { background: #fdf0d5; color: #5c3800; padding: 0.5rem 1rem; border-radius: 6px }
.bad { background: #fde7e4; color: #a3221b; padding: 0.5rem 1rem; border-radius: 6px }
.amount { font-size: 2rem; font-weight: 700; margin: 0 }
fieldset { border: 0; padding: 0; margin: 1rem 0 } legend { font-weight: 600 }
label { display: block; padding: 0.5rem 0 } input { width: 1.1rem; height: 1.1rem }
button { font: inherit; min-height: 2.75rem; padding: 0 1.25rem }
table { border-collapse: collapse; width: 100% } td { padding: 0.4rem; border-bottom: 1px solid }
form.inline { display: inline }
"""
Page = tuple[int, Any, str]


def answer(stripe: "SimulatedStripe", request: "Request") -> Page:
    match request.method, request.path.strip("/").split("/"):
        case method, ["pay", session_id]:
            return _pay(stripe, request, session_id, method)
        case "GET", [""]:
            return 200, _payments(stripe), ""
        case "POST", ["_simulator", what, thing_id]:
            return _happen(stripe, what, thing_id)
    return 404, {"error": {"message": "There is nothing here."}}, ""


def _pay(stripe: "SimulatedStripe", request: "Request", session_id: str, method: str) -> Page:
    session = stripe.payments.session(session_id)
    if session is None:
        return 404, _html("No such payment", "<p>There is no such payment.</p>"), ""
    setup = session["mode"] == "setup"
    if method == "POST":
        take = stripe.payments.save_card if setup else stripe.payments.pay
        if take(session_id, request.fields.get("card", "")):
            return 303, "", session["success_url"]
        session = stripe.payments.session(session_id) or session
    if session["status"] != "open":
        return 200, _over(session), ""
    problem = "Your card was declined. Try another one." if method == "POST" else ""
    return 200, _setup_form(session) if setup else _form(session, problem), ""


def _cards(legend: str) -> str:
    rows = "".join(
        f"<label><input type=radio name=card value={card}"
        f"{' checked' if card == 'succeeds' else ''}> {escape(words)}</label>"
        for card, words in CARDS.items()
        if card in SAVED_CARDS
    )
    return f"<fieldset><legend>{legend}</legend>{rows}</fieldset>"


def _setup_form(session: dict[str, Any]) -> str:
    return _html(
        "Simulated card",
        "<p>Nothing is charged now. The card is charged later, with nobody present.</p>"
        f"<form method=post>{_cards('Save a card that, when it is charged,')}"
        "<button type=submit>Save card</button></form>"
        f"<p><a href='{escape(session['cancel_url'] or '/')}'>Go back without saving</a></p>",
    )


def _form(session: dict[str, Any], problem: str) -> str:
    warning = f"<p class=bad role=alert>{problem}</p>" if problem else ""
    return _html(
        "Simulated payment",
        f"<p>{escape(session['name'])}</p><p class=amount>{_amount(session)}</p>{warning}"
        f"<form method=post>{_cards('Choose a card that')}"
        "<button type=submit>Pay</button></form>"
        f"<p><a href='{escape(session['cancel_url'] or '/')}'>Go back without paying</a></p>",
    )


def _over(session: dict[str, Any]) -> str:
    words = "This payment has expired." if session["status"] == "expired" else "This is done."
    back = escape(session["success_url"])
    return _html("Simulated payment", f"<p>{words}</p><p><a href='{back}'>Go back</a></p>")


def _payments(stripe: "SimulatedStripe") -> str:
    rows = "".join(
        f"<tr><td>{escape(intent['id'])}<td>{_amount(intent)}<td>{escape(intent['status'])}<td>"
        + "".join(
            f"<form class=inline method=post action=/_simulator/{what}/{escape(intent['id'])}>"
            f"<button>{what}</button></form> "
            for what in ("refund", "dispute")
            if intent["latest_charge"]
        )
        for intent in stripe.state.newest("payment_intent")
    )
    disputes = "".join(
        f"<tr><td>{escape(dispute['id'])}<td>{_amount(dispute)}<td>{escape(dispute['status'])}<td>"
        f"<form class=inline method=post action=/_simulator/win/{escape(dispute['id'])}>"
        "<button>win</button></form>"
        for dispute in stripe.state.newest("dispute")
    )
    return _html(
        "Simulated Stripe",
        f"<h2>Payments</h2><table>{rows}</table><h2>Disputes</h2><table>{disputes}</table>",
    )


def _happen(stripe: "SimulatedStripe", what: str, thing_id: str) -> Page:
    done: dict[str, Callable[[str], object]] = {
        "refund": stripe.payments.refund,
        "dispute": stripe.payments.dispute,
        "win": stripe.payments.win,
    }
    if what not in done or stripe.state.find(thing_id) is None:
        return 404, {"error": {"message": "There is nothing here."}}, ""
    done[what](thing_id)
    return 303, "", "/"


def _amount(thing: dict[str, Any]) -> str:
    cents = thing.get("amount_total") or thing.get("amount") or 0
    return f"{cents / 100:.2f} {escape(thing['currency'].upper())}"


def _html(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{STYLE}</style><body><main>"
        "<p class=strip>Simulated: no card is charged here and no money moves.</p>"
        f"<h1>{title}</h1>{body}</main></body></html>"
    )
