"""Testing a number: what it costs, the start, and each hop as it is reached."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from interactions import hops, number_test
from interactions.models import Medium, NumberTest
from lib import htmx
from lib.errors import Refusal
from numbers.models import Number
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.models import Membership
from workspaces.permissions import ROUTES_EDIT


class TestForm(forms.Form):
    """``sender`` is empty for somebody who uses a phone of their own."""

    medium = forms.ChoiceField(choices=Medium)
    sender = forms.SlugField(required=False, max_length=16)
    key = forms.UUIDField()


@require_safe
@workspace_view(ROUTES_EDIT)
def test(request: WorkspaceRequest, number_id: str) -> HttpResponse:
    """What can be tested, from where, and what it costs."""
    number = _number(request, number_id)
    ways = [_way(number, medium, request.membership) for medium in _media(number)]
    context = {
        "number": number,
        "ways": ways,
        "key": uuid.uuid4(),
        "handset": _handset(number),
    }
    return render(request, "interactions/test.html", context)


def _handset(number: Number) -> str:
    """Where a made-up phone can reach the number; empty with the real provider."""
    base = settings.TWILIO_API_BASE
    return f"{base}/handset?{urlencode({'to': number.e164})}" if base else ""


def _number(request: WorkspaceRequest, number_id: str) -> Number:
    numbers = Number.objects.for_workspace(request.workspace).owned().select_related("workspace")
    return get_object_or_404(numbers, public_id=number_id)


def _media(number: Number) -> list[Medium]:
    able = {Medium.VOICE: number.can("voice"), Medium.MESSAGE: number.can("sms")}
    return [medium for medium, can in able.items() if can]


def _way(number: Number, medium: Medium, membership: Membership) -> dict[str, Any]:
    """What a test costs, and where there is too little money for it, the way on."""
    try:
        price = number_test.test_price(number, medium)
    except Refusal as refusal:
        return {"medium": medium, "problem": refusal.sentence}
    way: dict[str, Any] = {"medium": medium, "price": price,
                           "senders": number_test.senders_for(number, medium)}  # fmt: skip
    for name, sends in (("short", True), ("short_for_phone", False)):
        short = number_test.too_little(number, price, sends=sends)
        way[name] = hops.way_on(membership, number, short) if short else None
    return way


@require_POST
@workspace_view(ROUTES_EDIT)
def start(request: WorkspaceRequest, number_id: str) -> HttpResponse:
    number = _number(request, number_id)
    form = TestForm(request.POST)
    if not form.is_valid():
        return redirect("interactions:test", request.workspace.slug, number.public_id)
    cleaned = form.cleaned_data
    sender = None
    if cleaned["sender"]:
        senders = Number.objects.for_workspace(request.workspace).active().exclude(pk=number.pk)
        sender = get_object_or_404(senders.select_related("workspace"), public_id=cleaned["sender"])
    started = number_test.start_test(
        workspace=request.workspace, by=request.user, number=number, medium=cleaned["medium"],
        sender=sender, key=cleaned["key"],
    )  # fmt: skip
    return redirect("interactions:test_result", request.workspace.slug, number.public_id,
                    started.public_id)  # fmt: skip


@require_safe
@workspace_view(ROUTES_EDIT)
def test_result(request: WorkspaceRequest, number_id: str, public_id: str) -> HttpResponse:
    """Each hop; while something is waited for, the page asks again by itself."""
    tests = NumberTest.objects.for_workspace(request.workspace).select_related(
        "number__workspace", "sender", "call", "message", "workspace"
    )
    found = get_object_or_404(tests, public_id=public_id, number__public_id=number_id)
    reached = hops.hops_of(found, request.membership)
    context = {
        "test": found,
        "number": found.number,
        "hops": reached,
        "over": hops.is_over(reached),
        "handset": _handset(found.number),
    }
    template = "_hops.html" if htmx.asks_for(request, "hops") else "test_result.html"
    return render(request, f"interactions/{template}", context)
