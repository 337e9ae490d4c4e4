"""The SDK's client over one connection pool, with a timeout on every call."""

import logging
import os
import time
from collections.abc import Callable
from functools import lru_cache
from json import JSONDecodeError
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from telephony import busy, errors, refused

log = logging.getLogger("telephony")
T = TypeVar("T")
FAILURES = (
    TwilioException, requests.exceptions.RequestException, JSONDecodeError, errors.Unreadable,
)  # fmt: skip


def open_session() -> requests.Session:
    """The network edge: everything that goes to the provider goes through this session."""
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=16)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # Else requests reads the whole environment before each request. What it would find is
    # found once; only where there are proxies does it depend on the address.
    bundles = map(os.environ.get, ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    session.verify = next(filter(None, bundles), True)
    session.trust_env = bool(getproxies())
    return session


class WireClient(TwilioHttpClient):
    """The SDK's HTTP client, kept on one session and, for a simulator, sent to its address.

    ``https://<product>.twilio.com/path`` goes to ``<base>/path`` with the product's name in
    the Host header, so that nothing but the address differs.
    """

    def __init__(self, *, timeout: float, base: str) -> None:
        super().__init__(pool_connections=False, timeout=timeout)
        self.session = open_session()
        self.base = base

    def request(
        self, method: str, url: str, params: Any = None, data: Any = None, headers: Any = None,
        auth: Any = None, timeout: Any = None, allow_redirects: bool = False,
    ) -> Response:  # fmt: skip
        parts = urlsplit(url)
        target = url
        if self.base:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            target, headers = self.base + path, {**(headers or {}), "Host": parts.netloc}
        began = time.monotonic()
        answer = busy.ask(lambda: self.session.request(
            method.upper(), target, params=params, data=data, headers=headers, auth=auth,
            timeout=timeout or self.timeout, allow_redirects=allow_redirects,
        ))  # fmt: skip
        log.info(
            "%s %s%s %s %s %.0f ms", method.upper(), parts.netloc, parts.path,
            answer.status_code, answer.headers.get("Twilio-Request-Id", "-"),
            1000 * (time.monotonic() - began),
        )  # fmt: skip
        return Response(int(answer.status_code), answer.text, answer.headers)


def credential_state() -> str:
    """``ready``, ``missing`` or ``half_set``, from the settings alone; asks nobody."""
    sid, token = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN
    key, secret = settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET
    if not any((sid, token, key, secret)):
        return "missing"
    # The auth token is needed beside an API key too: the provider signs webhooks with it.
    if not sid or not token or bool(key) != bool(secret):
        return "half_set"
    return "ready"


def client() -> Client:
    """Raises ``NotConfigured`` where the settings name no account."""
    state = credential_state()
    if state != "ready":
        raise errors.NotConfigured("the Twilio settings are not complete", reason=state)
    user = settings.TWILIO_API_KEY_SID or settings.TWILIO_ACCOUNT_SID
    secret = settings.TWILIO_API_KEY_SECRET or settings.TWILIO_AUTH_TOKEN
    return _client(
        user, secret, settings.TWILIO_ACCOUNT_SID, settings.TWILIO_TIMEOUT_SECONDS,
        settings.TWILIO_API_BASE,
    )  # fmt: skip


@lru_cache(maxsize=4)
def _client(user: str, secret: str, account: str, timeout: float, base: str) -> Client:
    wire = WireClient(timeout=timeout, base=base)
    return Client(user, secret, account, http_client=wire)


def call(request: Callable[[Client], T], *, writes: bool = False) -> T:
    """Do one thing at the provider; whatever fails is raised as a ``ProviderError``."""
    try:
        answer = request(client())
    except FAILURES as error:
        raise _noted(errors.from_sdk(error, writes=writes)) from error
    refused.note_accepted()
    return answer


def _noted(error: errors.ProviderError) -> errors.ProviderError:
    if isinstance(error, errors.NotConfigured) and error.reason in refused.REASONS:
        refused.note_refused()
    return error


def download(path: str, *, most_bytes: int) -> tuple[bytes, str]:
    """A file of the account at ``api.twilio.com``: its content and its type as reported.

    Twilio answers with a redirect to where the file lies, which is followed without our
    credentials. Raises ``TooLarge`` without reading on, else as ``call`` does.
    """
    twilio = client()
    wire: WireClient = twilio.http_client
    url, headers = f"https://api.twilio.com{path}", {}
    if wire.base:
        url, headers = wire.base + path, {"Host": "api.twilio.com"}
    try:
        with wire.session.get(
            url, headers=headers, auth=(twilio.username, twilio.password), stream=True,
            timeout=wire.timeout,
        ) as answer:  # fmt: skip
            if answer.status_code != 200:
                raise _noted(errors.from_status(answer.status_code, path))
            content = bytearray()
            for chunk in answer.iter_content(64 * 1024):
                content += chunk
                if len(content) > most_bytes:
                    raise errors.TooLarge(path, http_status=200)
            return bytes(content), answer.headers.get("Content-Type", "")
    except requests.exceptions.RequestException as error:
        raise errors.from_sdk(error) from error
