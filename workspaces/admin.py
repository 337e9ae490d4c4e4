"""Support staff look after people and workspaces here."""

from typing import Any, cast

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from lib.admin_reason import ASK, Reasoned, ReasonForm
from lib.read_only_admin import ReadOnlyAdmin
from workspaces import audit, lifecycle, members
from workspaces.access import is_it_you
from workspaces.models import AuditEvent, Invitation, Membership, User, Workspace
from workspaces.permissions import EXPLAINED, Role

PERMISSIONS = [(code, code) for code in EXPLAINED]


class PermissionsField(forms.MultipleChoiceField):
    """A tick for each, instead of codes to be typed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=PERMISSIONS, widget=forms.CheckboxSelectMultiple, required=False, **options
        )


class MembershipForm(forms.ModelForm):
    granted = PermissionsField()
    withdrawn = PermissionsField()

    def __init__(self, *args: Any, **options: Any) -> None:
        """A place stays its person's: handed on, one would lose it and nobody be told."""
        super().__init__(*args, **options)
        if self.instance.pk and "user" in self.fields:
            self.fields["user"].disabled = True

    class Meta:
        model = Membership
        fields = ["user", "role", "granted", "withdrawn"]


class MembershipFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """The database would refuse it too, with less kind words."""
        super().clean()
        owners = Membership.objects.filter(workspace=self.instance.pk, role=Role.OWNER)
        had_owner = owners.filter(user__is_active=True).exists()
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        if had_owner and not any(
            data.get("role") == Role.OWNER and getattr(data.get("user"), "is_active", False)
            for data in kept
        ):
            raise ValidationError(
                "A workspace keeps an owner who can sign in. Make somebody else one first."
            )
        if self.has_changed() and self.instance.pk and not self.data.get("reason", "").strip():
            raise ValidationError(ASK)


class MembershipInline(admin.TabularInline):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ["user"]


class AsksAgain(admin.ModelAdmin):
    """Who gets in where is as grave here as on the pages: the password is asked again."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:  # fmt: skip
        if self.has_change_permission(request) and (asks := is_it_you(request)):
            return asks
        return super().changeform_view(request, object_id, form_url, extra_context)


@admin.register(Workspace)
class WorkspaceAdmin(AsksAgain, Reasoned):
    list_display = ["name", "slug", "time_zone", "created_at", "archived_at"]
    search_fields = ["name", "slug"]
    readonly_fields = ["archived_at"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Its money and its audit trail stay; it can be archived."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Workspace, form: forms.ModelForm, change: bool
    ) -> None:
        """A new one gets all that a workspace needs, like one that is made on the pages."""
        super().save_model(request, obj, form, change)
        if not change:
            lifecycle.open_for(obj)
            _record(request, obj, "workspace.created", "Support created it")
            return
        changes = {
            name: [str(form.initial[name]), str(form.cleaned_data[name])]
            for name in form.changed_data
            if name != "reason"
        }
        if changes:
            text = f"Support changed settings: {form.cleaned_data['reason']}"
            _record(request, obj, "workspace.changed", text, changes)

    def save_formset(
        self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool
    ) -> None:
        """The workspace's own audit trail tells what support did with its members.

        New owners first: a workspace may be handed over in one step.
        """
        formset.save(commit=False)
        why = f": {form.cleaned_data['reason']}" if change else ""
        saved = [*formset.new_objects, *(one for one, _ in formset.changed_objects)]
        for membership in sorted(saved, key=lambda one: one.role != Role.OWNER):
            membership.save()
            text = f"Support made {membership.user} {membership.get_role_display().lower()}{why}"
            _record(request, membership.workspace, "member.role_changed", text)
        for membership in formset.deleted_objects:
            text = f"Support removed {membership.user}{why}"
            _record(request, membership.workspace, "member.removed", text)
            membership.delete()
            members.end_sessions_of_a_stranger(membership.user)


def _record(
    request: HttpRequest, workspace: Workspace, action: str, text: str,
    details: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    audit.record(
        workspace=workspace, by=cast(User, request.user), action=action, subject=workspace,
        text=text, details=details,
    )  # fmt: skip


class DeskUserForm(ReasonForm, UserChangeForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "is_active" in self.changed_data and not (cleaned or {}).get("is_active"):
            for workspace in members.only_owned_by(self.instance):
                self.add_error("is_active", _needs_another_owner(self.instance, workspace))
        return cleaned


def _needs_another_owner(user: User, workspace: Workspace) -> str:
    return format_html(
        "{} is the only owner of {} who can sign in. "
        'Make somebody else an owner there first, on <a href="{}">the page of {}</a>.',
        user, workspace, reverse("admin:workspaces_workspace_change", args=[workspace.pk]),
        workspace,
    )  # fmt: skip


IS_STAFF = ("is_staff", "is_superuser", "groups")


@admin.register(User)
class DeskUserAdmin(AsksAgain, Reasoned, UserAdmin):
    form = DeskUserForm
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_staff", "is_active"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = [
        (None, {"fields": ["email"]}),
        ("Person", {"fields": ["first_name", "last_name"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Why", {"fields": ["reason"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "password1", "password2"]})]

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        """Whoever did something stays named in the audit trail; a login is switched off."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever changes an address can get in with it: support staff are left to superusers."""
        if obj is not None and obj.is_staff and not cast(User, request.user).is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: object | None = None) -> Any:
        """Nobody gives what they do not have: superusers alone say who is support staff."""
        return () if cast(User, request.user).is_superuser else IS_STAFF

    def user_change_password(self, request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        """Nobody sets the password of somebody else: the login page mails a new one."""
        raise PermissionDenied

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool
    ) -> None:
        """Each of their workspaces hears that a login is switched off or on again. Off, its
        sessions end: one that somebody stole does not come back with the login.
        """
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            # It would go on as a way in, and be mailed links for a new password.
            EmailAddress.objects.filter(user=obj).delete()
        if not change or "is_active" not in form.changed_data:
            return
        if not obj.is_active:
            members.end_sessions(obj)
        turned = "on again" if obj.is_active else "off"
        text = f"Support switched the login of {obj} {turned}: {form.cleaned_data['reason']}"
        for membership in obj.memberships.select_related("workspace"):
            _record(request, membership.workspace, "member.login", text)


admin.site.unregister(Group)


@admin.register(Group)
class DeskGroupAdmin(GroupAdmin):
    """What the staff of a group may do; superusers alone change it, as who is in one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return cast(User, request.user).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return cast(User, request.user).is_superuser


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ["email", "workspace", "role", "created_at", "mailed_at", "accepted_at"]
    list_select_related = ["workspace"]
    search_fields = ["email", "workspace__slug"]
    exclude = ["nonce", "token_hash"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "workspace", "by_name", "action", "label", "text"]
    list_select_related = ["workspace"]
    search_fields = ["label", "by_name", "workspace__slug"]
    ordering = ["-pk"]
    show_full_result_count = False
