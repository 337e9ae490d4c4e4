"""Changing what people may do in a workspace, and ending it.

Nobody grants what they do not have, only owners touch owners, and an owner who can sign in
always stays. Whoever acts is looked at again inside the transaction: they may have lost the
right a moment ago. The rights of others end with the commit, since every request asks the
database.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any

from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from lib.errors import Refusal
from workspaces import audit, notices
from workspaces.models import AuditEvent, Membership, User, Workspace
from workspaces.permissions import EXPLAINED, MEMBERS_MANAGE, OF_ROLE, Role

KEEPS_AN_OWNER = "membership_an_owner_always"  # the trigger's name for it


class MayNot(Refusal):
    code = "may_not"
    title = "You may not do that"
    money = "Nothing was changed."


class LastOwner(Refusal):
    code = "last_owner"
    title = "A workspace needs an owner"
    money = "Nothing was changed."

    def __init__(self) -> None:
        super().__init__(
            "No other owner could sign in. Make someone else an owner first, then try again."
        )


def change_role(*, membership: Membership, role: Role, by: Membership) -> None:
    """Give a member another role. What they had beyond the old one, or without it, stays as
    far as it means something in the new one; an owner simply has everything.

    Raises ``MayNot`` or ``LastOwner``.
    """
    with _as_they_are_now(membership, by) as (member, actor):
        owners_only(actor, member.role, role)
        held, before, old_role = actor.permissions(), member.permissions(), member.role
        member.role = role
        _set_permissions(member, member.permissions())
        _only_what_is_held(member.permissions() - before, held)
        if member.role == old_role:
            return
        member.save(update_fields=["role", "granted", "withdrawn"])
        text = f"{member.user} is {member.get_role_display().lower()} now"
        event = _record(member, actor, "member.role_changed", text, {"role": [old_role, role]})
        _tell(member, event, "Your role has changed", f"{actor.user} made you")


def change_permissions(*, membership: Membership, permissions: set[str], by: Membership) -> None:
    """Give a member exactly these permissions, whatever the role says.

    Raises ``MayNot``: for an owner, who has everything; for what ``by`` does not have.
    """
    with _as_they_are_now(membership, by) as (member, actor):
        if member.role == Role.OWNER:
            raise MayNot("An owner has every permission. Change the role first.")
        held, before = actor.permissions(), member.permissions()
        _set_permissions(member, permissions & set(EXPLAINED))
        after = member.permissions()
        _only_what_is_held(after - before, held)
        if after == before:
            return
        member.save(update_fields=["granted", "withdrawn"])
        changes = {"granted": sorted(after - before), "withdrawn": sorted(before - after)}
        text = f"The permissions of {member.user} were changed"
        event = _record(member, actor, "member.permissions_changed", text, changes)
        beginning = f"{actor.user} changed what you may do as"
        _tell(member, event, "Your permissions have changed", beginning)


def remove_member(*, membership: Membership, by: Membership) -> None:
    """End somebody's place, at once. Raises ``MayNot`` or ``LastOwner``."""
    with _as_they_are_now(membership, by) as (member, actor):
        owners_only(actor, member.role)
        _end(member, actor, "member.removed", f"{member.user} was removed")


def leave(*, membership: Membership) -> None:
    """End one's own place, at once. Raises ``LastOwner``."""
    with _last_owner_refused(), transaction.atomic():
        member = Membership.objects.select_for_update().get(pk=membership.pk)
        _end(member, member, "member.left", f"{member.user} left")


def only_owned_by(user: User) -> list[Workspace]:
    """The workspaces that no other owner could sign in to, locked until the transaction ends:
    for whoever is about to switch this login off."""
    others = Membership.objects.filter(
        workspace=OuterRef("pk"), role=Role.OWNER, user__is_active=True
    ).exclude(user=user)
    owned = Workspace.objects.filter(
        pk__in=user.memberships.filter(role=Role.OWNER).values("workspace")
    )
    list(owned.order_by("pk").select_for_update(no_key=True))
    return list(owned.filter(~Exists(others)).order_by("name"))


def may_give(actor: Membership, role: Role) -> None:
    """Raise ``MayNot`` unless ``actor`` may make somebody a member with this role."""
    if not actor.can(MEMBERS_MANAGE):
        raise MayNot(f"This needs the permission {MEMBERS_MANAGE}.")
    owners_only(actor, role)
    _only_what_is_held(OF_ROLE[role], actor.permissions())


def _end(member: Membership, actor: Membership, action: str, text: str) -> None:
    _record(member, actor, action, text, {"role": [member.role, None]})
    member.delete()
    end_sessions_of_a_stranger(member.user)


def end_sessions_of_a_stranger(user: User) -> None:
    """Whoever has no workspace left is signed out everywhere; the gate alone would do, but
    an open session of somebody who has left is nobody's friend."""
    if not user.is_staff and not user.memberships.exists():
        end_sessions(user)


def end_sessions(user: User) -> None:
    """Sign somebody out everywhere."""
    for session in UserSession.objects.filter(user=user):
        session.end()


@contextmanager
def _as_they_are_now(
    membership: Membership, by: Membership
) -> Iterator[tuple[Membership, Membership]]:
    """Both rows, locked in one order, so that two who change each other do not deadlock."""
    with _last_owner_refused(), transaction.atomic():
        wanted = {membership.pk, by.pk}
        rows = Membership.objects.for_workspace(by.workspace).filter(pk__in=wanted)
        locked = {
            row.pk: row
            for row in rows.select_related("user").order_by("pk").select_for_update(of=("self",))
        }
        if len(locked) < len(wanted) or not locked[by.pk].can(MEMBERS_MANAGE):
            raise MayNot("This has changed in the meantime. Reload the page and look again.")
        yield locked[membership.pk], locked[by.pk]


@contextmanager
def _last_owner_refused() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if diagnosis is None or diagnosis.constraint_name != KEEPS_AN_OWNER:
            raise
        raise LastOwner from error


def _set_permissions(member: Membership, permissions: AbstractSet[str]) -> None:
    of_role = OF_ROLE[member.role]
    if member.role == Role.OWNER:
        permissions = of_role  # everything, always
    member.granted = sorted(permissions - of_role)
    member.withdrawn = sorted(of_role - permissions)


def owners_only(actor: Membership, *roles: str) -> None:
    """Raise ``MayNot`` where one of the roles is an owner's and ``actor`` is none."""
    if Role.OWNER in roles and actor.role != Role.OWNER:
        raise MayNot("Only an owner can make, change or remove an owner.")


def _only_what_is_held(gained: frozenset[str], held: frozenset[str]) -> None:
    """``held`` is from before the change: it may be to oneself."""
    if lacking := sorted(gained - held):
        raise MayNot(f"You cannot give what you do not have yourself: {', '.join(lacking)}.")


def _record(
    member: Membership, actor: Membership, action: str, text: str, details: dict[str, Any]
) -> AuditEvent:
    return audit.record(
        workspace=member.workspace, by=actor.user, action=action, subject=member,
        label=str(member.user), text=text, details=details,
    )  # fmt: skip


def _tell(member: Membership, event: AuditEvent, subject: str, beginning: str) -> None:
    """Whom somebody else has changed hears of it."""
    role, workspace = member.get_role_display().lower(), member.workspace
    notices.notify(
        workspace=workspace, key=f"audit:{event.pk}", recipient=member.user,
        subject=f"{workspace}: {subject[:1].lower()}{subject[1:]}",
        body=f"{beginning} {role} in {workspace}.\n",
    )  # fmt: skip
