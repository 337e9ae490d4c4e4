"""What the frame of every page shows, computed only where a template asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from numbers.arrears import arrears_of
from numbers.ask import waiting_for
from telephony.client import credential_state
from wallet.models import Wallet
from workspaces.models import Membership, Workspace
from workspaces.permissions import WALLET_VIEW

# The apps whose page of one thing leads to a list of such things in another workspace.
WITH_INDEX = ("numbers", "wallet", "interactions")


@dataclass(frozen=True, slots=True)
class SwitchTarget:
    """Another workspace of this person, and this very page in it."""

    workspace: Workspace
    url: str
    is_current: bool


def page(request: HttpRequest) -> dict[str, Any]:
    workspace: Workspace | None = getattr(request, "workspace", None)
    return {
        "workspace": workspace,
        "simulated": bool(settings.TWILIO_API_BASE),
        "provider_problem": credential_state() if _shows_provider_problem(request) else "",
        "switch_targets": cache(lambda: _switch_targets(request, workspace)),
        "header_wallet": cache(_header_wallet(request, workspace)),
        "rent_arrears": cache(partial(arrears_of, workspace)),
        "requests_waiting": cache(lambda: waiting_for(request.membership)),  # type: ignore[attr-defined]
    }


def _shows_provider_problem(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return bool(user and user.is_staff and credential_state() in ("missing", "half_set"))


def _header_wallet(
    request: HttpRequest, workspace: Workspace | None
) -> Callable[[], Wallet | None]:
    def wallet() -> Wallet | None:
        if workspace is None or not request.membership.can(WALLET_VIEW):  # type: ignore[attr-defined]
            return None
        if hasattr(request, "wallet"):
            return request.wallet
        return Wallet.objects.filter(workspace=workspace).first()

    return wallet


def _switch_targets(request: HttpRequest, current: Workspace | None) -> list[SwitchTarget]:
    memberships = (
        Membership.objects.filter(user=request.user.pk)
        .select_related("workspace")
        .order_by("workspace__name")
    )
    return [
        SwitchTarget(m.workspace, _same_page(request, m.workspace), m.workspace == current)
        for m in memberships
    ]


def _same_page(request: HttpRequest, workspace: Workspace) -> str:
    """This page in another workspace; a page about one thing leads to the list of such."""
    match = request.resolver_match
    if match is None or set(match.kwargs) != {"workspace_slug"} or request.method != "GET":
        name = match.app_name if match and match.app_name in WITH_INDEX else "numbers"
        return reverse(f"{name}:index", args=[workspace.slug])
    address = reverse(match.view_name, args=[workspace.slug])
    query = request.META.get("QUERY_STRING", "")
    return f"{address}?{query}" if query else address
