"""The platform at a glance for support staff, and the same as metrics for a monitor."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from interactions.models import Call, Direction, Message
from numbers import watch
from numbers.models import Number
from numbers_project import margin
from workspaces.access import with_token

BEAT_IS_LATE = timedelta(minutes=3)
COMPARISON_IS_LATE = timedelta(hours=3)
MAY_WATCH = ("numbers.view_difference", "wallet.view_entry")


@require_safe
@permission_required(MAY_WATCH, raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """For staff only: the URL map wraps it in the admin's own gate. Asks the provider once."""
    last_beat, compared_at = watch.last_beat(), watch.compared_at()
    context = {
        **admin.site.each_context(request),
        "title": "Platform",
        "funds": watch.provider_funds(),
        "credentials_problem": watch.credentials_work(),
        "last_beat": last_beat,
        "beat_is_late": last_beat is None or timezone.now() - last_beat > BEAT_IS_LATE,
        "last_webhook": last_webhook_at(),
        "unsettled": watch.unsettled_orders(),
        "differences": watch.open_differences(),
        "last_run": watch.last_run(),
        "compared_at": compared_at,
        "comparison_is_late": compared_at is None
        or timezone.now() - compared_at > COMPARISON_IS_LATE,
        "vanished": watch.vanished_lately(),
        "unpaid": watch.paid_by_nobody(),
        "months": margin.by_month(),
        "cost": provider_cost_a_month(),
    }
    return render(request, "admin/watch.html", context)


def last_webhook_at() -> datetime | None:
    """When the call or message that came in last came in: silence where there is traffic means
    that the provider does not reach us. By the primary key: no index has the time alone.
    """
    incoming = [model.objects.filter(direction=Direction.IN) for model in (Call, Message)]
    newest = [rows.order_by("-pk").values_list("at", flat=True).first() for rows in incoming]
    return max((at for at in newest if at is not None), default=None)


def provider_cost_a_month() -> list[Any]:
    """What the numbers we have now cost us a month at the provider, and bring in."""
    return list(
        Number.objects.owned()
        .values("currency")
        .annotate(cost=Sum("provider_monthly_price"), income=Sum("monthly_price"))
        .order_by("currency")
    )


@require_safe
@with_token
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text form, for whoever has the token; 404 for anybody else."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = settings.METRICS_TOKEN
    if not token or not secrets.compare_digest(given.encode(), token.encode()):
        return HttpResponse(status=404)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Now:
    """Read from the rows at the moment of the scrape, so that all processes say the same."""

    def collect(self) -> Iterator[Metric]:
        yield _gauge("orders_unsettled", "Order lines without an outcome", watch.unsettled_orders())
        yield _gauge("numbers_active", "Active numbers", Number.objects.owned().active().count())
        differences = GaugeMetricFamily(
            "desk_differences_open", "Differences from the provider", labels=["kind"]
        )
        for kind, count in watch.open_differences():
            differences.add_metric([kind.label], count)
        yield differences
        if (funds := watch.provider_funds()) is not None:
            yield _gauge("provider_balance", "Balance at the provider", float(funds.amount))
        if (beat := watch.last_beat()) is not None:
            age = (timezone.now() - beat).total_seconds()
            yield _gauge("beat_age_seconds", "Since beat and a worker were last alive", age)
        if (compared := watch.compared_at()) is not None:
            age = (timezone.now() - compared).total_seconds()
            yield _gauge("comparison_age_seconds", "Since a comparison came to its end", age)
        if (came := last_webhook_at()) is not None:
            age = (timezone.now() - came).total_seconds()
            yield _gauge("webhook_age_seconds", "Since a call or message last came in", age)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"desk_{name}", words, value=value)
