"""Acting as a member: begun in the support admin, ended from the banner."""

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from lib.errors import Refusal
from workspaces import acting
from workspaces.access import SignedInRequest, signed_in
from workspaces.models import Membership, User
from workspaces.permissions import EXPLAINED


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(acting.MAY, raise_exception=True)
def act_as(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the reason, then begin. The URL map wraps it in the admin's own gate."""
    member = get_object_or_404(Membership.objects.select_related("workspace", "user"), pk=pk)
    seen = acting.what_is_seen(cast(User, request.user), member)
    context = {
        **admin.site.each_context(request), "title": "Look as a member", "member": member,
        "seen": [EXPLAINED[code] for code in EXPLAINED if code in seen],
    }  # fmt: skip
    if request.method != "POST":
        return render(request, "admin/act_as.html", context)
    reason = request.POST.get("reason", "").replace("\x00", "")[:300]
    try:
        acting.begin(request=request, by=cast(User, request.user), member=member, reason=reason)
    except Refusal as refusal:
        return render(request, "admin/act_as.html", {**context, "refusal": refusal}, status=422)
    return redirect("numbers:index", member.workspace.slug)


@require_POST
@signed_in
def stop_acting(request: SignedInRequest) -> HttpResponse:
    """One click, from the banner of every page."""
    acting.end(request=request, by=request.user)
    messages.info(request, "You are yourself again.")
    return redirect("admin:index" if request.user.is_staff else "home")
