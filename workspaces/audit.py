"""The audit trail: who did what, when and from where. Written once, never changed.

An operation records its event in the transaction that does the thing, so that neither can
be there without the other.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from django.db import models
from django.utils import timezone

from workspaces.models import AuditEvent, User, Workspace

# Where the present work comes from: the address of the browser, as the middleware found it.
# Empty in tasks and commands, whose events are the system's own.
ORIGIN: ContextVar[str] = ContextVar("origin", default="")


def record(
    *, workspace: Workspace, by: User | None, action: str, text: str,
    subject: models.Model | None = None, subject_id: str = "", label: str = "",
    details: dict[str, Any] | None = None,
) -> AuditEvent:  # fmt: skip
    """Write one event.

    ``action`` is a code such as ``number.released``, ``text`` a sentence for people,
    ``details`` what was before and after as JSON. ``by`` None means the system itself. The
    subject is named by its model, its public id (or ``subject_id``) and ``label``.
    """
    kind = subject._meta.model_name or "" if subject is not None else ""
    return AuditEvent.objects.create(
        workspace=workspace, at=timezone.now(), by=by, by_name=str(by) if by else "System",
        origin=ORIGIN.get(), action=action, subject_kind=kind,
        subject_id=subject_id or str(getattr(subject, "public_id", subject and subject.pk) or ""),
        label=label or str(subject or ""), text=text, details=details or {},
    )  # fmt: skip


def record_many(
    *, by: User | None, action: str, subject_kind: str,
    events: Iterable[tuple[int, str, str, str]],
) -> None:  # fmt: skip
    """Write the same thing done to many: (workspace id, public id, label, text) of each."""
    now = timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            workspace_id=workspace_id, at=now, by=by, by_name=str(by) if by else "System",
            origin=ORIGIN.get(), action=action, subject_kind=subject_kind, subject_id=subject_id,
            label=label, text=text,
        )
        for workspace_id, subject_id, label, text in events
    )  # fmt: skip
