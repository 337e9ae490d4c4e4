"""Support staff see how rent was collected, and help a workspace that is behind."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from lib import e164 as formats
from lib import money
from lib.errors import Refusal
from lib.read_only_admin import ReadOnlyAdmin
from numbers import owing, rent_settle, rent_staff
from numbers.models import Number, PriceChange, RentGrace, RentRun
from numbers.rent_models import RentAccount
from wallet.models import Wallet
from workspaces.access import is_it_you, recently_authenticated
from workspaces.models import User, Workspace

MAY_HELP = "numbers.change_rentaccount"
action: list[Any] = [
    require_POST, permission_required(MAY_HELP, raise_exception=True), recently_authenticated,
]  # fmt: skip


class StaffRequest(HttpRequest):
    """A request that has passed the admin's gate."""

    user: User


@admin.register(RentRun)
class RentRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "started_at", "cause", "workspace_slug", "wallets", "payments", "charged",
                    "left", "not_covered", "busy", "duration", "trouble"]  # fmt: skip
    list_filter = ["cause"]
    search_fields = ["workspace_slug"]
    ordering = ["-pk"]

    @admin.display
    def charged(self, run: RentRun) -> str:
        return shown(run.sums)

    @admin.display
    def not_covered(self, run: RentRun) -> str:
        return shown(run.left_sums)

    @admin.display
    def duration(self, run: RentRun) -> str:
        if run.ended_at is None:
            return "still running"
        return f"{(run.ended_at - run.started_at).total_seconds():.1f} s"

    @admin.display
    def trouble(self, run: RentRun) -> str:
        return " ".join(run.problems)


def shown(sums: dict[str, str]) -> str:
    return ", ".join(money.show(Decimal(amount), code) for code, amount in sums.items())


class GraceForm(forms.Form):
    extra_days = forms.IntegerField(min_value=1, max_value=365, label="Days more for every step")
    reason = forms.CharField(max_length=300)


class EndGraceForm(forms.Form):
    reason = forms.CharField(max_length=300)


class WaiveForm(forms.Form):
    number = forms.CharField(max_length=40)
    reason = forms.CharField(max_length=300)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace

    def clean_number(self) -> Number:
        digits = formats.digits_from(self.cleaned_data["number"])
        numbers = Number.objects.for_workspace(self.workspace).owned()
        number = numbers.filter(e164=f"+{digits}").first()
        if number is None:
            raise forms.ValidationError(f"{self.workspace} has no such number.")
        return number


@admin.register(RentAccount)
class RentAccountAdmin(ReadOnlyAdmin):
    """How a workspace stands with its rent, and what staff may do about it."""

    list_display = ["name", "slug", "overdue_since", "more_time"]
    search_fields = ["name", "slug"]
    ordering = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RentAccount]:
        grace = RentGrace.objects.filter(workspace=OuterRef("pk"), ended_at=None)
        return (
            super()
            .get_queryset(request)
            .annotate(
                overdue=F("rentarrears__since"), extra_days=Subquery(grace.values("extra_days"))
            )
        )

    @admin.display(ordering="overdue")
    def overdue_since(self, workspace: Any) -> str:
        return f"{workspace.overdue:%Y-%m-%d}" if workspace.overdue else ""

    @admin.display(ordering="extra_days")
    def more_time(self, workspace: Any) -> str:
        return f"{workspace.extra_days} days" if workspace.extra_days else ""

    def get_urls(self) -> list[URLPattern]:
        views = {"collect": self.collect, "grace": self.grace, "end-grace": self.end_grace,
                 "waive": self.waive}  # fmt: skip
        mine = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view),
                 name=f"rent_{name.replace('-', '_')}")
            for name, view in views.items()
        ]  # fmt: skip
        return mine + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:  # fmt: skip
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.user.has_perm(MAY_HELP) and (asks := is_it_you(request)):
            return asks
        workspace = get_object_or_404(Workspace, pk=object_id)
        return self._page(request, workspace)

    def _page(
        self, request: HttpRequest, workspace: Workspace, *, status: int = 200, **forms_: forms.Form
    ) -> HttpResponse:
        total, numbers = owing.numbers(workspace, timezone.now(), most=50)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Rent of {workspace}",
            "account": workspace,
            "wallet": Wallet.objects.filter(workspace=workspace).first(),
            "total": total,
            "numbers": numbers,
            "grace": RentGrace.objects.for_workspace(workspace).filter(ended_at=None).first(),
            "runs": RentRun.objects.filter(workspace_slug=workspace.slug).order_by("-pk")[:5],
            "may_help": request.user.has_perm(MAY_HELP),
            "grace_form": GraceForm(),
            "end_grace_form": EndGraceForm(prefix="end"),
            "waive_form": WaiveForm(workspace=workspace),
            **forms_,
        }
        return render(request, "admin/numbers/rent_account.html", context, status=status)

    @method_decorator(action)
    def collect(self, request: StaffRequest, pk: int) -> HttpResponse:
        workspace = get_object_or_404(Workspace, pk=pk)
        run = rent_settle.settle(workspace, cause=RentRun.Cause.STAFF, by=request.user)
        left = f" {run.left} months found no money." if run.left else ""
        messages.info(request, f"Charged {run.payments} months.{left}")
        return self._back(workspace)

    @method_decorator(action)
    def grace(self, request: StaffRequest, pk: int) -> HttpResponse:
        workspace = get_object_or_404(Workspace, pk=pk)
        form = GraceForm(request.POST)
        if not form.is_valid():
            return self._page(request, workspace, status=422, grace_form=form)
        rent_staff.extend_grace(workspace=workspace, by=request.user, **form.cleaned_data)
        return self._back(workspace)

    @method_decorator(action)
    def end_grace(self, request: StaffRequest, pk: int) -> HttpResponse:
        workspace = get_object_or_404(Workspace, pk=pk)
        form = EndGraceForm(request.POST, prefix="end")
        if not form.is_valid():
            return self._page(request, workspace, status=422, end_grace_form=form)
        rent_staff.end_grace(workspace=workspace, by=request.user, **form.cleaned_data)
        return self._back(workspace)

    @method_decorator(action)
    def waive(self, request: StaffRequest, pk: int) -> HttpResponse:
        workspace = get_object_or_404(Workspace, pk=pk)
        form = WaiveForm(request.POST, workspace=workspace)
        if not form.is_valid():
            return self._page(request, workspace, status=422, waive_form=form)
        try:
            line = rent_staff.waive_month(by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error("number", refusal.sentence)
            return self._page(request, workspace, status=422, waive_form=form)
        messages.info(request, f"Waived month {line.period} of {form.cleaned_data['number']}.")
        return self._back(workspace)

    def _back(self, workspace: Workspace) -> HttpResponse:
        return redirect(reverse("admin:numbers_rentaccount_change", args=[workspace.pk]))


@admin.register(PriceChange)
class PriceChangeAdmin(ReadOnlyAdmin):
    list_display = ["announced_at", "number", "workspace", "old_price", "new_price", "starts_at"]
    list_select_related = ["number", "workspace"]
    search_fields = ["number__e164", "workspace__slug"]
    show_full_result_count = False
