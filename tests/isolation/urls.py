"""Every URL of the desk, walked from the map, and the gate that each view declares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

IN_A_WORKSPACE = "w/<slug:workspace_slug>/"

# Views of packages cannot wear a decorator. Whom each lets in is named here, and the table
# (url_table.py) holds it to that.
OF_PACKAGES = {
    "account_login": "public",
    "account_logout": "public",  # without a login there is nothing to end
    "account_signup": "public",  # closed: it says so (workspaces/login.py)
    "account_inactive": "public",
    "account_reset_password": "public",
    "account_reset_password_done": "public",
    "account_reset_password_from_key": "public",
    "account_reset_password_from_key_done": "public",
    "account_email_verification_sent": "public",
    "account_confirm_email": "public",
    "account_change_password": "signed in",
    "account_set_password": "signed in",
    "account_email": "signed in",
    "account_reauthenticate": "signed in",
    "account_confirm_login_code": "public",  # nobody is asked for one: it leads to the login
    "mfa_authenticate": "public",  # half-way through the login; else it leads back to it
    "mfa_login_webauthn": "public",
    "mfa_index": "signed in",
    "mfa_reauthenticate": "signed in",
    "mfa_activate_totp": "signed in",
    "mfa_deactivate_totp": "signed in",
    "mfa_view_recovery_codes": "signed in",
    "mfa_generate_recovery_codes": "signed in",
    "mfa_download_recovery_codes": "signed in",
    "mfa_list_webauthn": "signed in",
    "mfa_add_webauthn": "signed in",
    "mfa_reauthenticate_webauthn": "signed in",
    "mfa_remove_webauthn": "signed in",
    "mfa_edit_webauthn": "signed in",
    "usersessions_list": "signed in",
    "admin:login": "public",
    "admin:logout": "public",  # a customer is led to the admin's own gate
}


@dataclass(frozen=True)
class Url:
    """``name`` is the view's name with its namespace, ``route`` the whole pattern."""

    name: str
    route: str
    view: Callable[..., Any]

    @property
    def gate(self) -> str:
        """What lets a person in: a permission, ``public``, ``signed in``, ``staff``, ``webhook``,
        ``token``.

        Empty where nothing was declared.
        """
        if self.route.startswith("admin/") and self.name not in OF_PACKAGES:
            return "staff"
        declared = getattr(self.view, "permission", "") or getattr(self.view, "gate", "")
        return declared or OF_PACKAGES.get(self.name, "")

    @property
    def is_of_a_workspace(self) -> bool:
        return self.route.startswith(IN_A_WORKSPACE)


def every_url() -> list[Url]:
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], route: str, namespace: str) -> Iterator[Url]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, here, inner)
        else:
            yield Url(f"{namespace}{pattern.name or ''}", here, pattern.callback)
