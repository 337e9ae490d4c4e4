"""Why isn't it working? For one number, and the help for whoever has none at hand."""

from itertools import groupby

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from lib import rate_limit
from numbers.help import diagnose_without_number, keep_help_report, which
from numbers.number_views import number_of
from numbers.number_why import diagnose_number, keep_number_report
from numbers.reports import Finding
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import NUMBERS_VIEW

LONGEST = 40


class WhichForm(forms.Form):
    number = forms.CharField(
        required=False, max_length=LONGEST,
        error_messages={"max_length": f"Write a number of at most {LONGEST} characters."},
    )  # fmt: skip


def grouped(findings: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """The lines under the question that each belongs to, in their order."""
    return [(name, list(lines)) for name, lines in groupby(findings, lambda line: line.group)]


@require_safe
@workspace_view(NUMBERS_VIEW)
def number_why(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Run every check for the number now. Asks the carrier, and changes nothing."""
    number = number_of(request, public_id)
    _count_check(request)
    findings = diagnose_number(request.membership, number)
    context = {
        "number": number,
        "groups": grouped(findings),
        "problems": sum(finding.is_problem for finding in findings),
    }
    return render(request, "numbers/number_why.html", context)


@require_POST
@workspace_view(NUMBERS_VIEW)
def number_report(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Run the checks again and keep what they find, for support."""
    number = number_of(request, public_id)
    _count_check(request)
    return redirect(keep_number_report(request.membership, number))


@require_safe
@workspace_view(NUMBERS_VIEW)
def help_page(request: WorkspaceRequest) -> HttpResponse:
    """The numbers that it may be about, each leading to its own page of checks; and the
    troubleshooting lists for one that is not here, or for none.
    """
    form = WhichForm(request.GET)
    if not form.is_valid():
        return render(request, "numbers/help.html", {"form": form}, status=422)
    text = form.cleaned_data["number"]
    numbers = which(request.workspace, text)
    is_found = bool(text and numbers.rows)
    findings = [] if is_found else diagnose_without_number(request.membership, text)
    context = {"form": form, "text": text, "which": numbers, "groups": grouped(findings)}
    return render(request, "numbers/help.html", context)


@require_POST
@workspace_view(NUMBERS_VIEW)
def help_report(request: WorkspaceRequest) -> HttpResponse:
    form = WhichForm(request.POST)
    if not form.is_valid():
        return render(request, "numbers/help.html", {"form": form}, status=422)
    return redirect(keep_help_report(request.membership, form.cleaned_data["number"]))


def _count_check(request: WorkspaceRequest) -> None:
    rate_limit.spend("check", who=request.user.pk, what="checks")
