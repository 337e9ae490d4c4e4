"""How long a sign-in lasts, and that its key is never older than the last proof of who it is.

A session ends when it was not used for SESSION_IDLE_DAYS, and at last SESSION_LIFETIME_DAYS
after signing in, however busy it is; for support staff SUPPORT_SESSION_HOURS after. Django
does the first by the row's expiry date, which is moved on here.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core import context
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from workspaces.models import User

log = logging.getLogger(__name__)

BEGAN, USED = "began_at", "used_at"  # in the session, as seconds since 1970
# The row is written at most so often because of its use: a write at each click would let two
# tabs overwrite what the other keeps in it.
WRITTEN_EVERY_SECONDS = 3600


def sessions_end(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Sign out whoever signed in too long ago, and note that a session is in use.

    It begins with the first page that is asked for with it, which signing in leads to.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session and request.user.is_authenticated:
            now = int(time.time())
            if BEGAN not in request.session:
                request.session[BEGAN] = request.session[USED] = now
            elif now - request.session[BEGAN] >= lifetime_of(request.user):
                _end(request)
            elif now - request.session[USED] >= WRITTEN_EVERY_SECONDS:
                request.session[USED] = now
        return get_response(request)

    return middleware


def lifetime_of(user: User) -> int:
    """The most that one sign-in lasts, in seconds."""
    if user.is_staff:
        return settings.SUPPORT_SESSION_HOURS * 3600
    return settings.SESSION_LIFETIME_DAYS * 86_400


class AskedBeforeEnding(DefaultUserSessionsAdapter):
    """Ends sessions from the list of them. The password is asked first where that was a while
    ago: who found a session open does not shut its owner out of the others.
    """

    def end_sessions(self, sessions: list[UserSession]) -> None:
        """Raises ``ReauthenticationRequired``, after which allauth comes back to the form."""
        raise_if_reauthentication_required(context.request, app="usersessions")
        super().end_sessions(sessions)


def renew_key(request: HttpRequest, user: User, *, reauthenticated: bool = False,
              **_signal: object) -> None:  # fmt: skip
    """Give the session another key once the password or a second factor was asked again: a key
    that somebody copied before does not get what was just allowed. At signing in Django does it.
    """
    if not reauthenticated:
        return
    former = request.session.session_key
    with transaction.atomic():
        request.session.cycle_key()
        UserSession.objects.filter(user=user, session_key=former).update(
            session_key=request.session.session_key
        )


def forget_ended() -> None:
    """Delete the sessions that have ended by themselves, and what the lists say of them."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    # One that begins at this moment is in the list before it is a row.
    listed = UserSession.objects.filter(last_seen_at__lt=now - timedelta(days=1))
    kept = Session.objects.filter(session_key=OuterRef("session_key"))
    listed.filter(~Exists(kept)).delete()


def _end(request: HttpRequest) -> None:
    user, key = request.user, request.session.session_key
    UserSession.objects.filter(session_key=key).delete()
    logout(request)
    log.info("the session of person %s was over", user.pk)
    messages.info(request, "You signed in a long while ago. Sign in again to go on.")
