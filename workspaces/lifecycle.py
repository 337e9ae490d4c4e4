"""A workspace is made, changed, archived and opened again.

What stands above workspaces has a word in it through the settings: WORKSPACE_OPENERS make
what a new one needs (its wallet), ARCHIVE_BLOCKERS say what must be done before it is put
away. Each is a dotted path of a function that takes the workspace.
"""

import secrets

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.text import slugify

from lib.errors import Refusal
from workspaces import audit
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import Role


def create_workspace(*, by: User, name: str, time_zone: str, colour: str) -> Workspace:
    """A workspace that ``by`` owns, with all that it needs.

    Its slug ends in something random: a name that is taken must not tell that there is such
    a workspace.
    """
    slug = f"{slugify(name)[:32].strip('-') or 'workspace'}-{secrets.token_hex(3)}"
    with transaction.atomic():
        workspace = Workspace.objects.create(
            slug=slug, name=name, time_zone=time_zone, colour=colour
        )
        Membership.objects.create(workspace=workspace, user=by, role=Role.OWNER)
        open_for(workspace)
        audit.record(
            workspace=workspace, by=by, action="workspace.created", subject=workspace,
            text=f"{name} was created",
        )  # fmt: skip
    return workspace


def open_for(workspace: Workspace) -> None:
    """Make what a new workspace needs; in the transaction that makes the workspace."""
    for path in settings.WORKSPACE_OPENERS:
        import_string(path)(workspace)


def change_workspace(
    *, workspace: Workspace, by: User, name: str, time_zone: str, colour: str
) -> None:
    """Name, time zone and colour; its address stays, so that no link breaks."""
    new = {"name": name, "time_zone": time_zone, "colour": colour}
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(pk=workspace.pk)
        changed = {
            field: [getattr(workspace, field), value]
            for field, value in new.items()
            if getattr(workspace, field) != value
        }
        if not changed:
            return
        for field, value in new.items():
            setattr(workspace, field, value)
        workspace.save(update_fields=list(new))
        audit.record(
            workspace=workspace, by=by, action="workspace.changed", subject=workspace,
            text=f"The {' and '.join(_words(changed))} changed", details=changed,
        )  # fmt: skip


def blockers_of(workspace: Workspace) -> list[Refusal]:
    """What keeps the workspace from being archived, each with its fix."""
    asked = (import_string(path)(workspace) for path in settings.ARCHIVE_BLOCKERS)
    return [refusal for refusal in asked if refusal is not None]


def archive(*, workspace: Workspace, by: User) -> None:
    """Put it away: nothing in it can be changed until it is opened again.

    Raises the first of the blockers. The row is locked for as long as they look, and whoever
    writes a new row of this workspace waits for the lock (its foreign key needs it).
    """
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if workspace.archived_at:
            return
        for refusal in blockers_of(workspace):
            raise refusal
        _set_archived(workspace, by, "workspace.archived", f"{workspace} was archived")


def unarchive(*, workspace: Workspace, by: User) -> None:
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if workspace.archived_at:
            _set_archived(workspace, by, "workspace.unarchived", f"{workspace} was opened again")


def _set_archived(workspace: Workspace, by: User, action: str, text: str) -> None:
    workspace.archived_at = None if workspace.archived_at else timezone.now()
    workspace.save(update_fields=["archived_at"])
    audit.record(workspace=workspace, by=by, action=action, subject=workspace, text=text)


def _words(changed: dict[str, list[str]]) -> list[str]:
    names = {"name": "name", "time_zone": "time zone", "colour": "logo colour"}
    return [names[field] for field in changed]
