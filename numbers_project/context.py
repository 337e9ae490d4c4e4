"""What the frame of every page shows, computed only where a template asks for it."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from lib import logs
from numbers import account
from numbers.arrears import arrears_of
from telephony.client import credential_state
from telephony.refused import refused_lately
from wallet.models import Wallet
from workspaces.acting import acting_in
from workspaces.models import Membership, Workspace
from workspaces.permissions import MEMBERS_MANAGE, WALLET_VIEW, WORKSPACE_EDIT
from workspaces.switcher import targets


def page(request: HttpRequest) -> dict[str, Any]:
    workspace: Workspace | None = getattr(request, "workspace", None)
    return {
        "workspace": workspace,
        "acting": acting_in(request) if hasattr(request, "session") else None,
        "request_reference": logs.noted("request"),
        "simulated": bool(settings.TWILIO_API_BASE),
        "provider_problem": cache(partial(_provider_problem, request)),
        "switcher": cache(lambda: _switcher(request, workspace)),
        "may_manage_members": _may(request, MEMBERS_MANAGE),
        "may_edit_workspace": _may(request, WORKSPACE_EDIT),
        "header_wallet": cache(_header_wallet(request, workspace)),
        "rent_arrears": cache(partial(arrears_of, workspace)),
    }


def _provider_problem(request: HttpRequest) -> str:
    """``missing``, ``half_set``, ``refused`` or ``suspended``; empty for all but staff, who
    alone may know.
    """
    user = getattr(request, "user", None)
    if not user or not user.is_staff:
        return ""
    state = credential_state()
    if state != "ready":
        return state
    if refused_lately():
        return "refused"
    return "suspended" if account.trouble() else ""


def _may(request: HttpRequest, permission: str) -> bool:
    membership: Membership | None = getattr(request, "membership", None)
    return membership is not None and membership.can(permission)


def _header_wallet(
    request: HttpRequest, workspace: Workspace | None
) -> Callable[[], Wallet | None]:
    def wallet() -> Wallet | None:
        if not _may(request, WALLET_VIEW):
            return None
        if hasattr(request, "wallet"):
            return request.wallet
        return Wallet.objects.filter(workspace=workspace).first()

    return wallet


def _switcher(request: HttpRequest, workspace: Workspace | None) -> dict[str, Any]:
    """The answer to a POST has no address of its own in another workspace."""
    here = request.get_full_path() if request.method == "GET" else ""
    current = workspace.slug if workspace else ""
    return {"here": here, "targets": targets(user_id=request.user.pk, here=here, current=current)}
