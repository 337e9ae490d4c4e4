import socket
from collections.abc import Iterator

import pytest

from embedded import ports
from embedded.problem import Problem


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_busy_port_names_the_fix(busy_port: int):
    with pytest.raises(Problem, match=rf"Port {busy_port} is in use.*make run PORT="):
        ports.must_be_free(busy_port)


def test_simulator_takes_the_first_free_port(busy_port: int):
    assert ports.for_simulator({}, busy_port) > busy_port


def test_simulator_port_can_be_set(busy_port: int):
    assert ports.for_simulator({"SIMULATOR_PORT": "8123"}, busy_port) == 8123


@pytest.mark.parametrize("text", ["http", "-1", "0", "65536", "８０００", "80.5"])
def test_what_is_no_port_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", text)
    with pytest.raises(Problem, match="PORT="):
        ports.web_port()
