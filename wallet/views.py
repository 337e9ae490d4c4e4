"""The wallet's page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wallet.models import Entry, Hold, Wallet
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import WALLET_TOP_UP, WALLET_VIEW

STATEMENT_LINES = 50


@require_safe
@workspace_view(WALLET_VIEW)
def index(request: WorkspaceRequest) -> HttpResponse:
    """Balance, what is held and for what, and the newest lines of the statement."""
    wallet = Wallet.objects.get(workspace=request.workspace)
    context = {
        "wallet": wallet,
        "holds": Hold.objects.filter(wallet=wallet, ended_at=None).order_by("created_at"),
        "entries": Entry.objects.filter(wallet=wallet).order_by("-seq")[:STATEMENT_LINES],
        "may_top_up": request.membership.can(WALLET_TOP_UP),
    }
    return render(request, "wallet/index.html", context)
