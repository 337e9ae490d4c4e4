"""Numbers of two workspaces, and the provider's side of the wire for one webhook at a time."""

import secrets
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from interactions.models import Medium, Route
from numbers.models import Number
from workspaces.models import User, Workspace

CALLER = "+14155550123"


def sid(letters: str = "CA") -> str:
    return letters + secrets.token_hex(16)


def make_number(workspace: Workspace, e164: str, **facts) -> Number:
    now = timezone.now()
    values = {
        "country": "US", "number_type": "local", "area_code": e164[2:5],
        "capabilities": ["mms", "sms", "voice"], "monthly_price": Decimal("1.38"),
        "provider_monthly_price": Decimal("1.15"), "currency": "USD",
        "provider_sid": sid("PN"), "webhooks_set_at": now, "created_at": now,
    }  # fmt: skip
    return Number.objects.create(workspace=workspace, e164=e164, **values | facts)


@pytest.fixture
def number(acme: Workspace) -> Number:
    return make_number(acme, "+12125550123")


@pytest.fixture
def other_number(globex: Workspace) -> Number:
    """A number of another workspace."""
    return make_number(globex, "+13105550199")


def set_route(number: Number, by: User, plan: dict, medium: str = Medium.VOICE, **facts) -> Route:
    Route.objects.in_force().filter(number=number, medium=medium).update(replaced_at=timezone.now())
    return Route.objects.create(
        workspace=number.workspace, number=number, medium=medium, plan=plan, saved_by=by,
        saved_at=timezone.now(), **facts,
    )  # fmt: skip


class Provider:
    """Sends signed webhooks through the whole of Django, as Twilio does."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.token = django_settings.TWILIO_AUTH_TOKEN

    def post(
        self, path: str, fields: dict[str, str], *, token: str = "", **headers: str
    ) -> HttpResponse:
        """``path`` begins after /webhooks/twilio/ or is a whole address from TwiML."""
        base = django_settings.PUBLIC_BASE_URL
        path = path.removeprefix(base).split("#")[0]
        if not path.startswith("/"):
            path = f"/webhooks/twilio/{path}"
        if "HTTP_X_TWILIO_SIGNATURE" not in headers:
            headers["HTTP_X_TWILIO_SIGNATURE"] = RequestValidator(
                token or self.token
            ).compute_signature(base + path, fields)
        return self.client.post(
            path, urlencode(fields), content_type="application/x-www-form-urlencoded", **headers
        )

    def call(self, to: str, *, caller: str = CALLER, call_sid: str = "", **fields: str):
        """An incoming call; returns (SID, answer)."""
        call_sid = call_sid or sid("CA")
        form = {
            "AccountSid": django_settings.TWILIO_ACCOUNT_SID, "ApiVersion": "2010-04-01",
            "CallSid": call_sid, "CallStatus": "ringing", "Direction": "inbound",
            "From": caller, "To": to, "Caller": caller, "Called": to, "FromCity": "",
        }  # fmt: skip
        return call_sid, self.post("voice/", form | fields)

    def status(self, call_sid: str, status: str, *, seconds: int | None = None, **fields: str):
        form = {"CallSid": call_sid, "CallStatus": status, "Direction": "inbound"}
        if seconds is not None:
            form["CallDuration"] = str(seconds)
        return self.post("voice/status/", form | fields)

    def text(self, to: str, body: str, *, sender: str = CALLER, message_sid: str = "", **fields):
        message_sid = message_sid or sid("SM")
        form = {
            "AccountSid": django_settings.TWILIO_ACCOUNT_SID, "ApiVersion": "2010-04-01",
            "MessageSid": message_sid, "SmsSid": message_sid, "SmsMessageSid": message_sid,
            "SmsStatus": "received", "From": sender, "To": to, "Body": body, "NumMedia": "0",
            "NumSegments": "1", "ToCity": "",
        }  # fmt: skip
        return message_sid, self.post("message/", form | fields)


@pytest.fixture
def provider(simulator) -> Provider:
    return Provider()


@pytest.fixture
def route() -> Callable[..., Route]:
    return set_route
