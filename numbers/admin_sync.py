"""What differs between us and the provider, for support staff to decide about."""

import logging
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.decorators import permission_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.errors import Refusal
from lib.read_only_admin import ReadOnlyAdmin
from numbers import cures, tasks
from numbers.admin_orders import MAY_REFUND
from numbers.assign import assign_number, give_back_nobodys
from numbers.models import OrderLine
from numbers.number_refusals import CarrierHolds
from numbers.plan import DOES, lower
from numbers.refusals import ProviderNotConfigured
from numbers.sync_models import BalanceSample, Difference, SyncRun
from telephony.errors import (
    NotConfigured,
    NotFound,
    ProviderError,
    ProviderUnavailable,
    ReleaseRefused,
)
from workspaces.access import is_it_you
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)

MAY_DECIDE = "numbers.change_difference"
MAY_COMPARE = "numbers.add_syncrun"


class DecisionForm(forms.Form):
    """What is done about one difference. A reason is needed for what cannot be undone."""

    action = forms.ChoiceField(widget=forms.RadioSelect)
    workspace = forms.ModelChoiceField(Workspace.objects.order_by("name"), required=False)
    reason = forms.CharField(max_length=300, required=False, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, difference: Difference, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.difference = difference
        self.fields["action"].choices = actions_for(difference)  # type: ignore[attr-defined]
        if difference.kind != Difference.Kind.NOBODYS:
            del self.fields["workspace"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("action") == "assign" and not cleaned.get("workspace"):
            self.add_error("workspace", "Choose the workspace that gets the number.")
        if self._takes_away(cleaned.get("action")) and not cleaned.get("reason"):
            self.add_error("reason", "Write down why: the reason stays in the audit trail.")
        return cleaned

    def _takes_away(self, action: str | None) -> bool:
        """Something that worked, or was set on purpose, does not any more."""
        if action == "cure":
            gone = (Difference.Kind.RELEASED, Difference.Kind.MISSING)
            return self.difference.asks or self.difference.kind in gone
        return action in ("undo", "give_back")


def actions_for(difference: Difference) -> list[tuple[str, str]]:
    """What can be done about it now."""
    if difference.ended_at is not None:
        return [("undo", "Undo what was done")] if difference.cure in cures.UNDO else []
    if difference.kind == Difference.Kind.NOBODYS:
        return [
            ("assign", "Assign it to a workspace, which pays the first month now"),
            ("give_back", "Give it back to the carrier for good"),
            ("leave", "Leave it as it is"),
        ]
    actions = [("leave", "Leave it as it is: it is meant")] if difference.left_at is None else []
    if difference.kind in cures.CURES:
        does = lower(DOES[Difference.Kind(difference.kind)])
        return [("cure", f"Set it right: {does}"), *actions]
    return actions


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    list_display = ["e164", "kind", "workspace", "first_seen_at", "last_seen_at", "asks", "cure",
                    "decide"]  # fmt: skip
    list_select_related = ["workspace"]
    list_filter = ["kind", "asks", ("ended_at", admin.EmptyFieldListFilter), "cure"]
    search_fields = ["e164", "provider_sid", "public_id", "workspace__slug"]
    ordering = ["ended_at", "-last_seen_at"]
    show_full_result_count = False

    def get_urls(self) -> list:
        decide = path(
            "<int:pk>/decide/", self.admin_site.admin_view(self.decide_view),
            name="numbers_difference_decide",
        )  # fmt: skip
        return [decide, *super().get_urls()]

    @admin.display(description="")
    def decide(self, difference: Difference) -> SafeString | str:
        if not actions_for(difference):
            return ""
        address = reverse("admin:numbers_difference_decide", args=[difference.pk])
        return format_html('<a href="{}">Decide</a>', address)

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        may_decide = request.user.has_perm(MAY_DECIDE)
        if not (may_decide if request.method == "POST" else self.has_view_permission(request)):
            raise PermissionDenied
        if may_decide and (asks := is_it_you(request)):
            return asks
        difference = get_object_or_404(Difference, pk=pk)
        form = DecisionForm(request.POST or None, difference=difference)
        if request.method == "POST" and form.is_valid():
            try:
                decide(difference, form.cleaned_data, request)
            except Refusal as refusal:
                form.add_error(None, f"{refusal.sentence} {refusal.money}")
            except ProviderError as error:
                form.add_error(None, no_of_the_carrier(error))
            else:
                messages.success(request, f"Done: {difference}")
                return redirect("admin:numbers_difference_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": str(difference), "difference": difference, "form": form,
            "may_decide": may_decide, "bought_by": bought_by(difference),
            "may_refund": request.user.has_perm(MAY_REFUND), "done": done_about(difference),
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/numbers/decide.html", context, status=status)


def no_of_the_carrier(error: ProviderError) -> str:
    """What went wrong there, and whether something was changed all the same."""
    log.warning("a decision of staff was not carried out: %s", error)
    match error:
        case ReleaseRefused():
            return f"The carrier does not take it back: {CarrierHolds.BECAUSE[error.reason]}."
        case NotConfigured():
            return f"{ProviderNotConfigured(error.reason).sentence} Nothing was changed."
        case NotFound():
            return "The carrier does not have the number any more. The next comparison notes it."
        case ProviderUnavailable(outcome_unknown=True):
            return (
                "The carrier gave no clear answer: it may be done all the same. Look again after "
                "the next comparison."
            )
        case ProviderUnavailable():
            return "The carrier does not answer. Nothing was changed."
    return "The carrier refused it. Nothing was changed."


def bought_by(difference: Difference) -> OrderLine | None:
    """The line whose money may be given back for a number that the carrier lost."""
    if difference.kind != Difference.Kind.MISSING or difference.number is None:
        return None
    lines = OrderLine.objects.filter(number=difference.number, state__in=OrderLine.BOUGHT)
    return lines.select_related("order").first()


def done_about(difference: Difference) -> QuerySet[LogEntry]:
    """What staff did about a number that is nobody's, the newest first."""
    of_its_kind = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Difference), object_id=difference.pk
    )
    return of_its_kind.select_related("user").order_by("-pk")


def decide(difference: Difference, choice: dict[str, Any], request: HttpRequest) -> None:
    by = cast(User, request.user)
    reason = choice.get("reason", "")
    if choice["action"] in ("cure", "undo", "leave"):
        # Before it is done: whatever happens in between, what is done has its reason.
        cures.keep_reason(difference, by=by, reason=reason)
    match choice["action"]:
        case "cure":
            cures.cure(difference, by=by)
        case "undo":
            cures.undo(difference, by=by)
        case "leave":
            cures.leave(difference, by=by)
        case "assign":
            workspace = choice["workspace"]
            assign_number(difference=difference, workspace=workspace, by=by, reason=reason)
        case "give_back":
            give_back_nobodys(difference=difference, by=by, reason=reason)


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "ended_at", "by", "dry_run", "complete", "seen", "found",
                    "cured", "error"]  # fmt: skip
    list_select_related = ["by"]
    change_list_template = "admin/numbers/sync_runs.html"
    exclude = ["planned"]
    readonly_fields = ["would_do"]

    def get_urls(self) -> list:
        return [
            path("start/", self.admin_site.admin_view(self.start), name="numbers_syncrun_start"),
            *super().get_urls(),
        ]

    @admin.display(description="What it would do")
    def would_do(self, run: SyncRun) -> SafeString | str:
        if run.dry_run and not run.ended_at:
            return "It is not known yet: the run is under way. Reload to see it."
        if run.dry_run and not run.complete:
            return f"Nothing, since it did not come to its end: {run.error}"
        if not run.planned:
            return "Nothing" if run.dry_run else "It was no dry run"
        context = {"rows": run.planned, "more": run.found - len(run.planned)}
        return render_to_string("admin/numbers/_planned.html", context)

    @method_decorator(permission_required(MAY_COMPARE, raise_exception=True))
    def start(self, request: HttpRequest) -> HttpResponse:
        """Compare now, by a worker: the carrier's list may take minutes. A dry run's own page
        says what it would do.
        """
        if request.method == "POST":
            is_dry = "dry" in request.POST
            tasks.reconcile.delay(request.user.pk, dry_run=is_dry)
            what = "dry run has begun, and changes nothing" if is_dry else "comparison has begun"
            messages.info(request, f"The {what}. Reload to see its result.")
        return redirect("admin:numbers_syncrun_changelist")


@admin.register(BalanceSample)
class BalanceSampleAdmin(ReadOnlyAdmin):
    list_display = ["at", "amount", "currency"]
