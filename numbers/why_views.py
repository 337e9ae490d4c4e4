"""Why can't I buy? The checks, their report for support, and the limits of the workspace."""

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lib.errors import Refusal
from numbers import limits as purchase_limits
from numbers.catalogue import sold_countries
from numbers.diagnose import Question, diagnose, keep_report
from numbers.forms import LimitsForm, SearchForm, query_string_of
from numbers.models import DiagnosisReport, PurchaseLimits
from numbers.reports import Finding, in_short
from numbers.views import DEFAULT_COUNTRY, count_search
from wallet.models import Wallet
from workspaces.access import WorkspaceRequest, who_can, workspace_view
from workspaces.permissions import NUMBERS_VIEW, WALLET_VIEW, WORKSPACE_EDIT


@require_safe
@workspace_view(NUMBERS_VIEW)
def why(request: WorkspaceRequest) -> HttpResponse:
    """Run the checks for the search in the address, or for the usual country."""
    try:
        form = _search_form(request.GET)
    except Refusal as refusal:
        return render(request, "numbers/why.html", {"refusal": refusal}, status=503)
    if not form.is_valid():
        return render(request, "numbers/why.html", {"form": form}, status=422)
    count_search(request)
    question = _question(request, form)
    context = {
        "form": form,
        "question": question,
        **_told([("", finding) for finding in diagnose(question)]),
    }
    return render(request, "numbers/why.html", context)


@require_POST
@workspace_view(NUMBERS_VIEW)
def report(request: WorkspaceRequest) -> HttpResponse:
    """Run the checks again and keep what they find, for support."""
    try:
        form = _search_form(request.POST)
    except Refusal as refusal:
        return render(request, "numbers/why.html", {"refusal": refusal}, status=503)
    if not form.is_valid():
        return render(request, "numbers/why.html", {"form": form}, status=422)
    count_search(request)
    return redirect(keep_report(_question(request, form)))


@require_safe
@workspace_view(NUMBERS_VIEW)
def diagnosis(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """A report that somebody of the workspace made."""
    reports = DiagnosisReport.objects.for_workspace(request.workspace).select_related(
        "by", "number"
    )
    found = get_object_or_404(reports, reference=reference, by=request.user)
    context = {
        "report": found,
        **_told(found.lines),
        "groups": _grouped(found),
        "again": _again(found, request.workspace.slug),
        "support_email": settings.SUPPORT_EMAIL,
    }
    return render(request, "numbers/diagnosis.html", context)


def _told(lines: Sequence[tuple[str, Finding]]) -> dict:
    """Each line with its reference, which only a report has."""
    verdict, sentence = in_short([finding for _, finding in lines])
    return {"lines": lines, "verdict": verdict, "in_short": sentence}


def _grouped(report: DiagnosisReport) -> list[tuple[str, list[tuple[str, Finding]]]]:
    """The lines with their references, under the question that each belongs to; none for a
    report on buying, which is one question.
    """
    groups = groupby(report.lines, lambda line: line[1].group)
    return [(name, list(lines)) for name, lines in groups if name]


def _again(report: DiagnosisReport, slug: str) -> str:
    """The page that made the report."""
    if report.number is not None:
        return reverse("numbers:number_why", args=[slug, report.number.public_id])
    if any(finding.group for finding in report.findings):
        return f"{reverse('numbers:help', args=[slug])}?{urlencode({'number': report.search})}"
    return f"{reverse('numbers:why', args=[slug])}?{report.search}"


def _search_form(fields: QueryDict) -> SearchForm:
    searched: dict | QueryDict = fields if "country" in fields else {"country": DEFAULT_COUNTRY}
    return SearchForm(searched, countries=sold_countries())


def _question(request: WorkspaceRequest, form: SearchForm) -> Question:
    wanted = form.wanted()
    return Question(request.membership, wanted, query_string_of(wanted))


@require_safe
@workspace_view(NUMBERS_VIEW)
def limits(request: WorkspaceRequest) -> HttpResponse:
    """How much may be bought in a day, and how much was today."""
    row = PurchaseLimits.objects.for_workspace(request.workspace).first() or PurchaseLimits()
    form = LimitsForm(
        initial={"spend_per_day": row.spend_per_day, "numbers_per_day": row.numbers_per_day}
    )
    return _render_limits(request, form)


@require_POST
@workspace_view(WORKSPACE_EDIT)
def set_limits(request: WorkspaceRequest) -> HttpResponse:
    form = LimitsForm(request.POST)
    if not form.is_valid():
        return _render_limits(request, form, status=422)
    purchase_limits.set_limits(workspace=request.workspace, by=request.user, **form.cleaned_data)
    messages.success(request, "The limits are changed.")
    return redirect("numbers:limits", workspace_slug=request.workspace.slug)


def _render_limits(request: WorkspaceRequest, form: LimitsForm, status: int = 200) -> HttpResponse:
    workspace = request.workspace
    context = {
        "form": form,
        "limits": purchase_limits.limits_of(workspace),
        "site": purchase_limits.site_limits(),
        "today": purchase_limits.ordered_today(workspace),
        "currency": Wallet.objects.get(workspace=workspace).currency,
        "may_edit": request.membership.can(WORKSPACE_EDIT),
        "sees_money": request.membership.can(WALLET_VIEW),
        "editors": who_can(workspace, WORKSPACE_EDIT),
    }
    return render(request, "numbers/limits.html", context, status=status)
