"""A client that asks a server over kept connections, and costs little beside it."""

import selectors
import socket
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

CONNECTIONS = 8
START_SECONDS = 60.0


class Server:
    """A process that listens on a port of its own."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.command, self.env = [*command, "--port", str(self.port)], env

    @contextmanager
    def running(self) -> Iterator["Server"]:
        process = subprocess.Popen(self.command, env=self.env)
        try:
            self._wait()
            yield self
        finally:
            process.terminate()
            process.wait(20)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.connect().close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.command} did not start")

    def connect(self) -> socket.socket:
        link = socket.create_connection(("127.0.0.1", self.port), 30)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link


def post(path: str, fields: dict[str, str], *, base: str, token: str) -> bytes:
    """A signed request, ready to be sent."""
    signature = RequestValidator(token).compute_signature(base + path, fields)
    body = urlencode(fields).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Twilio-Signature: {signature}\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Link:
    """One connection with at most one request under way."""

    def __init__(self, server: Server) -> None:
        self.socket = server.connect()
        self.since = 0.0
        self.read = b""

    def ask(self, request: bytes, since: float) -> None:
        self.since, self.read = since, b""
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """What came back, once it is complete."""
        part = self.socket.recv(65536)
        if not part:
            raise RuntimeError("the server closed the connection")
        self.read += part
        head, found, body = self.read.partition(b"\r\n\r\n")
        if not found:
            return None
        lowered = head.lower()
        if b"content-length:" in lowered:
            length = int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
            return self.read if len(body) >= length else None
        return self.read if body.endswith(b"0\r\n\r\n") else None


def answers_per_second(server: Server, requests: list[bytes], *, expected: bytes) -> float:
    """As fast as they are answered, over several connections."""
    began = time.perf_counter()
    _ask(server, requests, rate=None, expected=expected)
    return len(requests) / (time.perf_counter() - began)


def latencies(server: Server, requests: list[bytes], *, rate: float) -> list[float]:
    """Seconds from when each was due, at so many a second, to its whole answer: a server
    that is late for one is late for all that wait behind it.
    """
    return _ask(server, requests, rate=rate, expected=b"")


def _ask(
    server: Server, requests: list[bytes], *, rate: float | None, expected: bytes
) -> list[float]:
    links = [_Link(server) for _ in range(CONNECTIONS * (4 if rate else 1))]
    free, times = deque(links), []
    waiting = deque(requests)
    began = time.perf_counter()
    sent = 0
    with selectors.DefaultSelector() as selector:
        for link in links:
            selector.register(link.socket, selectors.EVENT_READ, link)
        while len(times) < len(requests):
            now = time.perf_counter()
            while free and waiting and (rate is None or began + sent / rate <= now):
                due = began + sent / rate if rate else now
                free.popleft().ask(waiting.popleft(), due)
                sent += 1
            pause = max(began + sent / rate - now, 0) if rate and waiting and free else 1.0
            for key, _events in selector.select(pause):
                link = key.data
                answer = link.answer()
                if answer is None:
                    continue
                if b" 200 " not in answer[:16] or expected not in answer:
                    raise RuntimeError(f"not the answer expected: {answer[:500]!r}")
                times.append(time.perf_counter() - link.since)
                free.append(link)
    for link in links:
        link.socket.close()
    return times
