"""The link of an invitation: joining with the login one has, or with a new one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from lib.errors import Refusal
from workspaces import invitations
from workspaces.access import SignedInRequest, public, signed_in
from workspaces.forms import NewLoginForm
from workspaces.login import sign_in_after_joining
from workspaces.models import Invitation, User


@require_safe
@public
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What is offered, and the way to take it that fits whoever looks."""
    try:
        invitation = invitations.find(token)
    except Refusal as refusal:
        return _over(request, refusal)
    return _page(request, invitation, token, NewLoginForm(email=invitation.email))


def _page(
    request: HttpRequest, invitation: Invitation, token: str, form: NewLoginForm,
    *, refusal: Refusal | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    user = request.user
    context = {
        "invitation": invitation,
        "token": token,
        "form": form,
        "refusal": refusal,
        "has_login": User.objects.filter(email__iexact=invitation.email).exists(),
        "is_theirs": user.is_authenticated and user.email.lower() == invitation.email.lower(),
    }
    return render(request, "workspaces/invitation.html", context, status=status)


def _over(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    context = {"refusal": refusal}
    return render(request, "workspaces/invitation_over.html", context, status=refusal.status)


@require_POST
@signed_in
def accept(request: SignedInRequest, token: str) -> HttpResponse:
    """Join with the login that is signed in."""
    try:
        invitation = invitations.find(token)
    except Refusal as refusal:
        return _over(request, refusal)
    try:
        invitations.accept(invitation=invitation, user=request.user)
    except Refusal as refusal:
        form = NewLoginForm(email=invitation.email)
        return _page(request, invitation, token, form, refusal=refusal, status=refusal.status)
    messages.success(request, f"You are a member of {invitation.workspace}.")
    return redirect("numbers:index", workspace_slug=invitation.workspace.slug)


@require_POST
@sensitive_post_parameters("password")
@public
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Make a login for the invited address, join, and sign in."""
    try:
        invitation = invitations.find(token)
    except Refusal as refusal:
        return _over(request, refusal)
    form = NewLoginForm(request.POST, email=invitation.email)
    if not form.is_valid():
        return _page(request, invitation, token, form, status=422)
    try:
        user = invitations.accept_with_new_login(invitation=invitation, **form.cleaned_data)
    except Refusal as refusal:
        return _page(request, invitation, token, form, refusal=refusal, status=refusal.status)
    address = reverse("numbers:index", args=[invitation.workspace.slug])
    return sign_in_after_joining(request, user, address)
