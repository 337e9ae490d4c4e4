"""Support staff look after people and workspaces here."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from workspaces import audit
from workspaces.models import Membership, User, Workspace


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "time_zone", "created_at"]
    search_fields = ["name", "slug"]
    inlines = [MembershipInline]

    def save_model(
        self, request: HttpRequest, obj: Workspace, form: ModelForm, change: bool
    ) -> None:
        """The audit trail tells of it, in the admin's own transaction."""
        super().save_model(request, obj, form, change)
        if not change:
            _tell(request, obj, "workspace.created", "Workspace created", obj)
        elif form.changed_data:
            details = {name: [str(form.initial[name]), str(form.cleaned_data[name])]
                       for name in form.changed_data}  # fmt: skip
            _tell(request, obj, "workspace.changed", "Settings changed", obj, details)

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool
    ) -> None:
        before = {form.instance.pk: form.initial.get("role") for form in formset.initial_forms}
        super().save_formset(request, form, formset, change)
        for member in formset.deleted_objects:
            _tell_of_member(request, member, "member.removed", "Removed", [member.role, ""])
        for member, _fields in formset.changed_objects:
            roles = [before[member.pk], member.role]
            _tell_of_member(request, member, "member.changed", "Role changed", roles)
        for member in formset.new_objects:
            _tell_of_member(request, member, "member.added", "Added", ["", member.role])


def _tell_of_member(
    request: HttpRequest, member: Membership, action: str, text: str, roles: list[str]
) -> None:
    _tell(request, member.workspace, action, text, member.user, {"role": roles})


def _tell(
    request: HttpRequest, workspace: Workspace, action: str, text: str,
    subject: Workspace | User, details: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    audit.record(
        workspace=workspace,
        by=request.user,  # type: ignore[arg-type]  # the admin lets nobody else in
        action=action,
        text=text,
        subject=subject,
        details=details,
    )


@admin.register(User)
class DeskUserAdmin(UserAdmin):
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_staff", "is_active"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Person", {"fields": ["first_name", "last_name"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "password1", "password2"]})]
