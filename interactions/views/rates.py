"""What calls and messages cost, before they are made."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from interactions.rate_list import find_rates
from lib import htmx
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import NUMBERS_VIEW


class RatesForm(forms.Form):
    q = forms.CharField(required=False, max_length=60)


@require_safe
@workspace_view(NUMBERS_VIEW)
def rates(request: WorkspaceRequest) -> HttpResponse:
    """Rates by country, prefix or number; without a search those of the workspace's own."""
    form = RatesForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    context = {"form": form, "asked": bool(text), "found": find_rates(request.workspace, text)}
    template = "_rates.html" if htmx.asks_for(request, "rates") else "rates.html"
    return render(request, f"interactions/{template}", context)
