"""Ending one session from another; the list itself is allauth's."""

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from workspaces.access import SignedInRequest, signed_in


@require_POST
@signed_in
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, user=request.user.pk, pk=pk)
    get_adapter().end_sessions([session])
    messages.success(request, f"The session from {session.ip} is ended.")
    return redirect("usersessions_list")
