"""Where a person lands: the workspace that was open last."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from workspaces.access import LAST_WORKSPACE, signed_in
from workspaces.models import Membership


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """To the Numbers page of the workspace used last, else of the first; none says so."""
    slugs = list(
        Membership.objects.filter(user=request.user.pk)
        .order_by("workspace__name")
        .values_list("workspace__slug", flat=True)
    )
    if not slugs:
        return render(request, "workspaces/none.html")
    last = request.session.get(LAST_WORKSPACE)
    return redirect("numbers:index", workspace_slug=last if last in slugs else slugs[0])
