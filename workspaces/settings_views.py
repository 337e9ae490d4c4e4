"""Name, time zone and colour of a workspace, and putting it away."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from lib.errors import Refusal
from workspaces import lifecycle
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.forms import WorkspaceForm
from workspaces.permissions import WORKSPACE_EDIT


@require_safe
@workspace_view(WORKSPACE_EDIT)
def edit(request: WorkspaceRequest) -> HttpResponse:
    return _page(request, WorkspaceForm(instance=request.workspace))


def _page(
    request: WorkspaceRequest, form: WorkspaceForm, *, refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "form": form,
        "refusal": refusal,
        "blockers": lifecycle.blockers_of(request.workspace),
    }
    return render(request, "workspaces/settings.html", context, status=status)


@require_POST
@workspace_view(WORKSPACE_EDIT)
def save(request: WorkspaceRequest) -> HttpResponse:
    form = WorkspaceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    lifecycle.change_workspace(workspace=request.workspace, by=request.user, **form.cleaned_data)
    messages.success(request, "The settings are saved.")
    return redirect("workspaces:settings", workspace_slug=request.workspace.slug)


@require_POST
@workspace_view(WORKSPACE_EDIT)
def archive(request: WorkspaceRequest) -> HttpResponse:
    try:
        lifecycle.archive(workspace=request.workspace, by=request.user)
    except Refusal as refusal:
        form = WorkspaceForm(instance=request.workspace)
        return _page(request, form, refusal=refusal, status=refusal.status)
    messages.success(request, f"{request.workspace} is archived. It can be opened again.")
    return redirect("workspaces")


@require_POST
@workspace_view(WORKSPACE_EDIT, while_archived=True)
def unarchive(request: WorkspaceRequest) -> HttpResponse:
    lifecycle.unarchive(workspace=request.workspace, by=request.user)
    messages.success(request, f"{request.workspace} is open again.")
    return redirect("workspaces:settings", workspace_slug=request.workspace.slug)
