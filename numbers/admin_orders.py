"""Support staff look orders up here, read their log, and give money back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib import money
from lib.errors import Refusal
from lib.read_only_admin import ReadOnlyAdmin
from numbers.models import (
    DiagnosisReport,
    NumberOrder,
    OrderLine,
    OrderStep,
    PurchaseLimits,
    PurchaseRequest,
)
from numbers.order_log import steps_of
from numbers.refund import refund_line
from workspaces.access import is_it_you

MAY_REFUND = "numbers.refund_orderline"


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    fields = ("position", "e164", "state", "monthly_price", "called_at", "calls", "due_at",
              "settled_at", "refusal_code", "number", "refund")  # fmt: skip
    readonly_fields = fields
    can_delete = False
    extra = 0
    max_num = 0

    def refund(self, line: OrderLine) -> str | SafeString:
        if line.state != OrderLine.State.DONE:
            return "–"
        address = reverse("admin:numbers_orderline_refund", args=[line.pk])
        return format_html('<a href="{}">Give the money back</a>', address)


@admin.register(NumberOrder)
class NumberOrderAdmin(ReadOnlyAdmin):
    list_display = ["reference", "workspace", "placed_by", "placed_at"]
    list_select_related = ["workspace", "placed_by"]
    search_fields = ["reference", "lines__e164", "workspace__slug", "placed_by__email"]
    fields = ["reference", "workspace", "placed_by", "placed_at", "hold", "search", "log"]
    inlines = [OrderLineInline]

    @admin.display(description="What happened")
    def log(self, order: NumberOrder) -> SafeString:
        rows = [
            (f"{step.at:%Y-%m-%d %H:%M:%S}", step.line.e164, step.to_state, step.cause, step.text)
            for step in steps_of(order)
        ]
        return format_html_join("", "<div>{} · {} · {} ({}): {}</div>", rows)

    def get_urls(self) -> list[URLPattern]:
        refund = self.admin_site.admin_view(refund_view)
        return [
            path("refund/<int:line_id>/", refund, name="numbers_orderline_refund"),
            *super().get_urls(),
        ]


@admin.register(OrderStep)
class OrderStepAdmin(ReadOnlyAdmin):
    list_display = ["at", "line", "from_state", "to_state", "cause", "text"]
    list_select_related = ["line"]
    list_filter = ["to_state", "cause"]
    search_fields = ["line__e164", "line__order__reference", "workspace__slug"]
    show_full_result_count = False


class RefundForm(forms.Form):
    reason = forms.CharField(
        max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown to the workspace, on the order and on the statement.",
    )  # fmt: skip


def refund_view(request: HttpRequest, line_id: int) -> HttpResponse:
    """Ask for the reason, then give the money back."""
    if not request.user.has_perm(MAY_REFUND):
        raise PermissionDenied
    if asks := is_it_you(request):
        return asks
    line = get_object_or_404(OrderLine.objects.select_related("order__workspace"), pk=line_id)
    form = RefundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            refund_line(line=line, by=request.user, reason=reason)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, f"{line.international} was refunded.")
            return redirect("admin:numbers_numberorder_change", line.order_id)
    context: dict[str, Any] = {
        **admin.site.each_context(request), "title": "Give the money back", "form": form,
        "line": line, "amount": money.show(line.monthly_price, line.currency),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "numbers/admin_refund.html", context, status=status)


@admin.register(PurchaseRequest)
class PurchaseRequestAdmin(ReadOnlyAdmin):
    list_display = ["reference", "workspace", "asked_by", "asked_at", "state", "decided_by"]
    list_select_related = ["workspace", "asked_by", "decided_by"]
    list_filter = ["state"]
    search_fields = ["reference", "workspace__slug", "asked_by__email"]


@admin.register(PurchaseLimits)
class PurchaseLimitsAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "spend_per_day", "numbers_per_day"]
    list_select_related = ["workspace"]
    search_fields = ["workspace__slug"]


@admin.register(DiagnosisReport)
class DiagnosisReportAdmin(ReadOnlyAdmin):
    """What a person was told when they could not buy, or when a number did not work."""

    list_display = ["reference", "workspace", "number", "by", "at"]
    list_select_related = ["workspace", "number", "by"]
    search_fields = ["reference", "workspace__slug", "number__e164", "by__email"]
    fields = ["reference", "workspace", "number", "by", "at", "search", "told"]

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """A line of a report is asked for by the reference of its line, ``WHY-7K3MQ9XA-3``."""
        reference = "-".join(search_term.strip().upper().split("-")[:2])
        is_line = search_term.strip().upper().startswith("WHY-")
        return super().get_search_results(request, queryset, reference if is_line else search_term)

    @admin.display(description="Findings")
    def told(self, report: DiagnosisReport) -> SafeString:
        rows = [
            (reference, line.group and f"{line.group}: ", line.title, line.verdict, line.evidence,
             line.todo)
            for reference, line in report.lines
        ]  # fmt: skip
        words = "<div>{} {}<strong>{}</strong>: {}. {} {}</div>"
        return format_html_join("", words, rows)
