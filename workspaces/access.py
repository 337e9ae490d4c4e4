"""The one gate of every workspace page."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from lib.htmx import leave_for
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import EXPLAINED, MEMBERS_MANAGE

P = ParamSpec("P")
LAST_WORKSPACE = "last_workspace"


class WorkspaceRequest(HttpRequest):
    """A request that has passed the gate."""

    user: User
    workspace: Workspace
    membership: Membership
    # The wallet, if the view has read it: the header shows it and need not read it again.
    wallet: object


def workspace_view(permission: str) -> Callable[..., Callable[..., HttpResponse]]:
    """Let a member with the permission through, with ``request.workspace`` set.

    Nobody signed in: to the login and back. Not a member: 404, as if there were no such
    workspace. A member without the permission: 403 with a page that names the permission
    and the people who can grant it.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def gate(request: HttpRequest, workspace_slug: str, **kwargs: object) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_the_login(request)
            membership = (
                Membership.objects.select_related("workspace")
                .filter(user=request.user, workspace__slug=workspace_slug)
                .first()
            )
            if membership is None:
                raise Http404
            request.workspace = membership.workspace  # type: ignore[attr-defined]
            request.membership = membership  # type: ignore[attr-defined]
            if request.session.get(LAST_WORKSPACE) != workspace_slug:
                request.session[LAST_WORKSPACE] = workspace_slug
            if not membership.can(permission):
                return forbidden(request, permission)
            return view(request, **kwargs)

        gate.permission = permission  # type: ignore[attr-defined]  # read by the guard test
        return gate

    return decorate


def _to_the_login(request: HttpRequest) -> HttpResponse:
    """And back here afterwards. A form cannot be sent again by a link, so whoever sent one
    comes back to the page that it stood on.
    """
    back = request.get_full_path()
    if request.method not in ("GET", "HEAD"):
        page = urlsplit(request.headers.get("Referer", ""))
        back = page.path if page.netloc == request.get_host() else "/"
        back += f"?{page.query}" if page.query and back != "/" else ""
    return leave_for(request, redirect_to_login(back).url)


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
