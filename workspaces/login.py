"""How people get in: by invitation only, and asked again before what is grave."""

import logging
import time
from typing import Any
from urllib.parse import quote

from allauth.account import authentication
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from workspaces.models import User

log = logging.getLogger(__name__)


class InvitedOnly(DefaultAccountAdapter):
    """Accounts come from invitations and from support staff, never from a sign-up form."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "This mail address and this password do not belong together.",  # nosec B105
        "too_many_login_attempts": "Too many wrong passwords. Wait a few minutes, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """Signing in counts: nobody types a password twice in a row."""
        return not was_recently_authenticated(self.request)

    def is_safe_url(self, url: str) -> bool:
        """An address that nobody can read, like ``http://[``, is none of ours."""
        try:
            return super().is_safe_url(url)
        except ValueError:
            return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Never from the request's own host name, which whoever asks may choose."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.PUBLIC_BASE_URL + path.replace("UID-KEY", quote(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        path = reverse("account_confirm_email", args=[emailconfirmation.key])
        return settings.PUBLIC_BASE_URL + path

    def format_email_subject(self, subject: str) -> str:
        return f"Number desk: {subject}"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """What was typed stays out of the log: people type passwords into the wrong field."""
        log.warning("a sign-in failed, from %s", self.get_client_ip(request))

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        log.info("person %s signed in, from %s", user.pk, self.get_client_ip(request))
        return super().post_login(request, user, **kwargs)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Where a server hands requests on through a unix socket there is no address."""
        if request.META.get("REMOTE_ADDR") or "X-Forwarded-For" in request.headers:
            return super().get_client_ip(request)
        return "0.0.0.0"  # noqa: S104  nobody listens there: it stands for "not known"  # nosec B104


def was_recently_authenticated(request: HttpRequest) -> bool:
    """Whether this person typed a password, or used a second factor, a short while ago."""
    records = authentication.get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records), default=0)
    return time.time() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def second_factor_failed(request: HttpRequest, user: User, **_signal: object) -> None:
    log.warning("a second factor of person %s failed, from %s", user.pk,
                InvitedOnly(request).get_client_ip(request))  # fmt: skip


def sign_in_after_joining(request: HttpRequest, user: User, address: str) -> HttpResponse:
    """Sign in whoever has just chosen a password, and go to ``address``."""
    record_authentication(request, user, method="password", email=user.email)
    return perform_login(request, user, redirect_url=address)
