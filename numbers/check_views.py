"""A number against the carrier: the history of its checks, a check now, and what is done
about a difference.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from lib import htmx, rate_limit
from lib.errors import Refusal
from numbers import cures
from numbers.models import Number
from numbers.number_checks import check_now, cure_now, history_of
from numbers.number_views import number_of
from numbers.sync_models import Difference
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import NUMBERS_EDIT, NUMBERS_VIEW


@require_safe
@workspace_view(NUMBERS_VIEW)
def checks(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """When it was compared with the carrier, and what was found. Asks nobody."""
    return _render(request, number_of(request, public_id))


@require_POST
@workspace_view(NUMBERS_EDIT)
def check(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Compare it now, and set right what needs no question."""
    number = number_of(request, public_id)
    rate_limit.spend("check", who=request.user.pk, what="checks")
    try:
        still_open = check_now(number=number, by=request.user)
    except Refusal as refusal:
        return _render(request, number, refusal)
    number.refresh_from_db(fields=["vanished_at"])
    if number.vanished_at:
        messages.warning(request, f"{number.international} is not at the carrier any more.")
    elif still_open:
        messages.warning(request, f"{number.international} differs from the carrier.")
    else:
        messages.success(request, f"{number.international} is the same here and at the carrier.")
    return redirect("numbers:checks", request.workspace.slug, public_id)


@require_POST
@workspace_view(NUMBERS_EDIT)
def cure_difference(request: WorkspaceRequest, public_id: str, difference: str) -> HttpResponse:
    """Set it right as we have it."""
    number = number_of(request, public_id)
    try:
        cure_now(difference=_difference(number, difference), by=request.user)
    except Refusal as refusal:
        return _render(request, number, refusal)
    messages.success(request, f"{number.international} is set right.")
    return redirect("numbers:checks", request.workspace.slug, public_id)


@require_POST
@workspace_view(NUMBERS_EDIT)
def leave_difference(request: WorkspaceRequest, public_id: str, difference: str) -> HttpResponse:
    """It is meant: no trouble any more, until the carrier has something else."""
    number = number_of(request, public_id)
    try:
        cures.leave(_difference(number, difference), by=request.user)
    except Refusal as refusal:
        return _render(request, number, refusal)
    messages.success(request, "It stays as it is at the carrier.")
    return redirect("numbers:checks", request.workspace.slug, public_id)


def _difference(number: Number, public_id: str) -> Difference:
    mine = Difference.objects.filter(workspace=number.workspace).of(number)
    found = get_object_or_404(mine, public_id=public_id)
    found.number, found.workspace = number, number.workspace
    return found


def _render(
    request: WorkspaceRequest, number: Number, refusal: Refusal | None = None
) -> HttpResponse:
    context = {
        "number": number,
        "history": history_of(number),
        "may_edit": request.membership.can(NUMBERS_EDIT) and not number.released_at,
        "refusal": refusal,
    }
    template = "_checks.html" if htmx.asks_for(request, "checks") else "checks.html"
    status = refusal.status if refusal else 200
    return render(request, f"numbers/{template}", context, status=status)
