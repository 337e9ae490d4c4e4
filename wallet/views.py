"""The wallet's page and its statement as a file."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, IntegerField, OuterRef, Subquery, TextField
from django.db.models.functions import Cast, Coalesce, JSONObject
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lib import htmx, rate_limit
from wallet.balances import Balances, balances_at, use_a_day
from wallet.chart import chart_of
from wallet.models import Hold, Wallet
from wallet.runway import AHEAD, lasts_until, not_covered
from wallet.statement import PAGE, FilterForm, as_csv, causes, entries_of
from wallet.upcoming import Charge, upcoming_charges, upcoming_days
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.models import Workspace
from workspaces.permissions import WALLET_TOP_UP, WALLET_VIEW, WORKSPACE_EDIT

MOST_NAMED = 20
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)


@require_safe
@workspace_view(WALLET_VIEW)
def index(request: WorkspaceRequest) -> HttpResponse:
    """Balance, holds, rent ahead, how long it lasts, the chart, and the statement."""
    wallet = request.wallet = _wallet(request.workspace)
    form = FilterForm(request.GET, label_suffix="")
    valid = form.is_valid()
    zone = ZoneInfo(request.workspace.time_zone)
    now = timezone.now()
    days = [now - timedelta(days=back) for back in range(AHEAD.days, 0, -1)]
    begin, end = form.period(zone) if valid else (None, None)
    moments = [*days, begin or BEGINNING, end or END]
    balances = balances_at(wallet, moments, used_since=days[0])
    statement = _statement(request, wallet, form, balances, begin or BEGINNING, end or END)
    context = {
        "wallet": wallet,
        "header_wallet": wallet,
        "holds": [hold | {"remaining": Decimal(hold["remaining"])} for hold in wallet.open_holds],
        "more_holds": wallet.open_hold_count - len(wallet.open_holds),
        "may_top_up": request.membership.can(WALLET_TOP_UP),
        "may_edit": request.membership.can(WORKSPACE_EDIT),
        "recharge": getattr(wallet.workspace, "auto_recharge", None),
        "form": form,
        **statement,
    }
    status = 200 if valid else 422
    if htmx.asks_for(request, "statement"):
        return render(request, "wallet/_statement.html", context, status=status)
    context |= _ahead(wallet, balances, now)
    rows = [(day, balances.points[day].balance) for day in days] + [(now, wallet.balance)]
    context["chart"] = chart_of(rows)
    return render(request, "wallet/index.html", context, status=status)


def _ahead(wallet: Wallet, balances: Balances, now: datetime) -> dict[str, Any]:
    """The rent of the next 30 days, how long the money lasts, and what is kept."""
    workspace, until = wallet.workspace, now + AHEAD
    keep_days = getattr(getattr(workspace, "precautions", None), "keep_days", 0)
    use = use_a_day(wallet, balances.used, days=AHEAD.days, now=now)
    days, first = upcoming_days(
        workspace, now=now, days=max(AHEAD.days, keep_days), most=MOST_NAMED,
        covered=wallet.available - use * AHEAD.days,
    )  # fmt: skip
    month = [day for day in days if day.ahead < AHEAD.days]
    charges = [charge for charge in first if charge.due_at <= until]
    count = sum(day.count for day in month)

    def read(since: datetime | None, skip: int, most: int) -> list[Charge]:
        if len(charges) == count:  # they are all here
            return [one for one in charges if since is None or one.due_at >= since][skip:]
        return upcoming_charges(workspace, since=since, until=until, most=most, skip=skip)

    spent: dict[str, Any] = {
        "available": wallet.available,
        "days": month,
        "use_a_day": use,
        "now": now,
    }
    uncovered = not_covered(**spent, most=MOST_NAMED, read=read)
    return {
        "lasts_until": lasts_until(**spent),
        "use_a_day": use,
        "rent": sum((day.amount for day in month), Decimal(0)),
        "charges": charges[:MOST_NAMED],
        "more_charges": count - len(charges[:MOST_NAMED]),
        "overdue": bool(charges) and charges[0].due_at <= now,
        "uncovered": uncovered.charges,
        "more_uncovered": uncovered.count - len(uncovered.charges),
        "keep_days": keep_days,
        "kept": sum((day.amount for day in days if day.ahead < keep_days), Decimal(0)),
    }


def _wallet(workspace: Workspace) -> Any:
    """The wallet with its open holds, read together."""
    left = Cast(F("amount") - F("captured") - F("released"), TextField())
    holds = Hold.objects.filter(wallet=OuterRef("pk"), ended_at=None).order_by("created_at")
    count = holds.order_by().values("wallet").values(n=Count("pk"))
    shown = holds.values(row=JSONObject(text="text", reference="reference", remaining=left))
    return (
        Wallet.objects.select_related("workspace__auto_recharge", "workspace__precautions")
        .annotate(
            open_holds=ArraySubquery(shown[:MOST_NAMED]),
            open_hold_count=Coalesce(Subquery(count, output_field=IntegerField()), 0),
        )
        .get(workspace=workspace)
    )


def _statement(
    request: WorkspaceRequest, wallet: Wallet, form: FilterForm, balances: Balances,
    begin: datetime, end: datetime,
) -> dict[str, Any]:  # fmt: skip
    first, last = balances.points[begin], balances.points[end]
    if not form.is_valid():
        return {"entries": [], "csv_query": ""}
    chosen = form.cleaned_data
    found = entries_of(
        wallet, kind=chosen["kind"], text=chosen["q"], after_seq=first.last_seq,
        to_seq=min(last.last_seq, (chosen["before"] or last.last_seq + 1) - 1),
    )  # fmt: skip
    page = list(found.select_related("refunds")[: PAGE + 1])
    lines = page[:PAGE]
    addresses = causes(request.workspace, lines)
    return {
        "entries": [(entry, addresses.get(entry.seq, "")) for entry in lines],
        "older": form.query(before=lines[-1].seq) if len(page) > PAGE else "",
        "csv_query": form.query(),
        "period": bool(chosen["since"] or chosen["until"]),
        "opening": first.balance,
        "closing": last.balance,
    }


@require_safe
@workspace_view(WALLET_VIEW)
def export(request: WorkspaceRequest) -> HttpResponseBase:
    """The filtered statement as CSV, streamed."""
    wallet = Wallet.objects.get(workspace=request.workspace)
    form = FilterForm(request.GET)
    if not form.is_valid():
        return HttpResponse("The filter is not complete.", status=422, content_type="text/plain")
    rate_limit.spend("export", who=request.workspace.pk, what="exports")
    begin, end = form.period(ZoneInfo(request.workspace.time_zone))
    begin, end = begin or BEGINNING, end or END
    points = balances_at(wallet, [begin, end], used_since=begin).points
    chosen = form.cleaned_data
    entries = entries_of(
        wallet, kind=chosen["kind"], text=chosen["q"], after_seq=points[begin].last_seq,
        to_seq=points[end].last_seq,
    )  # fmt: skip
    name = f"{request.workspace.slug}-statement-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        as_csv(entries, wallet.currency), content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip
