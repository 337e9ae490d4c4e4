"""What happens to money at the simulated Stripe: paid, declined, given back, disputed."""

import time
from collections.abc import Callable
from typing import Any

from wallet.stripe_simulator.state import State

CARDS = {
    "succeeds": "Succeeds",
    "declined": "Is declined",
    "slow": "Is slow: paid only after some seconds",
    "lost": "Succeeds, and the webhook is lost",
    "doubled": "Succeeds, and the webhook comes twice",
}
# What a card that is saved does later, when it is charged with nobody present.
SAVED_CARDS = {
    "succeeds": ("visa", "4242"),
    "declined": ("visa", "0341"),
    "slow": ("mastercard", "4444"),
    "lost": ("visa", "1881"),
    "doubled": ("amex", "8431"),
}
HOW_OFTEN = {"lost": 0, "doubled": 2}
SLOW_SECONDS = 8.0


class Payments:
    """``send(kind, thing, times)`` sends an event; ``later(seconds, do)`` is how time passes."""

    def __init__(
        self, state: State, *, send: Callable[[str, dict[str, Any], int], None],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:  # fmt: skip
        self.state = state
        self.send = send
        self.later = later

    def session(self, session_id: str) -> dict[str, Any] | None:
        """A Checkout session as it is now: one whose time is over has expired."""
        found = self.state.find(session_id)
        if found and found["status"] == "open" and found["expires_at"] <= time.time():
            found["status"] = "expired"
            self.state.save(found)
            self.send("checkout.session.expired", found, 1)
        if found and found.get("pays_at", time.time() + 1) <= time.time():
            self.finish(session_id, paid=True)  # whoever was to do it has been restarted
            found = self.state.find(session_id)
        return found

    def expire(self, session: dict[str, Any]) -> dict[str, Any]:
        session["status"] = "expired"
        self.state.save(session)
        self.send("checkout.session.expired", session, 1)
        return session

    def pay(self, session_id: str, card: str) -> bool:
        """Whether the card was taken. A session is paid once."""
        with self.state.lock:
            session = self.session(session_id)
            if session is None or session["status"] != "open" or card == "declined":
                return False
            intent = self._intent(session, paid=card != "slow")
            session |= {"status": "complete", "payment_intent": intent["id"],
                        "payment_status": "unpaid" if card == "slow" else "paid"}  # fmt: skip
            if card == "slow":
                session["pays_at"] = time.time() + SLOW_SECONDS
            self.state.save(session)
        self.send("checkout.session.completed", session, HOW_OFTEN.get(card, 1))
        if card == "slow":
            self.later(SLOW_SECONDS, lambda: self.finish(session_id, paid=True))
        return True

    def save_card(self, session_id: str, card: str) -> bool:
        """The end of a session in setup mode: the card can be charged later."""
        with self.state.lock:
            session = self.session(session_id)
            if session is None or session["status"] != "open" or card not in SAVED_CARDS:
                return False
            brand, last_four = SAVED_CARDS[card]
            method = self.state.add(
                "payment_method", "pm",
                {"type": "card", "card": {"brand": brand, "last4": last_four}, "behaves": card,
                 "customer": session["customer"]},
            )  # fmt: skip
            intent = self.state.find(session["setup_intent"]) or {}
            intent |= {"status": "succeeded", "payment_method": method["id"]}
            self.state.save(intent)
            session["status"] = "complete"
            self.state.save(session)
        self.send("checkout.session.completed", session, HOW_OFTEN.get(card, 1))
        return True

    def charge_saved(self, wanted: dict[str, Any], method: dict[str, Any]) -> dict[str, Any]:
        """A payment intent that is confirmed at once, with nobody present."""
        card = method["behaves"]
        intent = self.state.add(
            "payment_intent", "pi",
            wanted | {"status": "processing", "latest_charge": None, "amount_received": 0,
                      "last_payment_error": None, "payment_method": method["id"]},
        )  # fmt: skip
        if card == "slow":
            intent["pays_at"] = time.time() + SLOW_SECONDS
            self.state.save(intent)
            self.send("payment_intent.processing", intent, 1)
            self.later(SLOW_SECONDS, lambda: self.finish_intent(intent["id"], paid=True))
        elif card == "declined":
            self._decline(intent)
        else:
            self._succeed(intent, HOW_OFTEN.get(card, 1))
        return self.state.find(intent["id"]) or {}

    def intent(self, intent_id: str) -> dict[str, Any] | None:
        """A payment intent as it is now."""
        found = self.state.find(intent_id)
        if found and found.get("pays_at", time.time() + 1) <= time.time():
            self.finish_intent(intent_id, paid=True)
            found = self.state.find(intent_id)
        return found

    def finish_intent(self, intent_id: str, *, paid: bool) -> None:
        """The end of a slow one."""
        intent = self.state.find(intent_id) or {}
        if intent.pop("pays_at", None) is None:
            return
        if paid:
            self._succeed(intent, 1)
        else:
            self._decline(intent)

    def _succeed(self, intent: dict[str, Any], times: int) -> None:
        intent |= {"status": "succeeded", "amount_received": intent["amount"],
                   "latest_charge": self._charge(intent)["id"]}  # fmt: skip
        self.state.save(intent)
        self.send("payment_intent.succeeded", intent, times)

    def _decline(self, intent: dict[str, Any]) -> None:
        intent |= {
            "status": "requires_payment_method",
            "last_payment_error": {"code": "card_declined", "decline_code": "insufficient_funds"},
        }
        self.state.save(intent)
        self.send("payment_intent.payment_failed", intent, 1)

    def finish(self, session_id: str, *, paid: bool) -> None:
        """The end of a slow payment."""
        session = self.state.find(session_id) or {}
        intent = self.state.find(session["payment_intent"]) or {}
        if session.pop("pays_at", None) is None:
            return  # it is over already
        if paid:
            session["payment_status"] = "paid"
            intent |= {"status": "succeeded", "amount_received": intent["amount"],
                       "latest_charge": self._charge(intent)["id"]}  # fmt: skip
        else:
            intent["status"] = "requires_payment_method"
        self.state.save(intent)
        self.state.save(session)
        outcome = "succeeded" if paid else "failed"
        self.send(f"checkout.session.async_payment_{outcome}", session, 1)

    def refund(self, intent_id: str, amount: int = 0) -> None:
        """Give back ``amount``, or what is left, as somebody does in Stripe's own pages."""
        charge = self.charge_of(intent_id)
        charge["amount_refunded"] += amount or charge["amount"] - charge["amount_refunded"]
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.state.save(charge)
        self.send("charge.refunded", charge, 1)

    def refund_fails(self, intent_id: str, amount: int) -> None:
        """The bank did not take a refund: the money is back with us."""
        charge = self.charge_of(intent_id)
        charge |= {"amount_refunded": charge["amount_refunded"] - amount, "refunded": False}
        self.state.save(charge)
        refund = self.state.add(
            "refund", "re",
            {"amount": amount, "payment_intent": intent_id, "status": "failed"},
        )  # fmt: skip
        self.send("refund.failed", refund, 1)

    def dispute(self, intent_id: str) -> str:
        """The card's owner says it was not them: the bank takes the money back."""
        charge = self.charge_of(intent_id)
        dispute = self.state.add(
            "dispute", "dp",
            {"amount": charge["amount"], "currency": charge["currency"], "charge": charge["id"],
             "payment_intent": intent_id, "status": "needs_response"},
        )  # fmt: skip
        self.send("charge.dispute.funds_withdrawn", dispute, 1)
        return dispute["id"]

    def win(self, dispute_id: str) -> None:
        dispute = self.state.find(dispute_id) or {}
        dispute["status"] = "won"
        self.state.save(dispute)
        self.send("charge.dispute.funds_reinstated", dispute, 1)

    def charge_of(self, intent_id: str) -> dict[str, Any]:
        intent = self.state.find(intent_id) or {}
        return self.state.find(intent["latest_charge"]) or {}

    def _intent(self, session: dict[str, Any], *, paid: bool) -> dict[str, Any]:
        intent = self.state.add(
            "payment_intent", "pi",
            {"amount": session["amount_total"], "currency": session["currency"],
             "metadata": session["intent_metadata"], "latest_charge": None,
             "amount_received": session["amount_total"] if paid else 0,
             "last_payment_error": None, "status": "succeeded" if paid else "processing"},
        )  # fmt: skip
        if paid:
            intent["latest_charge"] = self._charge(intent)["id"]
            self.state.save(intent)
        return intent

    def _charge(self, intent: dict[str, Any]) -> dict[str, Any]:
        return self.state.add(
            "charge", "ch",
            {"amount": intent["amount"], "amount_refunded": 0, "currency": intent["currency"],
             "metadata": intent["metadata"], "payment_intent": intent["id"], "refunded": False},
        )  # fmt: skip
