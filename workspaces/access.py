"""Who may open a page. Every view declares one gate; a test walks all URLs and finds those
without: ``workspace_view`` for the pages of a workspace, and for the few others a marker.
"""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django_htmx.http import HttpResponseClientRedirect

from lib import htmx
from workspaces.login import was_recently_authenticated
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


class SignedInRequest(HttpRequest):
    """A request of somebody with a login."""

    user: User


class WorkspaceRequest(SignedInRequest):
    """A request that has passed the gate of a workspace."""

    workspace: Workspace
    membership: Membership


def workspace_view(permission: str, *, while_archived: bool = False) -> Callable[[View], View]:
    """Let a member with the permission through, with ``request.workspace`` set.

    Nobody signed in: to the login and back. Not a member: 404, as if there were no such
    workspace. A member without the permission: 403 with a page that names the permission
    and the people who can grant it. In an archived workspace nothing is changed, unless by
    a view that says ``while_archived``.
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
            membership.user = request.user
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


def recently_authenticated(view: View) -> View:
    """Ask for the password, or a second factor, where that was not done a short while ago.

    For pages where a session left open would do harm: members, payment, release. It stands
    below ``workspace_view``, on the page with the form as well as on what the form sends to.
    """

    @wraps(view)
    def gate(request: HttpRequest, **kwargs: object) -> HttpResponse:
        methods = get_adapter(request).get_reauthentication_methods(request.user)
        if not methods or was_recently_authenticated(request):
            return view(request, **kwargs)
        back = request.get_full_path() if _only_reads(request) else _page_before(request)
        address = f"{methods[0]['url']}?{urlencode({REDIRECT_FIELD_NAME: back})}"
        if htmx.wants_fragment(request):
            return HttpResponseClientRedirect(address)
        return redirect(address)

    return gate


def _only_reads(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD", "OPTIONS")


def _page_before(request: HttpRequest) -> str:
    """The page with the form that was sent, for coming back to it; what was typed is lost."""
    before = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(before, allowed_hosts={request.get_host()}):
        return before
    return reverse("home")


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
