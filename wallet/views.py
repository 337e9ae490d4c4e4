"""The wallet's page, and how money gets into it."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
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


class AddFundsForm(forms.Form):
    amount = forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2)
    next = forms.CharField(required=False, max_length=1000)


@require_safe
@workspace_view(WALLET_TOP_UP)
def add_funds(request: WorkspaceRequest) -> HttpResponse:
    """How to add funds; someone who came from a purchase finds the way back to it here."""
    form = AddFundsForm(request.GET)
    form.is_valid()
    back = form.cleaned_data.get("next", "")
    context = {
        "wallet": Wallet.objects.get(workspace=request.workspace),
        "amount": form.cleaned_data.get("amount"),
        "back": back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "",
        "support_email": settings.SUPPORT_EMAIL,
    }
    return render(request, "wallet/add_funds.html", context)
