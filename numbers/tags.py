"""Tags on numbers: set on one, added to several."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower

from numbers.list_models import Tag, Tagging
from numbers.models import Number
from numbers.number_refusals import NumberGivenBack
from workspaces import audit
from workspaces.models import User, Workspace


def set_tags(*, number: Number, by: User, names: Sequence[str]) -> None:
    """Give the number exactly these tags; a tag that no number has any more is gone."""
    with transaction.atomic():
        _lock(number)
        before = _tags_of(number)
        wanted = _tags(number.workspace, names)
        gone = {tag.pk for tag in before} - {tag.pk for tag in wanted}
        Tagging.objects.filter(number=number, tag__in=gone).delete()
        _put(number, wanted)
        _forget_unused(number.workspace, gone)
        _record(number, by, before, wanted)


def add_tags(*, number: Number, by: User, names: Sequence[str]) -> None:
    """Add these tags to those that the number has."""
    with transaction.atomic():
        _lock(number)
        before = _tags_of(number)
        wanted = _tags(number.workspace, names)
        _put(number, wanted)
        known = {tag.pk for tag in before}
        _record(number, by, before, [*before, *(tag for tag in wanted if tag.pk not in known)])


def _lock(number: Number) -> None:
    """One change of a number's tags at a time; none for a number that was given back."""
    if not Number.objects.select_for_update(no_key=True).owned().filter(pk=number.pk).exists():
        raise NumberGivenBack(number)


def _tags_of(number: Number) -> list[Tag]:
    return list(Tag.objects.filter(tagging__number=number).order_by(Lower("name")))


def _tags(workspace: Workspace, names: Sequence[str]) -> list[Tag]:
    """The workspace's tags with these names, made where there are none yet."""
    Tag.objects.bulk_create(
        [Tag(workspace=workspace, name=name) for name in names], ignore_conflicts=True
    )
    wanted = {name.lower() for name in names}
    tags = Tag.objects.for_workspace(workspace).annotate(lower=Lower("name"))
    return list(tags.filter(lower__in=wanted).order_by("lower"))


def _put(number: Number, tags: Iterable[Tag]) -> None:
    Tagging.objects.bulk_create(
        [
            Tagging(workspace_id=number.workspace_id, tag=tag, number=number,
                    bought_at=number.created_at)
            for tag in tags
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def _forget_unused(workspace: Workspace, ids: Iterable[int]) -> None:
    """Locked before looking: a tag that somebody puts on a number this moment must stay."""
    tags = Tag.objects.for_workspace(workspace).filter(pk__in=list(ids))
    locked = list(tags.select_for_update().values_list("pk", flat=True))
    has_numbers = Exists(Tagging.objects.filter(tag=OuterRef("pk")))
    Tag.objects.for_workspace(workspace).filter(~has_numbers, pk__in=locked).delete()


def _record(number: Number, by: User, before: Sequence[Tag], after: Sequence[Tag]) -> None:
    old, new = [tag.name for tag in before], [tag.name for tag in after]
    if old == new:
        return
    audit.record(
        workspace=number.workspace, by=by, action="number.tagged", subject=number,
        text=f"Tags: {', '.join(new) or 'none'}", details={"tags": [old, new]},
    )  # fmt: skip
