"""Permission codes, what each allows, and which role has which."""

from django.db.models import TextChoices

NUMBERS_VIEW = "numbers_view"
NUMBERS_CREATE = "numbers_create"
WALLET_VIEW = "wallet_view"
WALLET_TOP_UP = "wallet_top_up"
MEMBERS_MANAGE = "members_manage"

EXPLAINED = {
    NUMBERS_VIEW: "See the numbers of the workspace and search for new ones.",
    NUMBERS_CREATE: "Buy numbers with the money in the wallet.",
    WALLET_VIEW: "See the balance and the statement of the wallet.",
    WALLET_TOP_UP: "Add funds to the wallet.",
    MEMBERS_MANAGE: "Invite people, change their roles and grant permissions.",
}


class Role(TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


OF_ROLE: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(EXPLAINED),
    Role.ADMIN: frozenset(EXPLAINED),
    Role.MEMBER: frozenset({NUMBERS_VIEW, WALLET_VIEW}),
    Role.VIEWER: frozenset({NUMBERS_VIEW}),
}


def roles_with(permission: str) -> list[str]:
    return [role for role, allowed in OF_ROLE.items() if permission in allowed]
