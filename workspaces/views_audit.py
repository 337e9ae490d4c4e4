"""The activity pages: the audit trail of a workspace, or of one number of it."""

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lib import htmx, rate_limit
from lib.csv_lines import csv_answer
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.activity import AREAS, Question, csv_lines, page_of
from workspaces.permissions import AUDIT_VIEW

FRAGMENTS = {"more-events": "_more_events.html", "number-history": "_number_history.html"}


class ActivityForm(forms.Form):
    """The search, read from the address."""

    q = forms.CharField(required=False, max_length=80)
    who = forms.CharField(required=False, max_length=80)
    area = forms.ChoiceField(
        required=False,
        choices=[("", "Everything"), *((key, label) for key, (label, _) in AREAS.items())],
    )
    about = forms.RegexField(r"^[A-Za-z0-9_-]{1,40}$", required=False)
    first = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    last = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    def question(self) -> Question:
        """What is asked for, from a valid form."""
        cleaned = self.cleaned_data
        return Question(
            text=cleaned["q"], who=cleaned["who"], area=cleaned["area"], about=cleaned["about"],
            first=cleaned["first"], last=cleaned["last"],
        )  # fmt: skip


@require_safe
@workspace_view(AUDIT_VIEW)
def index(request: WorkspaceRequest) -> HttpResponse:
    """Who did what, newest first. The address holds the search, so it can be shared."""
    form = ActivityForm(request.GET)
    if not form.is_valid():
        return render(
            request, "workspaces/activity.html",
            {"form": form, "not_understood": form.errors}, status=422,
        )  # fmt: skip
    question, after = form.question(), request.GET.get("after", "")
    page = page_of(request.workspace, question, after)
    context = {
        "form": form,
        "question": question,
        "events": page.events,
        "more": question.query_string(after=page.next_after) if page.next_after else "",
        "everything": question.query_string(),
        "is_later_page": bool(after),
    }
    wanted = [name for name in FRAGMENTS if htmx.asks_for(request, name)]
    template = FRAGMENTS[wanted[0]] if wanted else "activity.html"
    return render(request, f"workspaces/{template}", context)


@require_safe
@workspace_view(AUDIT_VIEW)
def export(request: WorkspaceRequest) -> HttpResponseBase:
    form = ActivityForm(request.GET)
    question = form.question() if form.is_valid() else None
    if question is None:
        return index(request, workspace_slug=request.workspace.slug)
    rate_limit.spend("export", who=request.workspace.pk, what="exports")
    name = f"activity-{request.workspace.slug}-{timezone.now():%Y-%m-%d}"
    return csv_answer(csv_lines(request.workspace, question), name)
