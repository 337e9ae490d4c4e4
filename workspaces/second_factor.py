"""The second factor: its secrets at rest, how it looks in an authenticator app, and who must
set one up before anything else.
"""

import base64
import hashlib
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from lib.htmx import leave_for
from workspaces.access import View, page_to_come_back_to
from workspaces.models import User

DESK = "Number desk"
SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
# Where the person wanted to go, kept in the session until they have one and are there.
WANTED = "wanted_page"
# What stays open to whoever has none yet: the pages that set one up, those that ask for the
# password before it, and the way out. And what needs no login at all.
SETTING_UP = ("mfa_", "account_logout", "account_reauthenticate")
OPEN_GATES = ("public", "webhook", "token")


class SealedSecrets(DefaultMFAAdapter):
    """Secrets of apps and recovery codes are encrypted with a key made from SECRET_KEY: who
    reads the database alone cannot sign in. Old keys stay readable in SECRET_KEY_FALLBACKS.
    """

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return DESK

    def build_totp_svg(self, url: str) -> str:
        """Without the XML prolog, which means nothing inside a page."""
        return super().build_totp_svg(url).partition("?>")[2]


class EveryoneNeedsOne:
    """Where the installation asks everyone for a second factor: lead whoever has none to the
    page that sets one up, and nowhere else, and afterwards to where they wanted to go.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, *_arguments: Any
    ) -> HttpResponse | None:
        if not settings.EVERYONE_NEEDS_SECOND_FACTOR or SESSION_KEY not in request.session:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name.startswith(SETTING_UP) or getattr(view, "gate", "") in OPEN_GATES:
            return None
        if request.user.is_authenticated and lacks_second_factor(request.user):
            return lead_to_it(request, page_to_come_back_to(request))
        request.session.pop(WANTED, None)
        return None


def lacks_second_factor(user: User | AnonymousUser) -> bool:
    """Once somebody has one, no login of theirs goes without."""
    return not is_mfa_enabled(user, SECOND_FACTORS)


def lead_to_it(request: HttpRequest, wanted: str) -> HttpResponse:
    """To the page that sets one up; the one after it leads on to ``wanted``, if that is ours."""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()})
    request.session[WANTED] = wanted if ours else "/"
    who = "Support staff need" if request.user.is_staff else "Everyone here needs"
    messages.info(request, f"{who} a second factor. Set one up to go on.")
    return leave_for(request, reverse("mfa_index"))


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key_from(key)) for key in keys])


def _key_from(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"second factor:" + secret.encode()).digest())
