"""The inbox: conversations, one of them, and the reply."""

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from interactions import inbox as inbox_of
from interactions.forms.inbox import InboxForm, ReplyForm, SeenForm
from interactions.media import AUDIO_TYPE
from interactions.models import Conversation, MediaFile, Voicemail
from interactions.reading import mark_read
from interactions.refusals import NoRate
from interactions.send import check_sender, send_message
from interactions.shown_prices import check_price, shown_prices
from interactions.views.files import serve
from lib import htmx, money, segments
from lib.errors import Fix, Refusal
from numbers.models import Number
from wallet.addresses import add_funds_address
from wallet.ledger import InsufficientFunds
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import INBOX_REPLY, INBOX_VIEW


@require_safe
@workspace_view(INBOX_VIEW)
def index(request: WorkspaceRequest) -> HttpResponse:
    """Conversations of the workspace, the newest first."""
    form = InboxForm(request.GET)
    wanted = form.wanted()
    # The page of a number shows its latest ones among all the rest that there is to see.
    most = inbox_of.FEW if request.GET.get("few") else inbox_of.PAGE_SIZE
    page = inbox_of.conversations(request.workspace, wanted, most=most)
    kept = {"q": wanted.text, "only": "unread" if wanted.unread else "", "number": wanted.number}
    kept = {name: value for name, value in kept.items() if value}
    context = {
        "form": form,
        "page": page,
        "asked": bool(kept),
        "asked_of_a_number": set(kept) == {"number"},
        "older": urlencode(kept | {"before": page.next_before}) if page.next_before else "",
        "numbers": Number.objects.for_workspace(request.workspace).owned().newest_first()[:200],
    }
    template = "_conversations.html" if htmx.asks_for(request, "conversations") else "inbox.html"
    return render(request, f"interactions/{template}", context)


@require_safe
@workspace_view(INBOX_VIEW)
def conversation(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Everything between one of our numbers and one contact."""
    found = _conversation(request, public_id)
    return render(request, "interactions/conversation.html", _context(request, found))


def _conversation(request: WorkspaceRequest, public_id: str) -> Any:
    rows = inbox_of.with_opt_out(Conversation.objects.for_workspace(request.workspace))
    found = get_object_or_404(rows.select_related("number"), public_id=public_id)
    found.workspace = found.number.workspace = request.workspace
    return found


def _context(request: WorkspaceRequest, found: Any, **more: Any) -> dict[str, Any]:
    before = inbox_of.read_before(request.GET.get("before", "") + "~")
    entries, older = inbox_of.entries(found, before[0] if before else None)
    form = more.pop("form", None) or ReplyForm(initial={"key": uuid.uuid4()})
    return {
        "conversation": found,
        "entries": entries,
        "older": urlencode({"before": older}) if older else "",
        "is_newest": before is None,
        "seen_until": timezone.now().isoformat(),
        "form": form,
        "why_not": _why_not(request, found),
        "cost": _cost_shown(found, ""),
        "can_send_pictures": found.number.can("mms"),
        **more,
    }


def _why_not(request: WorkspaceRequest, found: Any) -> str:
    """Why nothing can be answered here; empty where it can."""
    if not request.membership.can(INBOX_REPLY):
        return "Answering needs the permission inbox_reply."
    if not found.can_be_answered:
        return "This contact is not a phone number that takes messages."
    if found.opted_out:
        return (
            "This contact has opted out with STOP. Texts can be sent again once they write START."
        )
    try:
        check_sender(found.number)
    except Refusal as refusal:
        return refusal.sentence
    return ""


def _cost_shown(found: Conversation, body: str) -> dict[str, Any]:
    """What the text would cost, and what it would with a picture."""
    units = shown_prices(found)
    if units is None:
        return {"problem": NoRate(found.contact).sentence}
    counted, currency = segments.count(body), units.currency
    return {
        "segments": counted,
        "text_price": units.text,
        "picture_price": units.picture or "",
        "unit": money.show(units.text, currency),
        "amount": money.show(units.text * max(counted.count, 1), currency),
        "picture": money.show(units.picture, currency) if units.picture else "",
    }


@require_POST
@workspace_view(INBOX_REPLY)
def cost(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """What the text as typed so far would cost; changes nothing."""
    found = _conversation(request, public_id)
    shown = _cost_shown(found, request.POST.get("body", "")[:3000])
    return render(request, "interactions/_cost.html", {"cost": shown})


@require_POST
@workspace_view(INBOX_REPLY)
def reply(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Send a message in the conversation; sent twice, it is one message."""
    found = _conversation(request, public_id)
    form = ReplyForm(request.POST, request.FILES)
    if not form.is_valid():
        context = _context(request, found, form=form)
        return render(request, "interactions/conversation.html", context, status=422)
    cleaned = form.cleaned_data
    try:
        check_price(found, has_picture=bool(cleaned["picture"]), shown=form.price_shown())
        send_message(
            workspace=request.workspace, by=request.user, conversation=found,
            body=cleaned["body"], picture=cleaned["picture"], key=cleaned["key"],
        )  # fmt: skip
    except Refusal as refusal:
        if isinstance(refusal, InsufficientFunds):
            address = add_funds_address(
                request.workspace, refusal.missing, found.get_absolute_url()
            )
            refusal.fix = Fix("Add funds", address)
        context = _context(request, found, form=form, refusal=refusal)
        return render(request, "interactions/conversation.html", context, status=422)
    return redirect(f"{found.get_absolute_url()}#newest")


@require_POST
@workspace_view(INBOX_VIEW)
def seen(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Somebody has looked at the conversation, up to a moment."""
    found = _conversation(request, public_id)
    form = SeenForm(request.POST)
    until: datetime = form.cleaned_data["until"] if form.is_valid() else timezone.now()
    mark_read(found, seen_until=until)
    if request.htmx:  # type: ignore[attr-defined]  # set by django_htmx's middleware
        return HttpResponse("")
    return redirect("interactions:index", request.workspace.slug)


@require_safe
@workspace_view(INBOX_VIEW)
def picture(request: WorkspaceRequest, public_id: str) -> HttpResponseBase:
    """A picture of a message."""
    rows = MediaFile.objects.for_workspace(request.workspace).filter(state=MediaFile.State.KEPT)
    row = get_object_or_404(rows, public_id=public_id)
    return serve(row.file, row.content_type)


@require_safe
@workspace_view(INBOX_VIEW)
def voicemail(request: WorkspaceRequest, public_id: str) -> HttpResponseBase:
    """The audio of a voicemail."""
    row = get_object_or_404(Voicemail.objects.for_workspace(request.workspace), public_id=public_id)
    if row.state != Voicemail.State.KEPT:
        raise Http404
    return serve(row.audio, AUDIO_TYPE)
