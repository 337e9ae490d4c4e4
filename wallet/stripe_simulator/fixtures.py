"""The pytest fixture that puts the simulated Stripe at the network edge."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.test import Client

from wallet import stripe_client
from wallet.stripe_simulator import webhooks
from wallet.stripe_simulator.app import SimulatedStripe
from wallet.stripe_simulator.in_process import WSGIAdapter
from wallet.stripe_simulator.payments import Payments
from wallet.stripe_simulator.state import State

BASE = "http://stripe.test"
SECRET = "whsec_test"


class Stripe:
    """What a test holds in its hand. Webhooks wait in ``events`` until they are delivered."""

    def __init__(self) -> None:
        self.state = State()
        self.events: list[bytes] = []
        self.later: list[Callable[[], None]] = []
        self.payments = Payments(
            self.state, send=self._send, later=lambda _seconds, do: self.later.append(do)
        )
        self.app = SimulatedStripe(api_key="sk_test", state=self.state, payments=self.payments)

    def _send(self, kind: str, thing: dict[str, Any], times: int) -> None:
        self.events += [webhooks.event(self.state, kind, thing)] * times

    def deliver(self) -> list[int]:
        """Send every webhook that waits; returns the status of each answer."""
        waiting, self.events = self.events, []
        return [self.post(body) for body in waiting]

    def post(self, body: bytes, header: str | None = None) -> int:
        signed = header if header is not None else webhooks.signature(body, SECRET)
        return (
            Client()
            .post(
                "/webhooks/stripe/", body, content_type="application/json",
                headers={"Stripe-Signature": signed},
            )
            .status_code
        )  # fmt: skip


@pytest.fixture
def stripe(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stripe]:
    """A Stripe of one's own, with no payment in it and nothing failing."""
    held = Stripe()

    def open_session() -> requests.Session:
        session = requests.Session()
        session.mount(BASE, WSGIAdapter(held.app))
        return session

    settings.STRIPE_API_BASE = BASE
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test", SECRET
    monkeypatch.setattr(stripe_client, "open_session", open_session)
    stripe_client._client.cache_clear()
    yield held
    stripe_client._client.cache_clear()
