"""What people type about workspaces and members: shape only, the operations decide."""

from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import ProhibitNullCharactersValidator

from workspaces.models import User, Workspace
from workspaces.permissions import EXPLAINED, ROLE_EXPLAINED, Role

ROLES = [(role.value, role.label) for role in Role]


class FindWorkspaceForm(forms.Form):
    """A part of a workspace's name, and for the switcher the page that one is on."""

    q = forms.CharField(required=False, max_length=80)
    here = forms.CharField(required=False, max_length=2000)

    def wanted(self) -> tuple[str, str]:
        """(part of the name, page); empty where it makes no sense."""
        self.is_valid()
        return self.cleaned_data.get("q", ""), self.cleaned_data.get("here", "")


class WorkspaceForm(forms.ModelForm):
    """Name, time zone and colour."""

    time_zone = forms.ChoiceField(
        choices=lambda: [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]
    )

    class Meta:
        model = Workspace
        fields = ["name", "time_zone", "colour"]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLES)

    def explained(self) -> list[tuple[str, str, str]]:
        """(value, name, sentence) of each role."""
        return [(role.value, role.label, ROLE_EXPLAINED[role]) for role in Role]


class InviteForm(RoleForm):
    email = forms.EmailField(max_length=254, label="Mail address")

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class PermissionsForm(forms.Form):
    permissions = forms.MultipleChoiceField(
        choices=[(code, code) for code in EXPLAINED], required=False
    )


class NewLoginForm(forms.Form):
    """Name and password of somebody who joins without having a login."""

    first_name = forms.CharField(max_length=150, label="First name")
    last_name = forms.CharField(max_length=150, label="Last name", required=False)
    password = forms.CharField(
        widget=forms.PasswordInput, strip=False, max_length=1000,
        validators=[ProhibitNullCharactersValidator()],
    )  # fmt: skip

    def __init__(self, *args: object, email: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.email = email

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        person = User(email=self.email, first_name=self.cleaned_data.get("first_name", ""))
        validate_password(password, person)
        return password
