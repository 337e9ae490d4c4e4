"""One number: all about it, and what people change about it."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lib import htmx, money
from lib.errors import Refusal
from numbers import changes, tags
from numbers.chart import bars_of
from numbers.models import Number
from numbers.number_costs import costs_of
from numbers.number_forms import NumberForm
from numbers.number_rows import rows_of
from numbers.provider_data import look_up
from numbers.release import undo_time
from numbers.rent_state import rent_state
from numbers.usages import usages_of
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.models import User
from workspaces.permissions import (
    AUDIT_VIEW,
    INBOX_VIEW,
    NUMBERS_EDIT,
    NUMBERS_RELEASE,
    NUMBERS_VIEW,
    ROUTES_EDIT,
    WALLET_VIEW,
)

STOPPED = (Number.Health.OUTBOUND_STOPPED, Number.Health.UNPAID)


def number_of(request: WorkspaceRequest, public_id: str) -> Number:
    """The workspace's number, whether owned or given back; 404 for any other."""
    numbers = Number.objects.for_workspace(request.workspace).with_tags().select_related("rent")
    number = get_object_or_404(numbers, public_id=public_id)
    number.workspace = request.workspace
    return number


@require_safe
@workspace_view(NUMBERS_VIEW)
def detail(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    return render(request, "numbers/detail.html", _about(request, number_of(request, public_id)))


def _about(request: WorkspaceRequest, number: Number) -> dict:
    may = request.membership.can
    usages = usages_of(request.workspace, [number])
    is_behind = number.health in STOPPED or number.rent.due_at <= timezone.now()
    is_leaving = number.parked_at or number.giving_back_at or number.released_at
    return {
        "number": number,
        "support_email": settings.SUPPORT_EMAIL,
        "row": rows_of(request.workspace, [number], usages)[0],
        "undo_until": _undo_until(number),
        # Two more queries, only where there is something to tell.
        "rent": rent_state(number) if is_behind and not number.released_at else None,
        "may_see_history": may(AUDIT_VIEW),
        "may_see_inbox": may(INBOX_VIEW),
        "may_route": may(ROUTES_EDIT) and not number.parked_at,
        "may_edit": may(NUMBERS_EDIT) and not is_leaving,
        "may_release": may(NUMBERS_RELEASE) and not number.giving_back_at,
        "may_see_costs": may(WALLET_VIEW),
    }


def _undo_until(number: Number) -> datetime | None:
    """None where its release cannot be undone, or not any more."""
    until = number.parked_at + undo_time() if number.parked_at else None
    return until if until and until > timezone.now() else None


@require_safe
@workspace_view(WALLET_VIEW)
def costs(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """What it cost, month by month, as a chart and as a table of the same figures."""
    number = number_of(request, public_id)
    found = costs_of(number)
    chart = bars_of(
        [
            (date_format(month.first, "M"), month.total,
             f"{date_format(month.first, 'F Y')}: {money.show(month.total, found.currency)}")
            for month in found.months
        ]
    )  # fmt: skip
    template = "_number_costs.html" if htmx.asks_for(request, "costs") else "number_costs.html"
    return render(
        request, f"numbers/{template}", {"number": number, "costs": found, "chart": chart}
    )


@require_safe
@workspace_view(NUMBERS_VIEW)
def provider_data(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """What the carrier says of it this moment. Asked for by a person, never by loading a page."""
    number = number_of(request, public_id)
    context: dict = {"number": number}
    status = 200
    try:
        context["data"] = look_up(number)
    except Refusal as refusal:
        context["refusal"], status = refusal, refusal.status
    template = "_provider.html" if htmx.asks_for(request, "provider") else "provider.html"
    return render(request, f"numbers/{template}", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(NUMBERS_EDIT)
def edit(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Name, tags and notes."""
    number = number_of(request, public_id)
    if request.method != "POST":
        known = {"friendly_name": number.friendly_name, "notes": number.notes,
                 "tags": ", ".join(number.tag_names)}  # fmt: skip
        return render(request, "numbers/edit.html", {"number": number, "form": NumberForm(known)})
    form = NumberForm(request.POST)
    context = {"number": number, "form": form}
    if not form.is_valid():
        return render(request, "numbers/edit.html", context, status=422)
    try:
        _apply(request.user, number, form)
    except Refusal as refusal:
        context["refusal"] = refusal
        return render(request, "numbers/edit.html", context, status=refusal.status)
    messages.success(request, f"{number.international} is saved.")
    return redirect(number)


@transaction.atomic
def _apply(by: User, number: Number, form: NumberForm) -> None:
    """All of it or, where one part is refused, nothing."""
    cleaned = form.cleaned_data
    changes.rename(number=number, by=by, name=cleaned["friendly_name"])
    changes.write_notes(number=number, by=by, notes=cleaned["notes"])
    tags.set_tags(number=number, by=by, names=cleaned["tags"])


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(NUMBERS_EDIT)
def deactivate(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Says what it means before it is done."""
    number = number_of(request, public_id)
    if request.method != "POST":
        breaks = usages_of(request.workspace, [number])[number.pk].breaks
        return render(request, "numbers/deactivate.html", {"number": number, "breaks": breaks})
    return do(request, number, changes.deactivate, "{number} is switched off.")


@require_POST
@workspace_view(NUMBERS_EDIT)
def activate(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    number = number_of(request, public_id)
    return do(request, number, changes.activate, "{number} is switched on.")


@require_POST
@workspace_view(NUMBERS_EDIT)
def lock(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    number = number_of(request, public_id)
    return do(request, number, changes.lock, "{number} is locked against release.")


@require_POST
@workspace_view(NUMBERS_RELEASE)
def unlock(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    number = number_of(request, public_id)
    return do(request, number, changes.unlock, "{number} can be released again.")


def do(
    request: WorkspaceRequest, number: Number, operation: Callable[..., None], done: str
) -> HttpResponse:
    """Do it and go back to the number; a refusal is shown on the number's own page."""
    try:
        operation(number=number, by=request.user)
    except Refusal as refusal:
        context = {**_about(request, number), "refusal": refusal}
        return render(request, "numbers/detail.html", context, status=refusal.status)
    messages.success(request, done.format(number=number.international))
    return redirect(number)
