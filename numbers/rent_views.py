"""What is overdue and how to pay it, what the numbers cost, and what a payment was for."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lib.errors import Refusal
from numbers import costs as costing
from numbers import owing, rent_lines, rent_settle
from numbers.models import Number
from wallet.addresses import add_funds_address
from wallet.models import Entry, Kind, Wallet
from workspaces.access import WorkspaceRequest, who_can_grant, workspace_view
from workspaces.permissions import WALLET_TOP_UP, WALLET_VIEW

SHOWN = 100


@require_safe
@workspace_view(WALLET_VIEW)
def overdue(request: WorkspaceRequest) -> HttpResponse:
    """Every number whose month has begun and is not paid, in the order of payment."""
    return render(request, "numbers/overdue.html", _overdue_context(request))


def _overdue_context(request: WorkspaceRequest) -> dict:
    workspace = request.workspace
    total, numbers = owing.numbers(workspace, timezone.now(), most=SHOWN)
    wallet = Wallet.objects.get(workspace=workspace)
    missing = total.amount - wallet.available
    may_pay = request.membership.can(WALLET_TOP_UP)
    back = reverse("numbers:overdue", args=[workspace.slug])
    return {
        "total": total,
        "numbers": numbers,
        "more": total.numbers - len(numbers),
        "wallet": wallet,
        "missing": missing if missing > 0 else None,
        "covers_one": bool(numbers) and wallet.available >= numbers[0].first_month,
        "add_funds": add_funds_address(workspace, missing, back),
        "may_pay": may_pay,
        "granters": [] if may_pay else who_can_grant(workspace),
    }


@require_POST
@workspace_view(WALLET_TOP_UP)
def pay_overdue(request: WorkspaceRequest) -> HttpResponse:
    """Pay what the money covers, the oldest first; sent twice, nothing is paid twice."""
    try:
        run = rent_settle.pay_now(request.workspace, by=request.user)
    except Refusal as refusal:
        context = {"refusal": refusal, **_overdue_context(request)}
        return render(request, "numbers/overdue.html", context, status=refusal.status)
    months = f"{run.payments} month{'' if run.payments == 1 else 's'}"
    left = f" {run.left} more wait for money." if run.left else " Nothing is overdue any more."
    messages.success(request, f"Paid {months}. What is paid works again.{left}")
    return redirect("numbers:overdue", workspace_slug=request.workspace.slug)


class AfterForm(forms.Form):
    """Where a long list goes on: the number that was shown last."""

    after = forms.SlugField(max_length=16, required=False)

    def number(self, request: WorkspaceRequest) -> Number | None:
        if not self.is_valid() or not self.cleaned_data["after"]:
            return None
        numbers = Number.objects.for_workspace(request.workspace)
        return numbers.filter(public_id=self.cleaned_data["after"]).first()


class UnusedForm(AfterForm):
    days = forms.TypedChoiceField(
        coerce=int, required=False,
        choices=[(str(days), f"{days} days") for days in costing.UNUSED_DAYS],
    )  # fmt: skip


@require_safe
@workspace_view(WALLET_VIEW)
def costs(request: WorkspaceRequest) -> HttpResponse:
    """Rent per month, per country and per number, and what nobody uses."""
    after = AfterForm(request.GET).number(request)
    numbers = costing.dearest(request.workspace, after=after, most=SHOWN + 1)
    context = {
        "overview": costing.overview(request.workspace),
        "months": costing.by_month(request.workspace),
        "numbers": numbers[:SHOWN],
        "goes_on": len(numbers) > SHOWN,
        "after": after,
    }
    return render(request, "numbers/costs.html", context)


@require_safe
@workspace_view(WALLET_VIEW)
def unused(request: WorkspaceRequest) -> HttpResponse:
    """Numbers without a call or message for 30, 60 or 90 days, the dearest first."""
    form = UnusedForm(request.GET)
    after = form.number(request)
    days = form.cleaned_data.get("days") or costing.UNUSED_DAYS[0]
    numbers = costing.unused_for(request.workspace, days, after=after, most=SHOWN + 1)
    context = {
        "days": days,
        "choices": costing.overview(request.workspace).unused,
        "numbers": numbers[:SHOWN],
        "goes_on": len(numbers) > SHOWN,
    }
    return render(request, "numbers/unused.html", context)


@require_safe
@workspace_view(WALLET_VIEW)
def payment(request: WorkspaceRequest, seq: int) -> HttpResponse:
    """What one rent entry of the statement paid, with a line per number."""
    entries = Entry.objects.filter(wallet=request.workspace.pk, kind=Kind.RENT)
    entry = get_object_or_404(entries, seq=seq)
    lines = rent_lines.lines_of(entry, most=1000)
    return render(request, "numbers/rent_payment.html", {"entry": entry, "lines": lines})
