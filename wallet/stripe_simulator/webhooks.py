"""Signed events, sent as Stripe sends them: again after a while unless they were taken."""

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from wallet.stripe_simulator.state import State

# Gets the body and the signature; returns the status that came back, 0 for none.
Deliver = Callable[[bytes, str], int]
TRIES = 4
PAUSE = 2.0


def signature(body: bytes, secret: str, at: int | None = None) -> str:
    moment = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={mac.hexdigest()}"


def event(state: State, kind: str, thing: dict[str, Any]) -> bytes:
    made = state.add(
        "event", "evt",
        {"api_version": "2026-01-01", "created": int(time.time()), "livemode": False,
         "type": kind, "data": {"object": thing}},
    )  # fmt: skip
    return json.dumps(made).encode()


def over_http(url: str) -> Deliver:
    def deliver(body: bytes, header: str) -> int:
        headers = {"Content-Type": "application/json", "Stripe-Signature": header}
        request = urllib.request.Request(url, body, headers)  # noqa: S310  our own address
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    return deliver


def sender(state: State, secret: str, deliver: Deliver) -> Callable[..., None]:
    """In a thread of its own, so that whoever pays does not wait for the webhook."""

    def send(kind: str, thing: dict[str, Any], times: int) -> None:
        body = event(state, kind, thing)
        for _ in range(times):
            threading.Thread(target=_until_taken, args=(body, secret, deliver)).start()

    return send


def _until_taken(body: bytes, secret: str, deliver: Deliver) -> None:
    for _ in range(TRIES):
        if 200 <= deliver(body, signature(body, secret)) < 300:
            return
        time.sleep(PAUSE)
