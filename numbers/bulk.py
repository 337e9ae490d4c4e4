"""One thing done to several numbers: each on its own, and all told afterwards."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from django.utils import timezone

from lib.errors import Refusal
from numbers import changes, release, tags
from numbers.carrier_holds import holds_of
from numbers.list_models import BulkRun
from numbers.models import Number, new_public_id
from workspaces.models import User, Workspace

DONE = {
    "tag": "tagged",
    "activate": "switched on",
    "deactivate": "switched off",
    "release": "released",
}
LATELY = timedelta(days=30)  # templates/numbers/bulk.html says it in words


def chosen_numbers(workspace: Workspace, public_ids: Sequence[str]) -> list[Number]:
    """Those of the ids that are numbers of this workspace, in their order. Others are left
    out, as if there were none.
    """
    numbers = Number.objects.for_workspace(workspace).owned().filter(public_id__in=public_ids)
    by_id = {number.public_id: number for number in numbers}
    for number in by_id.values():
        number.workspace = workspace
    return [by_id[public_id] for public_id in public_ids if public_id in by_id]


def used_lately(numbers: Sequence[Number]) -> int:
    """How many of them were called or written to, or called or wrote, in the last 30 days."""
    since = timezone.now() - LATELY
    return sum(bool(number.last_used_at and number.last_used_at > since) for number in numbers)


def do_to_each(
    *, workspace: Workspace, by: User, action: str, numbers: Sequence[Number],
    names: Sequence[str] = (),
) -> BulkRun:  # fmt: skip
    """Do it to each; a refusal of one does not stop the others. Returns what became of each.

    ``action`` is one of ``DONE``; ``names`` are the tags to add. Whoever releases several has
    confirmed how many: the last digits that one number asks for are its own here.
    """
    operations: dict[str, Callable[..., None]] = {
        "tag": partial(tags.add_tags, names=names),
        "activate": changes.activate,
        "deactivate": changes.deactivate,
        "release": partial(_release, holds=holds_of(numbers) if action == "release" else {}),
    }
    operation = partial(operations[action], by=by)
    results = [_result(number, operation) for number in numbers]
    return BulkRun.objects.create(
        workspace=workspace, public_id=new_public_id(), action=action, by=by, at=timezone.now(),
        results=results,
    )  # fmt: skip


def _release(*, number: Number, by: User, holds: Mapping[int, str]) -> None:
    digits = number.e164[-release.LAST_DIGITS :]
    release.release_now(number=number, by=by, last_digits=digits, hold=holds[number.pk])


def _result(number: Number, operation: Callable[..., None]) -> dict[str, str]:
    why_not = ""
    try:
        operation(number=number)
    except Refusal as refusal:
        why_not = refusal.sentence
    return {"id": number.public_id, "e164": number.e164, "why_not": why_not}
