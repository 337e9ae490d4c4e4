"""To another workspace, and to this very page in it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.urls import Resolver404, ResolverMatch, resolve, reverse

from workspaces.models import Membership, Workspace

SHOWN = 8  # with more than these, the switcher has a search
START = "numbers:index"
LISTS = {
    "wallet": "wallet:index", "interactions": "interactions:index",
    "workspaces": "workspaces:members",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Another workspace of this person, and this page in it."""

    workspace: Workspace
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Targets:
    shown: list[Target]
    more: bool


def targets(*, user_id: int | None, here: str, current: str, matching: str = "") -> Targets:
    """The first workspaces by name, each with the address that ``here`` stands for in it.

    ``here`` is the path of a page that can be read, with its query; empty for none.
    ``current`` is a slug, ``matching`` a part of the name.
    """
    mine = Membership.objects.filter(user=user_id, workspace__archived_at=None)
    if matching:
        mine = mine.filter(workspace__name__icontains=matching)
    found = list(mine.select_related("workspace").order_by("workspace__name", "pk")[: SHOWN + 1])
    match, query = _resolved(here)
    return Targets(
        shown=[
            Target(one.workspace, _same_page(match, query, one.workspace),
                   is_current=one.workspace.slug == current)
            for one in found[:SHOWN]
        ],
        more=len(found) > SHOWN,
    )  # fmt: skip


def workspace_in(address: str) -> str:
    """The slug of the workspace that an address is in; empty for none."""
    match, _ = _resolved(address)
    return match.kwargs.get("workspace_slug", "") if match else ""


def _resolved(address: str) -> tuple[ResolverMatch | None, str]:
    try:
        parts = urlsplit(address)
        if parts.netloc:  # of another site
            return None, ""
        return resolve(parts.path), parts.query
    except (Resolver404, ValueError):
        return None, ""


def _same_page(match: ResolverMatch | None, query: str, workspace: Workspace) -> str:
    """A page about one thing leads to the list of such, and any other page to the start."""
    if match is not None and set(match.kwargs) == {"workspace_slug"}:
        address = reverse(match.view_name, args=[workspace.slug])
        return f"{address}?{query}" if query else address
    name = LISTS.get(match.app_name, START) if match is not None else START
    return reverse(name, args=[workspace.slug])
