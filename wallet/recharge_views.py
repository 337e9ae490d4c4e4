"""The automatic recharge: its settings, its card, and what it did lately."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from lib import htmx
from lib.errors import Refusal
from wallet import cards, tasks
from wallet.models import AutoRecharge, SavedCard, TopUp, Wallet
from wallet.recharge import added_this_month, check, set_recharge
from wallet.top_up_views import may_lead_to_stripe
from workspaces.access import WorkspaceRequest, recently_authenticated, workspace_view
from workspaces.models import Workspace
from workspaces.permissions import WALLET_TOP_UP

NO_AMOUNT = {
    "invalid": "That is not an amount. Type one like 25.00.",
    "required": "Type an amount like 25.00.",
    "min_value": "Type an amount of zero or more.",
    "max_digits": "That is more than a wallet holds. Type an amount like 25.00.",
    "max_whole_digits": "That is more than a wallet holds. Type an amount like 25.00.",
    "max_decimal_places": "Use an amount with at most two decimals.",
}


def amount_field(label: str, *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=required, max_digits=14, decimal_places=2, min_value=Decimal(0),
        error_messages=NO_AMOUNT,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip


class RechargeForm(forms.Form):
    """Its bounds are the operation's business."""

    is_on = forms.BooleanField(required=False, label="Recharge automatically")
    threshold = amount_field("When less than this is available")
    amount = amount_field("Add")
    monthly_cap = amount_field("At most in a calendar month")


class ReturnForm(forms.Form):
    """What Stripe's page brings back."""

    card = forms.CharField(required=False, max_length=20)


@may_lead_to_stripe
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(WALLET_TOP_UP)
@recently_authenticated
def recharge(request: WorkspaceRequest) -> HttpResponse:
    """Show the settings; sent, keep them."""
    saving = _saving(request)
    wallet = request.wallet = _wallet(request.workspace)
    wanted = getattr(wallet.workspace, "auto_recharge", None) or AutoRecharge()
    if request.method != "POST":
        shown = ("is_on", "threshold", "amount", "monthly_cap")
        initial = {
            name: value if isinstance(value, bool) else f"{value:.2f}"
            for name, value in ((name, getattr(wanted, name)) for name in shown)
        }
        return _page(request, RechargeForm(initial=initial), wallet, wanted, saving=saving)
    form = RechargeForm(request.POST)
    if form.is_valid():
        try:
            set_recharge(workspace=request.workspace, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error("monthly_cap" if "cap" in refusal.sentence else None, refusal.sentence)
        else:
            told = "on" if form.cleaned_data["is_on"] else "off"
            messages.success(request, f"Kept. The automatic recharge is {told}.")
            return redirect("wallet:recharge", workspace_slug=request.workspace.slug)
    return _page(request, form, wallet, wanted, status=422)


def _wallet(workspace: Workspace) -> Wallet:
    """The wallet, with what is wanted and the card, read together."""
    mine = Wallet.objects.select_related("workspace__auto_recharge__card__by")
    return mine.get(workspace=workspace)


def _page(
    request: WorkspaceRequest, form: RechargeForm, wallet: Wallet, wanted: AutoRecharge, *,
    saving: bool = False, status: int = 200,
) -> HttpResponse:  # fmt: skip
    workspace = wallet.workspace
    added = added_this_month(workspace, timezone.now())
    context: dict[str, Any] = {
        "wallet": wallet,
        "form": form,
        "wanted": wanted,
        "saving": saving,
        "again": request.get_full_path(),
        "added": added,
        "waits": _waits(wanted, wallet, added) if wanted.is_on else "",
        "attempts": TopUp.objects.for_workspace(workspace).exclude(cause="")
        .select_related("workspace").order_by("-created_at")[:5],
    }  # fmt: skip
    template = "_saved_card.html" if htmx.asks_for(request, "card") else "recharge.html"
    return render(request, f"wallet/{template}", context, status=status)


def _saving(request: WorkspaceRequest) -> bool:
    """Whether somebody came back from Stripe, and the card is not known to be saved yet."""
    back = ReturnForm(request.GET)
    if not back.is_valid() or not back.cleaned_data["card"]:
        return False
    mine = SavedCard.objects.for_workspace(request.workspace)
    card = mine.filter(reference=back.cleaned_data["card"], state=SavedCard.State.OPEN).first()
    if card is None:
        return False
    tasks.settle_card.delay(card.workspace_id, card.pk)
    card.refresh_from_db(fields=["state"])
    return card.state == SavedCard.State.OPEN


def _waits(wanted: AutoRecharge, wallet: Wallet, added: Decimal) -> str:
    """Why nothing would be added now, if the wallet were low."""
    try:
        check(wanted, wallet, added)
    except Refusal as refusal:
        return refusal.sentence
    return ""


@may_lead_to_stripe
@require_POST
@workspace_view(WALLET_TOP_UP)
@recently_authenticated
def save_card(request: WorkspaceRequest) -> HttpResponse:
    """Go to the page at Stripe that saves a card."""
    try:
        card = cards.start_saving(workspace=request.workspace, by=request.user)
        return redirect(cards.open_setup(card))
    except Refusal as refusal:
        messages.error(request, f"{refusal.title}. {refusal.sentence}")
        return redirect("wallet:recharge", workspace_slug=request.workspace.slug)


@require_POST
@workspace_view(WALLET_TOP_UP)
@recently_authenticated
def remove_card(request: WorkspaceRequest) -> HttpResponse:
    cards.remove_card(workspace=request.workspace, by=request.user)
    messages.success(request, "The card is removed, and the automatic recharge is off.")
    return redirect("wallet:recharge", workspace_slug=request.workspace.slug)
