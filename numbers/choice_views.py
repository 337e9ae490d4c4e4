"""The numbers that a picker offers, for the search inside it."""

import re

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from numbers.choice import LONGEST_SEARCH, choices_for
from telephony.values import Capability
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import NUMBERS_VIEW

FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}")


class ChoicesForm(forms.Form):
    """``field`` is the name of the form field that asks; its search and choice come along."""

    field = forms.RegexField(rf"^{FIELD_NAME.pattern}$")
    needs = forms.MultipleChoiceField(
        required=False, choices=[(kind.value, kind.label) for kind in Capability]
    )


@require_safe
@workspace_view(NUMBERS_VIEW)
def choices(request: WorkspaceRequest) -> HttpResponse:
    """The list inside a picker. Unusual input finds nothing."""
    form = ChoicesForm(request.GET)
    if not form.is_valid():
        return HttpResponse("This picker is not understood. Reload the page.", status=422)
    name = form.cleaned_data["field"]
    text = request.GET.get(f"{name}_find", "")[:LONGEST_SEARCH].replace("\x00", "")
    chosen = request.GET.get(name, "")[:16].replace("\x00", "")
    found = choices_for(
        request.workspace,
        needs=[Capability(kind) for kind in form.cleaned_data["needs"]],
        text=text,
        chosen=chosen,
    )
    widget = {"name": name, "found": found, "attrs": {"id": f"id_{name}"}}
    return render(request, "numbers/_picker_choices.html", {"widget": widget})
