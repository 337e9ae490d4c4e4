"""Permission codes, what each allows, and which role has which."""

from django.db.models import TextChoices

NUMBERS_VIEW = "numbers_view"
NUMBERS_CREATE = "numbers_create"
NUMBERS_EDIT = "numbers_edit"
NUMBERS_RELEASE = "numbers_release"
ROUTES_EDIT = "routes_edit"
INBOX_VIEW = "inbox_view"
INBOX_REPLY = "inbox_reply"
WALLET_VIEW = "wallet_view"
WALLET_TOP_UP = "wallet_top_up"
MEMBERS_MANAGE = "members_manage"
WORKSPACE_EDIT = "workspace_edit"
AUDIT_VIEW = "audit_view"

EXPLAINED = {
    NUMBERS_VIEW: "See the numbers of the workspace and search for new ones.",
    NUMBERS_CREATE: "Buy numbers with the money in the wallet.",
    NUMBERS_EDIT: "Rename, tag, activate and deactivate numbers.",
    NUMBERS_RELEASE: "Give numbers back to the carrier for good.",
    ROUTES_EDIT: "Decide who answers calls and messages.",
    INBOX_VIEW: "Read messages and calls, and listen to voicemail.",
    INBOX_REPLY: "Answer messages and call people back.",
    WALLET_VIEW: "See the balance and the statement of the wallet.",
    WALLET_TOP_UP: "Add funds to the wallet and set its automatic recharge.",
    MEMBERS_MANAGE: "Invite people, change their roles and grant permissions.",
    WORKSPACE_EDIT: "Change the workspace's name, time zone, limits and alerts.",
    AUDIT_VIEW: "See who did what in the workspace, and when.",
}


class Role(TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


ROLE_EXPLAINED = {
    Role.OWNER: "May do everything, and alone makes others owners.",
    Role.ADMIN: "May do everything, except to change owners.",
    Role.MEMBER: "Works with numbers, routes and the inbox, and sees the wallet.",
    Role.VIEWER: "Sees numbers and the inbox, and changes nothing.",
}

OF_ROLE: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(EXPLAINED),
    Role.ADMIN: frozenset(EXPLAINED),
    Role.MEMBER: frozenset(
        {NUMBERS_VIEW, NUMBERS_EDIT, ROUTES_EDIT, INBOX_VIEW, INBOX_REPLY, WALLET_VIEW}
    ),
    Role.VIEWER: frozenset({NUMBERS_VIEW, INBOX_VIEW}),
}


def roles_with(permission: str) -> list[str]:
    return [role for role, allowed in OF_ROLE.items() if permission in allowed]
