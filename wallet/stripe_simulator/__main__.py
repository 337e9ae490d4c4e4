"""``python -m wallet.stripe_simulator --port 8002 --state stripe.sqlite3 --webhook http://…``

The key comes from STRIPE_API_KEY, the secret of the webhook from STRIPE_WEBHOOK_SECRET.
"""

import argparse
import os
import signal
import socketserver
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from wallet.stripe_simulator import webhooks
from wallet.stripe_simulator.app import SimulatedStripe
from wallet.stripe_simulator.payments import Payments
from wallet.stripe_simulator.state import State


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """The pages show what happened."""


def simulated(*, state: State, api_key: str, secret: str, webhook: str) -> SimulatedStripe:
    send = webhooks.sender(state, secret, webhooks.over_http(webhook))
    return SimulatedStripe(
        api_key=api_key, state=state, payments=Payments(state, send=send, later=later)
    )


def later(seconds: float, do: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()


def main() -> None:
    parser = argparse.ArgumentParser(description="Stripe's side of the wire, simulated.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", default=":memory:", help="the SQLite file that remembers")
    parser.add_argument("--webhook", required=True, help="where events are sent")
    options = parser.parse_args()
    app = simulated(
        state=State(options.state), api_key=os.environ["STRIPE_API_KEY"],
        secret=os.environ["STRIPE_WEBHOOK_SECRET"], webhook=options.webhook,
    )  # fmt: skip
    server = Server((options.host, options.port), Quiet)
    server.set_app(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
