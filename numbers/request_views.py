"""Asking for numbers, and deciding on what was asked for."""

from dataclasses import replace

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from lib import rate_limit
from lib.errors import Fix, Refusal
from numbers import ask
from numbers import quote as quotes
from numbers.forms import NoteForm, ReasonForm
from numbers.models import PurchaseRequest
from numbers.order_views import cost_context, review_refused
from numbers.pricing import Price
from numbers.quote import Quote
from numbers.review import Reviewed, leave_out_unmet, review_numbers
from numbers.views import count_search
from wallet.ledger import InsufficientFunds
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import NUMBERS_CREATE, NUMBERS_VIEW

MOST_SHOWN = 100


@require_safe
@workspace_view(NUMBERS_VIEW)
def requests(request: WorkspaceRequest) -> HttpResponse:
    """What was asked for: everything for those who decide, one's own for the others."""
    rows = (
        PurchaseRequest.objects.visible_to(request.membership)
        .select_related("asked_by", "decided_by", "order", "workspace")
        .order_by("-pk")[:MOST_SHOWN]
    )
    entries = [(row, ask.reviewed(row)) for row in rows]
    waiting = PurchaseRequest.State.WAITING
    context = {
        "waiting": [entry for entry in entries if entry[0].state == waiting],
        "decided": [entry for entry in entries if entry[0].state != waiting],
        "may_decide": request.membership.can(NUMBERS_CREATE),
    }
    return render(request, "numbers/requests.html", context)


@require_POST
@workspace_view(NUMBERS_VIEW)
def ask_for(request: WorkspaceRequest) -> HttpResponse:
    """Ask those who may buy for what the review page showed; sent twice, it is one request."""
    rate_limit.spend("purchase", who=request.workspace.pk, what="requests")
    note = NoteForm(request.POST)
    try:
        quote = quotes.read(
            request.POST.get("quote", ""), workspace=request.workspace, by=request.user
        )
    except Refusal as refusal:
        return review_refused(request, refusal, "")
    row = ask.ask_for(
        workspace=request.workspace, by=request.user, quote=quote,
        note=note.cleaned_data["note"] if note.is_valid() else request.POST.get("note", "")[:300],
    )  # fmt: skip
    return redirect(row)


@require_safe
@workspace_view(NUMBERS_VIEW)
def request(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """One request; whoever decides sees it at today's price and availability."""
    return _render(request, _find(request, reference))


@require_POST
@workspace_view(NUMBERS_CREATE)
def approve(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """Buy what the page of the request showed; sent twice, it is one order."""
    row = _find(request, reference)
    try:
        quote = quotes.read(
            request.POST.get("quote", ""), workspace=request.workspace, by=request.user
        )
        order = ask.approve(request=row, by=request.user, quote=quote)
    except Refusal as refusal:
        return _render(request, row, refusal=refusal)
    return redirect("numbers:order", workspace_slug=request.workspace.slug,
                    reference=order.reference)  # fmt: skip


@require_POST
@workspace_view(NUMBERS_CREATE)
def decline(request: WorkspaceRequest, reference: str) -> HttpResponse:
    row = _find(request, reference)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _render(request, row, form=form, status=422)
    try:
        row = ask.decline(request=row, by=request.user, reason=form.cleaned_data["reason"])
    except Refusal as refusal:
        return _render(request, row, refusal=refusal)
    return redirect(row)


@require_POST
@workspace_view(NUMBERS_VIEW)
def withdraw(request: WorkspaceRequest, reference: str) -> HttpResponse:
    row = _find(request, reference)
    if row.asked_by_id != request.user.pk:
        raise Http404
    try:
        row = ask.withdraw(request=row, by=request.user)
    except Refusal as refusal:
        return _render(request, row, refusal=refusal)
    return redirect(row)


def _find(request: WorkspaceRequest, reference: str) -> PurchaseRequest:
    rows = PurchaseRequest.objects.visible_to(request.membership)
    rows = rows.select_related("asked_by", "decided_by", "order", "workspace")
    return get_object_or_404(rows, reference=reference)


def _render(
    request: WorkspaceRequest, row: PurchaseRequest, *, status: int = 200,
    refusal: Refusal | None = None, **context: object,
) -> HttpResponse:  # fmt: skip
    if refusal is not None:
        row, status = _find(request, row.reference), refusal.status
    asked = ask.reviewed(row)
    is_waiting = row.state == PurchaseRequest.State.WAITING
    decides = is_waiting and request.membership.can(NUMBERS_CREATE)
    shown = {
        "row": row, "asked": asked, "refusal": refusal, "decides": decides,
        "may_withdraw": is_waiting and row.asked_by_id == request.user.pk,
        "form": ReasonForm(), **(_today(request, asked) if decides else {}), **context,
    }  # fmt: skip
    if isinstance(refusal, InsufficientFunds) and "add_funds" in shown:
        refusal.fix = Fix("Add funds", str(shown["add_funds"]))
    return render(request, "numbers/request.html", shown, status=status)


def _today(request: WorkspaceRequest, asked: Quote) -> dict:
    """The quote that approving would confirm, and what has changed since it was asked for."""
    count_search(request)
    try:
        found = _review_again(request, asked)
    except Refusal as refusal:
        return {"cannot_look": refusal}
    if not found.numbers:
        return {"left_out": found.left_out}
    quote = replace(asked, numbers=tuple(found.numbers))
    return {
        **cost_context(request, quote),
        "left_out": found.left_out,
        "changed": _changed(asked, quote),
    }


def _review_again(request: WorkspaceRequest, asked: Quote) -> Reviewed:
    """All of one country: they were found by one search."""
    chosen = [(one.number.e164, one.number.number_type) for one in asked.numbers]
    reviewed = review_numbers(
        workspace=request.workspace, country=asked.number.country, chosen=chosen
    )
    leave_out_unmet(reviewed)
    return reviewed


def _changed(asked: Quote, now: Quote) -> list[tuple[str, Price, Price]]:
    prices = {one.number.e164: one.price for one in asked.numbers}
    return [
        (one.number.e164, prices[one.number.e164], one.price)
        for one in now.numbers
        if prices[one.number.e164].amount != one.price.amount
    ]
