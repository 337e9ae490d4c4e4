"""The simulator as a process of its own, over real sockets, as in ``make run``."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from telephony import client, provider
from telephony.errors import NotConfigured, ProviderError, ProviderUnavailable
from telephony.simulator.fixtures import CREDENTIALS
from telephony.simulator.server import Handler, Server
from telephony.tests.conftest import exchange_of
from telephony.tests.contract_cases import ME, list_owned
from telephony.values import Capability, NumberQuery, NumberType, OwnedNumber, Webhooks
from telephony.webhook_urls import webhooks_for_numbers

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20
PATIENCE = 1.0  # how long our side waits for an answer that will not come
HOOKS = webhooks_for_numbers(list(Capability))


class Process:
    """``python -m telephony.simulator``, started and stopped like any other server."""

    def __init__(self, state: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.state = state
        self.base = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = ("-m", "telephony.simulator", "--port", str(self.port), "--state", self.state)
        pair = {"TWILIO_ACCOUNT_SID": CREDENTIALS.account, "TWILIO_AUTH_TOKEN": CREDENTIALS.token}
        self.process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=os.environ | pair)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.end(signal.SIGKILL)
        pytest.fail(f"the simulator did not start within {START_SECONDS} s")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=10)

    def fault(self, kind: str, **match: Any) -> None:
        requests.post(f"{self.base}/_simulator/faults", json={"kind": kind, **match}, timeout=5)

    def told(self) -> dict[str, Any]:
        return requests.get(f"{self.base}/_simulator/state", timeout=5).json()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("simulator") / "state.sqlite3")
    yield process
    process.end()


@pytest.fixture(autouse=True)
def _ours(process: Process, settings: Any) -> Iterator[None]:
    """The adapter with a session of its own, pointed at the process, on a clean slate."""
    requests.post(f"{process.base}/_simulator/reset", timeout=5)
    settings.TWILIO_API_BASE = process.base
    settings.TWILIO_ACCOUNT_SID = CREDENTIALS.account
    settings.TWILIO_AUTH_TOKEN = CREDENTIALS.token
    settings.TWILIO_API_KEY_SID = settings.TWILIO_API_KEY_SECRET = ""
    client._client.cache_clear()
    yield
    client._client.cache_clear()


@pytest.fixture
def impatient(settings: Any) -> Callable[[str], ProviderError]:
    """A purchase that hangs up early; what follows has time again."""

    def try_to_buy(e164: str) -> ProviderError:
        enough, settings.TWILIO_TIMEOUT_SECONDS = settings.TWILIO_TIMEOUT_SECONDS, PATIENCE
        error = failed_purchase(e164)
        settings.TWILIO_TIMEOUT_SECONDS = enough
        return error

    return try_to_buy


@pytest.fixture
def e164() -> str:
    query = NumberQuery(country="US", number_type=NumberType.LOCAL, area_code="212", limit=1)
    return provider.search(query)[0].e164


def buy(e164: str, **more: Any) -> OwnedNumber:
    return provider.buy(e164=e164, **{"friendly_name": "Front desk", "webhooks": HOOKS} | more)


def failed_purchase(e164: str) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        buy(e164)
    return raised.value


def appears(e164: str, *, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if provider.find(e164=e164):
            return True
        time.sleep(0.1)
    return False


def test_a_number_is_found_bought_configured_and_given_back(process, e164):
    bought = buy(e164)
    assert provider.find(e164=e164) == provider.fetch(sid=bought.sid) == bought
    assert [number.e164 for number in list_owned()] == [e164]
    assert provider.configure(sid=bought.sid, friendly_name="Night desk").webhooks == HOOKS
    provider.release(sid=bought.sid)
    assert list(list_owned()) == []
    assert [purchase["e164"] for purchase in process.told()["purchases"]] == [e164]


def test_an_answer_that_got_lost_leaves_a_number_that_is_found(process, e164):
    process.fault("answer_lost", method="POST")
    error = failed_purchase(e164)
    assert (type(error), error.outcome_unknown) == (ProviderUnavailable, True)
    assert provider.find(e164=e164).webhooks == HOOKS


def test_buying_again_after_a_lost_answer_costs_once(process, e164):
    process.fault("answer_lost", method="POST")
    failed_purchase(e164)
    assert buy(e164) == provider.find(e164=e164)
    assert len(process.told()["purchases"]) == 1


def test_a_request_that_never_arrived_has_bought_nothing(process, e164, impatient):
    process.fault("timeout_before", method="POST", seconds=2 * PATIENCE)
    assert impatient(e164).outcome_unknown is True
    assert not appears(e164, within=2 * PATIENCE)
    assert process.told()["purchases"] == []


def test_a_slow_purchase_is_made_after_we_have_hung_up(process, e164, impatient):
    process.fault("slow", method="POST", seconds=5 * PATIENCE)
    assert impatient(e164).outcome_unknown is True
    assert provider.find(e164=e164) is None  # asking at once says nothing
    assert appears(e164, within=20)


def test_a_slow_answer_within_our_patience_is_an_answer(process, e164):
    process.fault("slow", method="POST", seconds=PATIENCE / 2)
    assert buy(e164).e164 == e164


def test_a_500_after_the_purchase_leaves_a_number_that_is_found(process, e164):
    process.fault("error_after", method="POST")
    error = failed_purchase(e164)
    assert (error.http_status, error.outcome_unknown) == (500, True)
    assert provider.find(e164=e164)


@pytest.mark.parametrize(
    ("kind", "status", "unknown"),
    [
        ("server_error", 500, True), ("unavailable", 503, True), ("not_json", 502, True),
        ("rate_limited", 429, False),
    ],
)  # fmt: skip
def test_a_refusal_before_the_purchase_has_bought_nothing(process, e164, kind, status, unknown):
    process.fault(kind, method="POST")
    error = failed_purchase(e164)
    assert (error.http_status, error.outcome_unknown) == (status, unknown)
    assert provider.find(e164=e164) is None


def test_wrong_credentials_are_rejected(e164, settings):
    settings.TWILIO_AUTH_TOKEN = "wrong"
    with pytest.raises(NotConfigured):
        buy(e164)


def test_eight_who_buy_the_same_number_at_once_buy_it_once(process, e164):
    with ThreadPoolExecutor(8) as pool:
        bought = list(pool.map(lambda _: buy(e164), range(8)))
    assert len({number.sid for number in bought}) == 1
    assert len(process.told()["purchases"]) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_owned_survives_a_restart(process, e164, how):
    bought = buy(e164)
    balance = provider.balance()
    code = process.end(how)
    refused = failed_purchase(e164)
    process.start()
    assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)
    assert (type(refused), refused.outcome_unknown) == (ProviderUnavailable, False)
    assert provider.fetch(sid=bought.sid) == bought
    assert provider.balance() == balance


def test_the_answers_are_the_same_over_a_socket(process, hold_against_contract):
    pair = (CREDENTIALS.account, CREDENTIALS.token)
    for path in (f"{ME}.json", f"{ME}/IncomingPhoneNumbers.json", f"{ME}/Nothing.json"):
        headers = {"Host": "api.twilio.com"}
        response = requests.get(process.base + path, auth=pair, headers=headers, timeout=5)
        hold_against_contract(exchange_of(response))


def test_its_page_says_that_nothing_here_is_real(process, e164):
    buy(e164, webhooks=Webhooks())
    answer = requests.get(process.base, timeout=5)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Nothing here is real" in answer.text
    assert e164 in answer.text


def test_a_defect_of_the_simulator_is_a_500_and_no_lost_connection(capfd):
    def broken(environ: Any, start_response: Any) -> list[bytes]:
        raise ZeroDivisionError

    server = Server(("127.0.0.1", 0), Handler)
    server.set_app(broken)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    answer = requests.get(f"http://127.0.0.1:{server.server_port}/", timeout=5)
    server.shutdown()
    thread.join(5)
    server.server_close()
    assert (answer.status_code, answer.json()["code"]) == (500, 20500)
    assert "ZeroDivisionError" in capfd.readouterr().err
