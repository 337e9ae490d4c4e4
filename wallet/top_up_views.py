"""Adding funds: how much, the way to the payment page, and the page that waits for the truth."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_update
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from lib import htmx, money
from lib.errors import Refusal
from wallet import tasks
from wallet.ledger import InvalidAmount
from wallet.models import TopUp, Wallet
from wallet.top_up import TopUpOutOfBounds, open_checkout, start_top_up
from wallet.top_up import cancel as cancel_payment
from workspaces.access import WorkspaceRequest, recently_authenticated, workspace_view
from workspaces.models import Workspace
from workspaces.permissions import WALLET_TOP_UP, WALLET_VIEW

PRESETS = [Decimal(amount) for amount in (10, 25, 50, 100, 250)]


def may_lead_to_stripe(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The form's answer leads to Stripe, which browsers count as where the form is sent."""

    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        policy = {"form-action": [settings.STRIPE_CHECKOUT_ORIGIN]}
        return csp_update(policy)(view)(request, **kwargs)

    return wrapped


class MissingField(forms.DecimalField):
    """What a purchase lacks, told along the way and shown; whatever else stands there is none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False, min_value=0, max_digits=12, decimal_places=2,
            widget=forms.HiddenInput, **options,
        )  # fmt: skip

    def clean(self, value: Any) -> Decimal | None:
        try:
            return super().clean(value)
        except forms.ValidationError:
            return None


class AddFundsForm(forms.Form):
    """``amount`` is read by the person's hand: its bounds are the operation's business."""

    amount = forms.DecimalField(
        max_digits=18, decimal_places=6,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            "required": "Type how much you want to add, for example 25.00.",
            "invalid": "That is not an amount. Type one like 25.00.",
            "max_digits": "That is more than a wallet holds. Type an amount like 25.00.",
            "max_whole_digits": "That is more than a wallet holds. Type an amount like 25.00.",
            "max_decimal_places": "Use an amount with at most two decimals.",
        },
    )  # fmt: skip
    missing = MissingField()
    next = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)


class ArrivalForm(forms.Form):
    """What a link to the page may bring along; anything else is left out."""

    amount = forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2)
    missing = MissingField()
    next = forms.CharField(required=False, max_length=1000)
    returned = forms.CharField(required=False, max_length=1)


def way_back(workspace: Workspace, address: str) -> str:
    """The address, if it is a page of this workspace; else nothing."""
    ours = address.startswith(f"/w/{workspace.slug}/")
    return address if ours and url_has_allowed_host_and_scheme(address, None) else ""


@may_lead_to_stripe
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(WALLET_TOP_UP)
@recently_authenticated
def add_funds(request: WorkspaceRequest) -> HttpResponse:
    """Choose an amount and go to the payment page; sent twice, it is one payment."""
    if request.method != "POST":
        arrival = ArrivalForm(request.GET)
        arrival.is_valid()
        back = way_back(request.workspace, arrival.cleaned_data.get("next", ""))
        missing = arrival.cleaned_data.get("missing")
        # The least that can be added, where less is missing: what is filled in can be paid.
        enough = max(missing, settings.TOP_UP_LEAST) if missing else None
        wanted = arrival.cleaned_data.get("amount") or enough
        form = AddFundsForm(
            initial={"amount": wanted, "missing": missing, "next": back, "key": uuid.uuid4()}
        )
        return _add_funds_page(request, form, back=back, missing=missing)
    form = AddFundsForm(request.POST)
    back = way_back(request.workspace, form.data.get("next", "")[:1000])
    if not form.is_valid():
        missing = form.cleaned_data.get("missing")
        return _add_funds_page(request, form, back=back, missing=missing, status=422)
    chosen = form.cleaned_data
    try:
        top_up = start_top_up(
            workspace=request.workspace, by=request.user, amount=chosen["amount"],
            key=chosen["key"], return_to=back,
        )  # fmt: skip
        return redirect(open_checkout(top_up))
    except (InvalidAmount, TopUpOutOfBounds) as refusal:
        form.add_error("amount", refusal.sentence)
        return _add_funds_page(
            request, form, back=back, missing=chosen["missing"], status=422
        )  # fmt: skip
    except Refusal as refusal:
        return _add_funds_page(
            request, form, back=back, missing=chosen["missing"], refusal=refusal,
            status=refusal.status,
        )  # fmt: skip


def _add_funds_page(
    request: WorkspaceRequest, form: AddFundsForm, *, back: str, missing: Decimal | None = None,
    refusal: Refusal | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    wallet = Wallet.objects.get(workspace=request.workspace)
    kept = {"missing": missing, "next": back}
    kept = {name: value for name, value in kept.items() if value}
    context = {
        "wallet": wallet,
        "sees_wallet": request.membership.can(WALLET_VIEW),
        "form": form,
        "back": back,
        "for_purchase": "/numbers/buy/" in back,
        "missing": missing if back else None,
        "refusal": refusal,
        "least": settings.TOP_UP_LEAST,
        "most": settings.TOP_UP_MOST,
        "presets": [
            (amount, urlencode({"amount": amount} | kept))
            for amount in PRESETS
            if settings.TOP_UP_LEAST <= amount <= settings.TOP_UP_MOST
        ],
        "open_top_ups": TopUp.objects.for_workspace(request.workspace)
        .filter(state__in=TopUp.UNSETTLED).select_related("workspace")
        .order_by("-created_at")[:5],
    }  # fmt: skip
    return render(request, "wallet/add_funds.html", context, status=status)


@may_lead_to_stripe
@require_safe
@workspace_view(WALLET_TOP_UP)
def top_up(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """What became of a payment. While that is not known, the page asks again by itself."""
    found = _find(request, reference)
    if found.state in TopUp.UNSETTLED:
        tasks.settle_top_up.delay(found.workspace_id, found.pk)
        found.refresh_from_db(fields=["state", "settled_at"])
    arrival = ArrivalForm(request.GET)
    arrival.is_valid()
    returned = bool(arrival.cleaned_data.get("returned"))
    if returned and found.state == TopUp.State.PAID and found.return_to:
        messages.success(request, f"{money.show(found.amount, found.currency)} was added.")
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(found.return_to)
        return redirect(found.return_to)
    context = {
        "top_up": found,
        "wallet": found.wallet,
        "sees_wallet": request.membership.can(WALLET_VIEW),
        "waiting": found.state == TopUp.State.PROCESSING
        or (found.state == TopUp.State.OPEN and (returned or bool(found.cause))),
        "again": request.get_full_path(),
        "another": _another(request, found),
    }
    template = "_top_up.html" if htmx.asks_for(request, "top-up") else "top_up.html"
    return render(request, f"wallet/{template}", context)


def _another(request: WorkspaceRequest, found: TopUp) -> str:
    query = {"amount": f"{found.amount:.2f}", "next": found.return_to}
    return f"{reverse('wallet:add_funds', args=[request.workspace.slug])}?{urlencode(query)}"


@may_lead_to_stripe
@require_POST
@workspace_view(WALLET_TOP_UP)
@recently_authenticated
def pay(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """Go to the payment page of a payment that is still open."""
    found = _find(request, reference)
    try:
        return redirect(open_checkout(found))
    except Refusal as refusal:
        messages.error(request, f"{refusal.title}. {refusal.sentence}")
        return redirect(found.get_absolute_url())


@require_POST
@workspace_view(WALLET_TOP_UP)
def cancel(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """Close an open payment; if it was paid meanwhile, its page says so."""
    found = _find(request, reference)
    try:
        cancel_payment(top_up=found, by=request.user)
    except Refusal as refusal:
        messages.error(request, f"{refusal.title}. {refusal.sentence}")
    return redirect(found.get_absolute_url())


def _find(request: WorkspaceRequest, reference: str) -> TopUp:
    mine = TopUp.objects.for_workspace(request.workspace)
    return get_object_or_404(
        mine.select_related("workspace", "wallet", "by"), reference=reference[:20]
    )
