"""Credentials and transport: who asks, where, and for how long it waits."""

import base64

import pytest
import requests

from telephony import client, provider
from telephony.errors import NotConfigured
from telephony.simulator.app import SimulatedTwilio
from telephony.tests.contract_cases import NEW_YORK, list_owned
from telephony.tests.test_errors import EVERYTHING
from telephony.values import Webhooks

KEY, SECRET = "SK" + "9" * 32, "key-secret"
every_call = pytest.mark.parametrize("call", EVERYTHING.values(), ids=EVERYTHING)


def user_of(request: requests.PreparedRequest) -> str:
    pair = request.headers["Authorization"].removeprefix("Basic ")
    return base64.b64decode(pair).decode().split(":")[0]


@every_call
@pytest.mark.parametrize("seconds", [10.0, 2.5])
def test_each_call_carries_the_timeout(call, seconds, simulator, edge, settings):
    settings.TWILIO_TIMEOUT_SECONDS = seconds
    wire = edge(raises=requests.exceptions.ReadTimeout("no answer"))
    with pytest.raises(Exception, match="ReadTimeout"):
        call()
    assert [timeout for _, timeout in wire.asked] == [seconds]


def test_every_following_page_carries_the_timeout_too(simulator, exchanges):
    simulator.seed_many(f"+1212{2000000 + n}" for n in range(30))
    list(list_owned(page_size=10))
    assert [exchange.timeout for exchange in exchanges] == [10.0] * 3


@every_call
@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"), "missing"),
        (("TWILIO_ACCOUNT_SID",), "half_set"),
        (("TWILIO_AUTH_TOKEN",), "half_set"),
    ],
)
def test_incomplete_credentials_are_refused_before_anything_is_sent(
    call, missing, reason, simulator, settings
):
    for name in missing:
        setattr(settings, name, "")
    with pytest.raises(NotConfigured) as refused:
        call()
    assert refused.value.reason == reason
    assert simulator.requests == []


@pytest.mark.parametrize(("key", "secret"), [(KEY, ""), ("", SECRET)])
def test_half_an_api_key_is_refused_before_anything_is_sent(key, secret, simulator, settings):
    settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET = key, secret
    with pytest.raises(NotConfigured) as refused:
        provider.balance()
    assert refused.value.reason == "half_set"
    assert simulator.requests == []


def test_an_api_key_without_the_auth_token_is_half_set(simulator, settings):
    """The token checks the signature of webhooks: without it no call would be answered."""
    settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET = KEY, SECRET
    settings.TWILIO_AUTH_TOKEN = ""
    assert client.credential_state() == "half_set"


@pytest.fixture
def with_api_key(simulator, settings) -> SimulatedTwilio:
    settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET = KEY, SECRET
    pair = simulator.app.credentials
    simulator.app.credentials = type(pair)(pair.account, pair.token, KEY, SECRET)
    return simulator.app


def test_an_api_key_works_beside_the_account(with_api_key, exchanges):
    bought = provider.buy(e164=NEW_YORK, friendly_name="Desk", webhooks=Webhooks())
    assert provider.find(e164=NEW_YORK) == bought
    assert provider.account().sid == with_api_key.credentials.account
    assert exchanges[0].path.split("/")[3] == with_api_key.credentials.account


def test_with_an_api_key_the_token_is_not_sent(with_api_key, edge):
    wire = edge(text='{"balance": "1.00", "currency": "USD"}')
    provider.balance()
    assert user_of(wire.asked[0][0]) == KEY


def test_an_api_key_that_is_not_known_is_rejected(simulator, settings):
    settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET = KEY, "another secret"
    with pytest.raises(NotConfigured) as refused:
        provider.balance()
    assert refused.value.reason == "rejected"


def test_without_a_simulator_calls_go_to_twilio(edge, settings, monkeypatch):
    wire = edge(text='{"balance": "1.00", "currency": "USD"}')
    session = requests.Session()
    session.mount("https://api.twilio.com", wire)
    monkeypatch.setattr(client, "open_session", lambda: session)
    settings.TWILIO_API_BASE = ""
    client._client.cache_clear()
    provider.balance()
    request, _ = wire.asked[0]
    account = settings.TWILIO_ACCOUNT_SID
    assert request.url == f"https://api.twilio.com/2010-04-01/Accounts/{account}/Balance.json"


def test_changed_credentials_are_used_at_once(simulator, settings):
    provider.balance()
    settings.TWILIO_AUTH_TOKEN = "wrong"
    with pytest.raises(NotConfigured):
        provider.balance()


def test_redirects_are_not_followed(edge):
    wire = edge(status=302, text="")
    with pytest.raises(Exception, match="HTTP 302"):
        provider.buy(e164=NEW_YORK, friendly_name="", webhooks=Webhooks())
    assert len(wire.asked) == 1
