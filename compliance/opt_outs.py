"""Keeping what contacts asked for: to be left alone, or to hear from us again."""

from datetime import datetime

from compliance.keywords import Keyword
from compliance.models import OptOut
from workspaces.models import Workspace


def heed(
    keyword: Keyword, *, workspace: Workspace, contact: str, said: str, said_to: str, at: datetime
) -> None:
    """Do what the contact asked for with STOP or START; HELP changes nothing.

    Safe to repeat and to do late: a START is undone by no STOP that was sent before it.
    """
    in_force = OptOut.objects.for_workspace(workspace).filter(contact=contact, opted_in_at=None)
    if keyword == Keyword.START:
        in_force.filter(opted_out_at__lte=at).update(opted_in_at=at)
    elif keyword == Keyword.STOP and not _started_later(workspace, contact, at):
        OptOut.objects.bulk_create(
            [OptOut(workspace=workspace, contact=contact, said=said[:160], said_to=said_to,
                    opted_out_at=at)],
            ignore_conflicts=True,
        )  # fmt: skip


def _started_later(workspace: Workspace, contact: str, at: datetime) -> bool:
    rows = OptOut.objects.for_workspace(workspace).filter(contact=contact)
    return rows.filter(opted_in_at__gte=at).exists()
