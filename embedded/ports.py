"""Ports of this machine."""

import errno
import http.client
import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from embedded.problem import Problem

HOST = "127.0.0.1"


def web_port() -> int:
    return _parse(os.environ.get("PORT") or "8000", "PORT")


def must_be_free(port: int) -> None:
    try:
        _bind(port)
    except OSError as error:
        reason = "in use" if error.errno == errno.EADDRINUSE else "not allowed"
        other = port + 10 if 1024 <= port < 65000 else 8010
        raise Problem(f"Port {port} is {reason}. Choose another: make run PORT={other}") from error


def for_simulator(env: Mapping[str, str], first: int) -> int:
    """SIMULATOR_PORT, or the first free port from `first` up."""
    return _wanted_or_free(env, "SIMULATOR_PORT", first)


def for_stripe_simulator(env: Mapping[str, str], first: int) -> int:
    """STRIPE_SIMULATOR_PORT, or the first free port from `first` up."""
    return _wanted_or_free(env, "STRIPE_SIMULATOR_PORT", first)


def _wanted_or_free(env: Mapping[str, str], name: str, first: int) -> int:
    if wanted := env.get(name):
        return _parse(wanted, name)
    for port in range(first, min(first + 100, 65536)):
        with suppress(OSError):
            _bind(port)
            return port
    raise Problem(f"No port is free from {first} up: set {name}=")


def accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1.0):
            return True
    except OSError:
        return False


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _bind(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))


def _parse(text: str, name: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise Problem(f"{name}={text} is not a port, which is a number from 1 to 65535.")
