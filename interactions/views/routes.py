"""The page on which a number's route is decided."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from interactions.forms.routes import MessageRouteForm, VoiceRouteForm, initial_of
from interactions.models import Medium
from interactions.plans import MessagePlan, VoicePlan
from interactions.routing import plans_of, save_message_route, save_voice_route
from interactions.summaries import message_summary, voice_summary
from lib.errors import Refusal
from numbers.models import Number
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import ROUTES_EDIT


@require_safe
@workspace_view(ROUTES_EDIT)
def route(request: WorkspaceRequest, number_id: str) -> HttpResponse:
    """Who answers this number, for calls and for messages."""
    number = _number(request, number_id)
    return render(request, "interactions/route.html", _context(request, number))


@require_POST
@workspace_view(ROUTES_EDIT)
def save_voice(request: WorkspaceRequest, number_id: str) -> HttpResponse:
    number = _number(request, number_id)
    form = VoiceRouteForm(request.POST)
    refusal = None
    if form.is_valid():
        try:
            save_voice_route(
                workspace=request.workspace, by=request.user, number=number, plan=form.plan()
            )
        except Refusal as no:
            refusal = no
            form.add_error("phones", no.title)
        else:
            messages.success(request, "Saved. The next call is answered this way.")
            return redirect("interactions:route", request.workspace.slug, number.public_id)
    context = _context(request, number) | {"voice_form": form, "refusal": refusal}
    return render(request, "interactions/route.html", context, status=422)


@require_POST
@workspace_view(ROUTES_EDIT)
def save_messages(request: WorkspaceRequest, number_id: str) -> HttpResponse:
    number = _number(request, number_id)
    form = MessageRouteForm(request.POST, workspace=request.workspace)
    if not form.is_valid():
        context = _context(request, number) | {"message_form": form}
        return render(request, "interactions/route.html", context, status=422)
    save_message_route(
        workspace=request.workspace, by=request.user, number=number, plan=form.plan()
    )
    messages.success(request, "Saved. The next message is dealt with this way.")
    return redirect("interactions:route", request.workspace.slug, number.public_id)


def _number(request: WorkspaceRequest, number_id: str) -> Number:
    numbers = Number.objects.for_workspace(request.workspace).owned().select_related("workspace")
    return get_object_or_404(numbers, public_id=number_id)


def _context(request: WorkspaceRequest, number: Number) -> dict[str, Any]:
    plans = plans_of(number)
    plan = VoicePlan.read(plans.get(Medium.VOICE))
    message_plan = MessagePlan.read(plans.get(Medium.MESSAGE))
    message_form = MessageRouteForm(
        initial={"mail_to": list(map(str, message_plan.mail_to)), "reply": message_plan.reply},
        workspace=request.workspace,
    )
    return {
        "number": number,
        "voice_form": VoiceRouteForm(initial=initial_of(plan)),
        "message_form": message_form,
        "voice_sentences": voice_summary(plan, request.workspace),
        "message_sentences": message_summary(message_plan, message_form.names),
        "nobody_yet": Medium.VOICE not in plans,
    }
