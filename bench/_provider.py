"""The simulated provider as a program of its own, as the product meets it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from telephony import client


@contextmanager
def simulated_provider(state: Path) -> Iterator[None]:
    """Our client talks to it until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "telephony.simulator", "--port", str(port), "--state", str(state)]
    )
    base, settings.TWILIO_API_BASE = settings.TWILIO_API_BASE, f"http://127.0.0.1:{port}"
    client._client.cache_clear()
    try:
        _wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(10)
        settings.TWILIO_API_BASE = base
        client._client.cache_clear()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the simulator did not start")
