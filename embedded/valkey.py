"""The embedded Valkey: Celery's broker (database 0) and the cache (database 1)."""

import socket
from collections.abc import Sequence
from pathlib import Path

from embedded import binaries
from embedded.part import Part

START_SECONDS = 60.0  # loading what it had kept may take a while


class Valkey:
    def __init__(
        self, *, data: Path, runtime: Path, log: Path, durable: bool, keep_open: Sequence[int] = ()
    ) -> None:
        self.data = data
        self.socket = runtime / "valkey.sock"
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "appendonly": "yes" if durable else "no",
            "save": "",
        }
        self.part = Part(
            name="Valkey",
            command=[
                binaries.valkey_server(),
                *(word for name, value in settings.items() for word in (f"--{name}", value)),
            ],
            log=log,
            keep_open=keep_open,
        )

    @property
    def broker_url(self) -> str:
        """In kombu's form for a unix socket."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        """In redis-py's form, which Django's cache hands on."""
        return f"unix://{self.socket}?db=1"

    def start(self) -> None:
        """Returns when commands are answered."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.part.start()
        self.part.wait_until(self._answers, seconds=START_SECONDS)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")  # -LOADING until it is ready
            except OSError:
                return False
