"""The simulator over HTTP: one thread a connection, kept alive, stopped by a signal."""

import signal
import socket
import socketserver
import sys
import threading
from typing import IO, Any, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from telephony.simulator.app import SimulatedTwilio
from telephony.simulator.faults import ConnectionDropped
from telephony.simulator.wire import error


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of ours."""


class _Answering(ServerHandler):
    http_version = "1.1"

    def log_exception(self, exc_info: Any) -> None:
        if not isinstance(exc_info[1], ConnectionDropped):
            super().log_exception(exc_info)

    def error_output(self, environ: Any, start_response: Any) -> list[bytes]:
        if isinstance(sys.exc_info()[1], ConnectionDropped):
            raise ConnectionDropped  # close without a byte of an answer
        return list(error(500, 20500, "Internal Server Error").send(start_response, ""))


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        self.close_connection = True
        self.handle_one()
        while not self.close_connection:
            self.handle_one()

    def handle_one(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        handler = _Answering(
            self.rfile,
            cast(IO[bytes], self.wfile),
            self.get_stderr(),
            self.get_environ(),
            multithread=True,
        )
        handler.request_handler = self  # type: ignore[attr-defined]  # wsgiref reads it
        try:
            handler.run(self.server.get_app())  # type: ignore[attr-defined]
        except ConnectionDropped:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the simulator's own log says what was asked."""


def serve(app: SimulatedTwilio, *, host: str, port: int) -> None:
    """Until SIGTERM or SIGINT."""
    server = Server((host, port), Handler)
    server.set_app(app)

    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
