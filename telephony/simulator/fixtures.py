"""The pytest fixture that puts the simulator at the network edge."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client

from telephony import client
from telephony.simulator.app import Credentials, SimulatedTwilio
from telephony.simulator.in_process import Simulator, WSGIAdapter
from telephony.simulator.postman import Reply
from telephony.simulator.state import State

BASE = "http://simulator.test"
CREDENTIALS = Credentials("AC" + "1" * 32, "live-token")


def to_django(address: str, body: str, headers: dict[str, str], seconds: float) -> Reply:
    """Webhooks reach the whole of Django in this process."""
    parts = urlsplit(address)
    answer = Client(raise_request_exception=False).post(
        f"{parts.path}?{parts.query}" if parts.query else parts.path, body,
        content_type=headers["Content-Type"], HTTP_HOST=parts.netloc,
        HTTP_X_TWILIO_SIGNATURE=headers["X-Twilio-Signature"],
    )  # fmt: skip
    return Reply(answer.status_code, answer.get("Content-Type", ""), answer.content)


@pytest.fixture
def simulator(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A provider of one's own, with nothing owned and nothing failing."""
    app = SimulatedTwilio(CREDENTIALS, State(), transport=to_django)

    def open_session() -> requests.Session:
        session = requests.Session()
        session.mount(BASE, WSGIAdapter(app))
        return session

    settings.TWILIO_API_BASE = BASE
    settings.TWILIO_ACCOUNT_SID = CREDENTIALS.account
    settings.TWILIO_AUTH_TOKEN = CREDENTIALS.token
    settings.TWILIO_API_KEY_SID = settings.TWILIO_API_KEY_SECRET = ""
    monkeypatch.setattr(client, "open_session", open_session)
    client._client.cache_clear()
    yield Simulator(app)
    client._client.cache_clear()
