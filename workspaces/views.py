"""A person's workspaces: where they land, the list of all, making one, leaving one."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from lib import htmx, rate_limit
from lib.errors import Refusal
from workspaces import members, switcher
from workspaces.access import (
    LAST_WORKSPACE,
    SignedInRequest,
    WorkspaceRequest,
    signed_in,
    workspace_view,
)
from workspaces.forms import FindWorkspaceForm, WorkspaceForm
from workspaces.lifecycle import create_workspace
from workspaces.models import Membership, Workspace
from workspaces.permissions import NUMBERS_VIEW


@require_safe
@signed_in
def home(request: SignedInRequest) -> HttpResponseBase:
    """To the Numbers page of the workspace used last, else of the first; none says so."""
    slugs = list(
        Membership.objects.filter(user=request.user.pk, workspace__archived_at=None)
        .order_by("workspace__name")
        .values_list("workspace__slug", flat=True)
    )
    if not slugs:
        return index(request)
    last = request.session.get(LAST_WORKSPACE)
    return redirect("numbers:index", workspace_slug=last if last in slugs else slugs[0])


@require_safe
@workspace_view(NUMBERS_VIEW)
def start(request: WorkspaceRequest) -> HttpResponse:
    """A workspace by its bare address: to its Numbers page."""
    return redirect("numbers:index", workspace_slug=request.workspace.slug)


@require_safe
@signed_in
def index(request: SignedInRequest) -> HttpResponse:
    """All workspaces of this person, or those with something in their name; archived ones last.

    To the switcher of a page it answers with links to that page in each of them.
    """
    form = FindWorkspaceForm(request.GET)
    wanted, here = form.wanted()
    if htmx.asks_for(request, "switch-list"):
        found = switcher.targets(
            user_id=request.user.pk, here=here, current=switcher.workspace_in(here), matching=wanted
        )
        context = {"targets": found, "matching": wanted}
        return render(request, "workspaces/_switch_list.html", context)
    return render(request, "workspaces/index.html", _index_context(request, wanted))


def _index_context(request: SignedInRequest, wanted: str = "") -> dict:
    memberships = (
        Membership.objects.filter(user=request.user.pk, workspace__name__icontains=wanted)
        .select_related("workspace")
        .order_by("workspace__name", "pk")
    )
    return {
        "wanted": wanted,
        "open": [here for here in memberships if not here.workspace.archived_at],
        "archived": [here for here in memberships if here.workspace.archived_at],
        "may_create": may_create(request),
    }


def may_create(request: SignedInRequest) -> bool:
    return request.user.is_staff or settings.WORKSPACES_CREATED_BY == "everyone"


@require_safe
@signed_in
def new(request: SignedInRequest) -> HttpResponse:
    form = WorkspaceForm(initial={"time_zone": "UTC", "colour": Workspace.Colour.TEAL})
    return _new_page(request, form, status=200 if may_create(request) else 403)


@require_POST
@signed_in
def create(request: SignedInRequest) -> HttpResponse:
    if not may_create(request):
        return _new_page(request, WorkspaceForm(), status=403)
    form = WorkspaceForm(request.POST)
    if not form.is_valid():
        return _new_page(request, form, status=422)
    rate_limit.spend("workspace", who=request.user.pk, what="new workspaces")
    workspace = create_workspace(by=request.user, **form.cleaned_data)
    messages.success(request, f"{workspace} is ready. Add funds, or invite people first.")
    return redirect("numbers:index", workspace_slug=workspace.slug)


def _new_page(request: SignedInRequest, form: WorkspaceForm, *, status: int) -> HttpResponse:
    context = {
        "form": form, "may_create": may_create(request), "support_email": settings.SUPPORT_EMAIL,
    }  # fmt: skip
    return render(request, "workspaces/new.html", context, status=status)


@require_POST
@signed_in
def leave(request: SignedInRequest, slug: str) -> HttpResponse:
    """End one's own place; whoever had no other is signed out by it."""
    mine = Membership.objects.filter(user=request.user.pk).select_related("workspace", "user")
    membership = get_object_or_404(mine, workspace__slug=slug)
    try:
        members.leave(membership=membership)
    except Refusal as refusal:
        context = {"refusal": refusal, **_index_context(request)}
        return render(request, "workspaces/index.html", context, status=refusal.status)
    messages.success(request, f"You have left {membership.workspace}.")
    return redirect("workspaces")
