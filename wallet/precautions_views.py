"""What the workspace wants to be warned of, and what it keeps for rent."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from lib.errors import Refusal
from wallet.models import Precautions, Wallet
from wallet.precautions import set_precautions
from wallet.precautions_models import MOST_DAYS_KEPT
from wallet.recharge_views import amount_field
from wallet.ring_fence import kept_by
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.models import Workspace
from workspaces.permissions import WORKSPACE_EDIT

DAYS = f"Type a number of days from 0 to {MOST_DAYS_KEPT}."


class PrecautionsForm(forms.Form):
    alert_below = amount_field("Mail when less than this is available", required=False)
    keep_days = forms.IntegerField(
        label="Days of rent to keep", min_value=0, max_value=MOST_DAYS_KEPT,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), DAYS),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(WORKSPACE_EDIT)
def precautions(request: WorkspaceRequest) -> HttpResponse:
    """Show them; sent, keep them."""
    if request.method != "POST":
        return _page(request, None)
    form = PrecautionsForm(request.POST)
    if form.is_valid():
        try:
            set_precautions(workspace=request.workspace, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, "Kept.")
            return redirect("wallet:precautions", workspace_slug=request.workspace.slug)
    return _page(request, form, status=422)


def _page(
    request: WorkspaceRequest, form: PrecautionsForm | None, status: int = 200
) -> HttpResponse:  # fmt: skip
    wallet = request.wallet = _wallet(request.workspace)
    row = getattr(wallet.workspace, "precautions", None) or Precautions(workspace=wallet.workspace)
    alert = "" if row.alert_below is None else f"{row.alert_below:.2f}"
    context = {
        "wallet": wallet,
        "kept": kept_by(row, timezone.now()),
        "days": row.keep_days,
        "form": form or PrecautionsForm(initial={"alert_below": alert, "keep_days": row.keep_days}),
    }
    return render(request, "wallet/precautions.html", context, status=status)


def _wallet(workspace: Workspace) -> Wallet:
    return Wallet.objects.select_related("workspace__precautions").get(workspace=workspace)
