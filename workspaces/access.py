"""Who may open a page. Every view declares one gate; a test walks all URLs and finds those
without: ``workspace_view`` for the pages of a workspace, and for the few others a marker.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from lib import logs
from lib.htmx import leave_for
from workspaces.acting import OnlyLooking, acting_in
from workspaces.login import was_recently_authenticated
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import EXPLAINED, MEMBERS_MANAGE

View = Callable[..., HttpResponseBase]
ViewT = TypeVar("ViewT", bound=View)
LAST_WORKSPACE = "last_workspace"


def public(view: ViewT) -> ViewT:
    """Anybody may open it."""
    view.gate = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Anybody with a login may open it: it is about the person, not about a workspace."""
    gate = login_required(view)
    gate.gate = "signed in"  # type: ignore[attr-defined]
    return gate


def webhook(view: ViewT) -> ViewT:
    """The provider calls it. The view itself must look at the signature before all else."""
    view.gate = "webhook"  # type: ignore[attr-defined]
    return csrf_exempt(view)


def with_token(view: ViewT) -> ViewT:
    """Whoever has the token may. The view itself must look at it before all else."""
    view.gate = "token"  # type: ignore[attr-defined]
    return view


class SignedInRequest(HttpRequest):
    """A request of somebody with a login."""

    user: User


class WorkspaceRequest(SignedInRequest):
    """A request that has passed the gate of a workspace."""

    workspace: Workspace
    membership: Membership
    # The wallet, if the view has read it: the header shows it and need not read it again.
    wallet: object


def workspace_view(permission: str, *, while_archived: bool = False) -> Callable[[View], View]:
    """Let a member with the permission through, with ``request.workspace`` set.

    Nobody signed in: to the login and back. Not a member: 404, as if there were no such
    workspace. A member without the permission: 403 with a page that names the permission
    and the people who can grant it. In an archived workspace nothing is changed, unless by
    a view that says ``while_archived``.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def gate(request: HttpRequest, workspace_slug: str, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return leave_for(request, redirect_to_login(page_to_come_back_to(request)).url)
            membership = _looking_as(request, workspace_slug)
            if membership is not None and not _only_reads(request):
                return render(
                    request, "workspaces/only_looking.html",
                    {"refusal": OnlyLooking(str(membership.user))}, status=403,
                )  # fmt: skip
            membership = membership or _own(request.user, workspace_slug)
            if membership is None:
                raise Http404
            membership.user = request.user
            logs.note(workspace=workspace_slug, user=str(membership.user_id))
            request.workspace = membership.workspace  # type: ignore[attr-defined]
            request.membership = membership  # type: ignore[attr-defined]
            if request.session.get(LAST_WORKSPACE) != workspace_slug:
                request.session[LAST_WORKSPACE] = workspace_slug
            if not membership.can(permission):
                return forbidden(request, permission)
            if membership.workspace.archived_at and not (while_archived or _only_reads(request)):
                return render(request, "workspaces/archived.html", status=409)
            return view(request, **kwargs)

        gate.permission = permission  # type: ignore[attr-defined]  # read by the guard test
        return gate

    return decorate


def _own(user: User, workspace_slug: str) -> Membership | None:
    memberships = Membership.objects.select_related("workspace", *_read_along())
    return memberships.filter(user=user, workspace__slug=workspace_slug).first()


def _read_along() -> list[str]:
    """What the frame of every page shows of a workspace, read with it in one question."""
    return [f"workspace__{name}" for name in settings.READ_WITH_WORKSPACE]


def _looking_as(request: HttpRequest, workspace_slug: str) -> Membership | None:
    """The place of the member through whose eyes support looks at this workspace, if it does."""
    acting = acting_in(request)
    if acting is None or acting.member.workspace.slug != workspace_slug:
        return None
    return acting.seen_by(cast(User, request.user))


def recently_authenticated(view: View) -> View:
    """Ask for the password, or a second factor, where that was not done a short while ago.

    For pages where a session left open would do harm: members, payment, release. It stands
    below ``workspace_view``, on the page with the form as well as on what the form sends to.
    """

    @wraps(view)
    def gate(request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        return is_it_you(request) or view(request, **kwargs)

    return gate


def is_it_you(request: HttpRequest) -> HttpResponse | None:
    """The way to the page that asks for the password, or nothing where it need not be asked.

    For a view of which only a part is grave; the others wear ``recently_authenticated``.
    """
    if was_recently_authenticated(request):
        return None
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        return None
    back = urlencode({REDIRECT_FIELD_NAME: page_to_come_back_to(request)})
    return leave_for(request, f"{methods[0]['url']}?{back}")


def _only_reads(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD", "OPTIONS")


def page_to_come_back_to(request: HttpRequest) -> str:
    """This one. A form cannot be sent again by a link, so whoever sent one comes back to the
    page that it stood on.
    """
    if _only_reads(request):
        return request.get_full_path()
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # no address, whoever wrote it
        return "/"
    if page.netloc != request.get_host():
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path


def forbidden(request: HttpRequest, permission: str) -> HttpResponse:
    """403: which permission is missing, and who in this workspace can grant it."""
    context = {
        "permission": permission,
        "explained": EXPLAINED[permission],
        "granters": who_can_grant(request.workspace),  # type: ignore[attr-defined]
    }
    return render(request, "workspaces/forbidden.html", context, status=403)


def who_can_grant(workspace: Workspace) -> list[User]:
    """The people of the workspace who may give others a permission, owners first."""
    return who_can(workspace, MEMBERS_MANAGE)


def who_can(workspace: Workspace, permission: str) -> list[User]:
    """The first few people of the workspace who hold the permission, owners first."""
    memberships = Membership.objects.for_workspace(workspace).who_can(permission)
    return [membership.user for membership in memberships.select_related("user")[:5]]
