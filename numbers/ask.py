"""Asking those who may buy: a request, their yes (which is an order) or their no."""

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from lib import e164 as formats
from lib.errors import Fix, Refusal
from numbers.models import NumberOrder, PurchaseRequest
from numbers.place import place_order
from numbers.purchase import begin
from numbers.quote import Quote, as_json, from_json
from numbers.refusals import QuoteExpired
from workspaces import audit, notices
from workspaces.models import User, Workspace
from workspaces.permissions import NUMBERS_CREATE


class AlreadyDecided(Refusal):
    code = "already_decided"
    title = "This request is decided already"

    def __init__(self, request: PurchaseRequest) -> None:
        super().__init__(
            f"{request.decided_by} has {request.get_state_display().lower()} it.",
            fix=Fix("See the request", request.get_absolute_url()),
        )


def ask_for(*, workspace: Workspace, by: User, quote: Quote, note: str = "") -> PurchaseRequest:
    """Ask for what was reviewed; the same quote again is the same request. Those who may buy
    get a mail.
    """
    with transaction.atomic():
        request, is_new = PurchaseRequest.objects.get_or_create(
            workspace=workspace, key=quote.key,
            defaults={"asked_by": by, "asked_at": timezone.now(), "note": note.strip()[:300],
                      "quoted": as_json(quote)},
        )  # fmt: skip
        if is_new:
            _record(request, by, "asked", f"Asked for {told(quote)}")
            notices.notify(
                workspace=workspace, key=f"{request.reference}:asked", permission=NUMBERS_CREATE,
                subject=f"{by} asks for {told(quote)}", body=_mail("request_asked", request),
            )  # fmt: skip
    return request


def approve(*, request: PurchaseRequest, by: User, quote: Quote) -> NumberOrder:
    """Order it, at the prices that ``quote`` shows now; approved twice, it is one order.

    Raises what ``place_order`` raises, and the request goes on waiting; raises
    ``AlreadyDecided`` if it was declined or withdrawn in the meantime.
    """

    def decide(order: NumberOrder) -> None:
        _decide(request, by, PurchaseRequest.State.APPROVED, order=order)

    if quote.key != request.key:  # a page of another request
        raise QuoteExpired
    order = place_order(workspace=request.workspace, by=by, quote=quote, with_it=decide)
    begin(order)
    return order


def decline(*, request: PurchaseRequest, by: User, reason: str) -> PurchaseRequest:
    """Say no, and why. Raises ``AlreadyDecided``."""
    return _decide(request, by, PurchaseRequest.State.DECLINED, reason=reason.strip()[:300])


def withdraw(*, request: PurchaseRequest, by: User) -> PurchaseRequest:
    """Take one's own request back. Raises ``AlreadyDecided``."""
    if request.asked_by_id != by.pk:
        raise ValueError("only who asked takes it back")
    return _decide(request, by, PurchaseRequest.State.WITHDRAWN)


@transaction.atomic
def _decide(
    request: PurchaseRequest, by: User, state: PurchaseRequest.State, *, reason: str = "",
    order: NumberOrder | None = None,
) -> PurchaseRequest:  # fmt: skip
    row = (
        PurchaseRequest.objects.select_for_update(of=("self",))
        .select_related("workspace", "asked_by", "decided_by")
        .get(pk=request.pk)
    )
    if row.state != PurchaseRequest.State.WAITING:
        raise AlreadyDecided(row)
    row.state, row.decided_by, row.decided_at = state, by, timezone.now()
    row.reason, row.order = reason, order
    row.save(update_fields=["state", "decided_by", "decided_at", "reason", "order"])
    _record(row, by, state, f"{row.get_state_display()}: {told(reviewed(row))}")
    if state != PurchaseRequest.State.WITHDRAWN:
        notices.notify(
            workspace=row.workspace, key=f"{row.reference}:decided", recipient=row.asked_by,
            subject=f"{by} {state} your request for {told(reviewed(row))}",
            body=_mail("request_decided", row),
        )  # fmt: skip
    return row


def reviewed(request: PurchaseRequest) -> Quote:
    """What was asked for as it was reviewed; prices and availability may have changed since."""
    return from_json(request.quoted)


def told(quote: Quote) -> str:
    if len(quote) == 1:
        return formats.international(quote.number.e164)
    return f"{len(quote)} numbers"


def _record(request: PurchaseRequest, by: User, what: str, text: str) -> None:
    audit.record(
        workspace=request.workspace, by=by, action=f"request.{what}", subject=request,
        subject_id=request.reference, text=text,
        details={"numbers": [one.number.e164 for one in reviewed(request).numbers],
                 "note": request.note, "reason": request.reason},
    )  # fmt: skip


def _mail(name: str, request: PurchaseRequest) -> str:
    context = {
        "request": request,
        "quote": reviewed(request),
        "address": settings.PUBLIC_BASE_URL + request.get_absolute_url(),
    }
    return render_to_string(f"numbers/mail/{name}.txt", context)
