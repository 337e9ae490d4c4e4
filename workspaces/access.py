"""Who may open a page. Every view declares one gate; a test walks all URLs and finds those
without: ``workspace_view`` for the pages of a workspace, and for the few others a marker.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from workspaces.models import Membership, User, Workspace
from workspaces.permissions import EXPLAINED, MEMBERS_MANAGE

View = Callable[..., HttpResponse]
LAST_WORKSPACE = "last_workspace"


def public(view: View) -> View:
    """Anybody may open it."""
    view.gate = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Anybody with a login may open it: it is about the person, not about a workspace."""
    gate = login_required(view)
    gate.gate = "signed in"  # type: ignore[attr-defined]
    return gate


def webhook(view: View) -> View:
    """The provider calls it. The view itself must look at the signature before all else."""
    view.gate = "webhook"  # type: ignore[attr-defined]
    return csrf_exempt(view)


class WorkspaceRequest(HttpRequest):
    """A request that has passed the gate."""

    user: User
    workspace: Workspace
    membership: Membership


def workspace_view(permission: str) -> Callable[[View], View]:
    """Let a member with the permission through, with ``request.workspace`` set.

    Nobody signed in: to the login and back. Not a member: 404, as if there were no such
    workspace. A member without the permission: 403 with a page that names the permission
    and the people who can grant it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def gate(request: HttpRequest, workspace_slug: str, **kwargs: object) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
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
    memberships = Membership.objects.for_workspace(workspace).who_can(MEMBERS_MANAGE)
    return [membership.user for membership in memberships.select_related("user")[:5]]
