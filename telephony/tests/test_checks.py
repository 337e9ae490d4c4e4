"""The system checks: what would keep the provider from working, said at the start."""

import pytest
from django.core import checks

from telephony.checks import provider_is_configured, webhooks_can_arrive


def codes(*messages: checks.CheckMessage) -> list[str]:
    return [message.id for message in messages]


@pytest.fixture
def credentials(settings):
    def put(sid="", token="", key="", secret="") -> None:
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = sid, token
        settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET = key, secret

    return put


def test_no_account_at_all_is_a_warning(credentials):
    credentials()
    [warning] = provider_is_configured(None)
    assert (warning.id, warning.level) == ("telephony.W001", checks.WARNING)
    assert "no number can be bought" in warning.msg


@pytest.mark.parametrize(
    "half",
    [
        {"sid": "AC1"},
        {"token": "secret"},
        {"sid": "AC1", "token": "secret", "key": "SK1"},
        {"sid": "AC1", "token": "secret", "secret": "key-secret"},
        {"sid": "AC1", "key": "SK1", "secret": "key-secret"},
        {"key": "SK1", "secret": "key-secret"},
    ],
)
def test_half_an_account_is_an_error(credentials, half):
    credentials(**half)
    [error] = provider_is_configured(None)
    assert (error.id, error.level) == ("telephony.E001", checks.ERROR)
    assert "TWILIO_AUTH_TOKEN" in error.hint


@pytest.mark.parametrize("extra", [{}, {"key": "SK1", "secret": "key-secret"}])
def test_a_whole_account_is_fine(credentials, extra):
    credentials(sid="AC1", token="secret", **extra)
    assert provider_is_configured(None) == []


@pytest.mark.parametrize(
    "address", ["http://desk.example", "http://127.0.0.1:8000", "desk.example"]
)
def test_an_address_that_the_provider_cannot_reach_is_an_error(settings, address):
    settings.DEMO_MODE, settings.PUBLIC_BASE_URL = False, address
    [error] = webhooks_can_arrive(None)
    assert (error.id, error.level) == ("telephony.E002", checks.ERROR)
    assert address in error.msg


def test_an_https_address_is_fine_and_a_demo_needs_none(settings):
    settings.DEMO_MODE, settings.PUBLIC_BASE_URL = False, "https://desk.example"
    assert webhooks_can_arrive(None) == []
    settings.DEMO_MODE, settings.PUBLIC_BASE_URL = True, "http://127.0.0.1:8000"
    assert webhooks_can_arrive(None) == []


def test_the_checks_run_with_all_others(credentials, settings):
    credentials(sid="AC1")
    settings.DEMO_MODE, settings.PUBLIC_BASE_URL = False, "http://desk.example"
    assert {"telephony.E001", "telephony.E002"} <= set(codes(*checks.run_checks()))
