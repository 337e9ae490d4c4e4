"""Who is in a workspace, what each may do, and who is invited."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from lib.errors import Refusal
from workspaces import invitations, members
from workspaces.access import WorkspaceRequest, recently_authenticated, workspace_view
from workspaces.forms import InviteForm, PermissionsForm, RoleForm
from workspaces.models import Invitation, Membership
from workspaces.permissions import EXPLAINED, MEMBERS_MANAGE, OF_ROLE, Role

UNKNOWN = "There is no such role or permission here. Reload the page and choose again."


@require_safe
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def index(request: WorkspaceRequest) -> HttpResponse:
    """The members, the open invitations, and a form for another."""
    return _index_page(request, InviteForm(initial={"role": Role.MEMBER}))


def _index_page(
    request: WorkspaceRequest, form: InviteForm, *, refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    people = Membership.objects.for_workspace(request.workspace).select_related("user")
    invited = Invitation.objects.for_workspace(request.workspace).open()
    context = {
        "members": people.order_by("user__first_name", "user__email"),
        "invitations": invited.select_related("invited_by").order_by("email"),
        "form": form,
        "refusal": refusal,
    }
    return render(request, "workspaces/members.html", context, status=status)


@require_POST
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def invite(request: WorkspaceRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _index_page(request, form, status=422)
    email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    try:
        invitations.invite(by=request.membership, email=email, role=role)
    except Refusal as refusal:
        return _index_page(request, form, refusal=refusal, status=refusal.status)
    messages.success(request, f"An invitation is on its way to {email}.")
    return redirect("workspaces:members", workspace_slug=request.workspace.slug)


@require_POST
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def send_again(request: WorkspaceRequest, invitation_id: str) -> HttpResponse:
    invitation = _open_invitation(request, invitation_id)
    try:
        invitations.send_again(invitation=invitation, by=request.membership)
    except Refusal as refusal:
        return _index_page(request, InviteForm(), refusal=refusal, status=refusal.status)
    messages.success(request, f"A new invitation is on its way to {invitation.email}.")
    return redirect("workspaces:members", workspace_slug=request.workspace.slug)


@require_POST
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def withdraw_invitation(request: WorkspaceRequest, invitation_id: str) -> HttpResponse:
    invitation = _open_invitation(request, invitation_id)
    try:
        invitations.withdraw(invitation=invitation, by=request.membership)
    except Refusal as refusal:
        return _index_page(request, InviteForm(), refusal=refusal, status=refusal.status)
    messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
    return redirect("workspaces:members", workspace_slug=request.workspace.slug)


def _open_invitation(request: WorkspaceRequest, invitation_id: str) -> Invitation:
    invited = Invitation.objects.for_workspace(request.workspace).open()
    return get_object_or_404(invited.select_related("workspace"), public_id=invitation_id)


@require_safe
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def member(request: WorkspaceRequest, member_id: str) -> HttpResponse:
    """One person: role, each permission explained, and the end of it."""
    return _member_page(request, _member(request, member_id))


def _member(request: WorkspaceRequest, member_id: str) -> Membership:
    people = Membership.objects.for_workspace(request.workspace).select_related("user")
    return get_object_or_404(people, public_id=member_id)


def _member_page(
    request: WorkspaceRequest, membership: Membership, *, refusal: Refusal | None = None
) -> HttpResponse:
    context = {
        "member": membership,
        "is_self": membership.pk == request.membership.pk,
        "role_form": RoleForm(initial={"role": membership.role}),
        "permissions": [
            {
                "code": code, "sentence": sentence, "has": membership.can(code),
                "of_role": code in OF_ROLE[membership.role],
                "may_give": membership.can(code) or request.membership.can(code),
            }
            for code, sentence in EXPLAINED.items()
        ],
        "refusal": refusal,
    }  # fmt: skip
    status = refusal.status if refusal else 200
    return render(request, "workspaces/member.html", context, status=status)


@require_POST
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def change_role(request: WorkspaceRequest, member_id: str) -> HttpResponse:
    membership, form = _member(request, member_id), RoleForm(request.POST)
    if not form.is_valid():
        return _member_page(request, membership, refusal=members.MayNot(UNKNOWN))
    role = Role(form.cleaned_data["role"])
    try:
        members.change_role(membership=membership, role=role, by=request.membership)
    except Refusal as refusal:
        return _member_page(request, membership, refusal=refusal)
    messages.success(request, f"{membership.user} is {role.label.lower()} now.")
    return redirect("workspaces:member", workspace_slug=request.workspace.slug,
                    member_id=member_id)  # fmt: skip


@require_POST
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def change_permissions(request: WorkspaceRequest, member_id: str) -> HttpResponse:
    membership, form = _member(request, member_id), PermissionsForm(request.POST)
    if not form.is_valid():
        return _member_page(request, membership, refusal=members.MayNot(UNKNOWN))
    wanted = set(form.cleaned_data["permissions"])
    try:
        members.change_permissions(membership=membership, permissions=wanted, by=request.membership)
    except Refusal as refusal:
        return _member_page(request, membership, refusal=refusal)
    messages.success(request, f"The permissions of {membership.user} are saved.")
    return redirect("workspaces:member", workspace_slug=request.workspace.slug,
                    member_id=member_id)  # fmt: skip


@require_POST
@workspace_view(MEMBERS_MANAGE)
@recently_authenticated
def remove(request: WorkspaceRequest, member_id: str) -> HttpResponse:
    membership = _member(request, member_id)
    try:
        members.remove_member(membership=membership, by=request.membership)
    except Refusal as refusal:
        return _member_page(request, membership, refusal=refusal)
    if membership.pk == request.membership.pk:
        return redirect("workspaces")
    messages.success(request, f"{membership.user} is not a member any more.")
    return redirect("workspaces:members", workspace_slug=request.workspace.slug)
