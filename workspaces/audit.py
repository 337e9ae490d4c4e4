"""The audit trail: who did what, when and from where. Written once, never changed.

An operation records its event in the transaction that does the thing, so that neither can
be there without the other.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, cast

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
    subject is named by its model, its public id (or ``subject_id``) and ``label``. What is too
    long ends in "…": nothing that somebody does fails because it cannot be told in full.
    """
    kind = subject._meta.model_name or "" if subject is not None else ""
    return AuditEvent.objects.create(
        workspace=workspace, at=timezone.now(), by=by, by_name=_name_of(by),
        origin=ORIGIN.get(), action=action, subject_kind=kind,
        subject_id=subject_id or str(getattr(subject, "public_id", subject and subject.pk) or ""),
        label=_fitting("label", label or str(subject or "")), text=_fitting("text", text),
        details=details or {},
    )  # fmt: skip


def record_many(
    *, by: User | None, action: str, subject_kind: str,
    events: Iterable[tuple[int, str, str, str]],
) -> None:  # fmt: skip
    """Write the same thing done to many: (workspace id, public id, label, text) of each."""
    now = timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            workspace_id=workspace_id, at=now, by=by, by_name=_name_of(by),
            origin=ORIGIN.get(), action=action, subject_kind=subject_kind, subject_id=subject_id,
            label=_fitting("label", label), text=_fitting("text", text),
        )
        for workspace_id, subject_id, label, text in events
    )  # fmt: skip


def _name_of(by: User | None) -> str:
    return _fitting("by_name", str(by)) if by else "System"


def _fitting(column: str, words: str) -> str:
    """Names, reasons and tags are people's own, and together longer than any column."""
    most = cast(int, cast(models.CharField, AuditEvent._meta.get_field(column)).max_length)
    return words if len(words) <= most else f"{words[: most - 1]}…"
