"""What the tests of the provider share: every answer is held against the contract."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from telephony import client
from telephony.simulator.fixtures import BASE, CREDENTIALS
from telephony.simulator.in_process import Simulator
from telephony.tests.wire_shapes import differences

# The provider's own OpenAPI files, where they stand beside the checkout. Our recorded shapes
# are checked always.
JUDGE = Path(__file__).resolve().parents[3] / "shared" / "twilio" / "judge.py"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, as they went over the wire."""

    method: str
    url: str
    fields: dict[str, str]
    status: int
    text: str
    headers: dict[str, str]
    timeout: Any = None

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def body(self) -> Any:
        """The answer's JSON; None where there is none, as with a picture."""
        is_json = self.headers.get("Content-Type", "json").endswith("json")
        return json.loads(self.text) if self.text and is_json else None


def exchange_of(response: requests.Response, timeout: Any = None) -> Exchange:
    asked = response.request
    url = urlsplit(str(asked.url))
    sent = asked.body or ""
    form = sent.decode() if isinstance(sent, bytes) else str(sent)
    return Exchange(
        method=str(asked.method),
        url=f"https://{asked.headers['Host']}{url.path}",
        fields=dict(parse_qsl(f"{url.query}&{form}", keep_blank_values=True)),
        status=response.status_code,
        text=response.text,
        headers=dict(response.headers),
        timeout=timeout,
    )


@pytest.fixture(scope="session")
def judge() -> Any:
    """Checks against the provider's OpenAPI files; None where they are not there."""
    if not JUDGE.exists():
        return None
    spec = importlib.util.spec_from_file_location("judge", JUDGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Judge(files=["api_v2010", "pricing_v1", "messaging_v1", "monitor_v1"])


@pytest.fixture
def hold_against_contract(judge: Any) -> Callable[[Exchange], None]:
    def hold(exchange: Exchange) -> None:
        if not exchange.headers.get("Content-Type", "json").endswith("json"):
            return  # a gateway's page of HTML: the contract has no word on it
        found = differences(exchange.method, exchange.path, exchange.status, exchange.body)
        if judge and exchange.status >= 400:
            found += judge.check_error(exchange.body, exchange.status)
        elif judge:
            found += judge.check(
                exchange.method, exchange.url, exchange.fields, exchange.status, exchange.body
            )
        assert found == [], f"{exchange.method} {exchange.url} {exchange.fields}"

    return hold


@pytest.fixture
def exchanges(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch,
    hold_against_contract: Callable[[Exchange], None],
) -> Iterator[list[Exchange]]:  # fmt: skip
    """Everything that the adapter and the SDK send and get in this test. Each answer is held
    against the contract when the test is over.
    """
    seen: list[Exchange] = []
    open_session = client.open_session

    def open_recorded() -> requests.Session:
        session = open_session()
        session.hooks["response"].append(
            lambda response, **how: seen.append(exchange_of(response, how.get("timeout")))
        )
        return session

    monkeypatch.setattr(client, "open_session", open_recorded)
    client._client.cache_clear()
    yield seen
    for exchange in seen:
        hold_against_contract(exchange)


@pytest.fixture
def ask(simulator: Simulator) -> Callable[..., Exchange]:
    """A request by hand: ``ask("GET", "/…", {"PageSize": "1"})``."""
    session = client.open_session()

    def send(
        method: str, path: str, fields: dict[str, str] | None = None,
        pair: tuple[str, str] = (CREDENTIALS.account, CREDENTIALS.token),
        host: str = "api.twilio.com",
    ) -> Exchange:  # fmt: skip
        kind = "params" if method == "GET" else "data"
        response = session.request(
            method, BASE + path, auth=pair, headers={"Host": host}, **{kind: fields}
        )
        return exchange_of(response)

    return send


class Edge(requests.adapters.BaseAdapter):
    """What answers instead of the simulator: always the same, or nothing but an exception."""

    def __init__(self, *, status: int, text: str, raises: Exception | None) -> None:
        super().__init__()
        self.status, self.text, self.raises = status, text, raises
        self.asked: list[tuple[requests.PreparedRequest, Any]] = []

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None,
        verify: Any = True, cert: Any = None, proxies: Any = None,
    ) -> requests.Response:  # fmt: skip
        self.asked.append((request, timeout))
        if self.raises:
            raise self.raises
        response = requests.Response()
        response.status_code, response.encoding = self.status, "utf-8"
        response._content = self.text.encode()
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        pass


@pytest.fixture
def edge(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Edge]:
    """``edge(status=200, text="…")`` or ``edge(raises=…)`` for what the simulator never does."""

    def put(*, status: int = 200, text: str = "", raises: Exception | None = None) -> Edge:
        adapter = Edge(status=status, text=text, raises=raises)

        def open_session() -> requests.Session:
            session = requests.Session()
            session.mount(BASE, adapter)
            return session

        monkeypatch.setattr(client, "open_session", open_session)
        client._client.cache_clear()
        return adapter

    return put
