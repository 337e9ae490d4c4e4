"""Adding funds through Stripe Checkout: the intent, the payment page, the credit.

The row is committed first, Stripe is called with no transaction open, and what became of it
is learned from a webhook, from the person's return or from the sweep, whichever comes first.
All of them end in ``apply``, which credits once by the ledger's key.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import stripe
from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from lib import money
from lib.errors import Refusal
from wallet import ledger
from wallet.models import TopUp, Wallet
from wallet.stripe_client import PaymentsDown, call, minor_units
from workspaces import audit
from workspaces.models import User, Workspace

# Stripe accepts 30 minutes to 24 hours. Short, since an open one counts for the day's limit.
TO_PAY = timedelta(minutes=60)
State = TopUp.State


class TopUpOutOfBounds(Refusal):
    code = "top_up_out_of_bounds"
    title = "That amount cannot be added"


class TopUpOver(Refusal):
    code = "top_up_over"
    title = "This payment is over"

    def __init__(self) -> None:
        super().__init__("It was paid, cancelled, or its time is up. Start another one.")


class PaymentMismatch(Exception):
    """Stripe tells of another amount or currency than was asked for: a fault, or an attack."""


def start_top_up(
    *, workspace: Workspace, by: User, amount: Decimal, key: UUID, return_to: str = ""
) -> TopUp:
    """Commit the intent to pay in. Safe to repeat by ``key``; calls nobody.

    Raises ``InvalidAmount``, ``TopUpOutOfBounds``; nothing is written then.
    """
    with transaction.atomic():
        # Two requests at once must not pass the day's limit together.
        wallet = Wallet.objects.select_for_update(no_key=True).get(workspace=workspace)
        earlier = TopUp.objects.for_workspace(workspace).filter(key=key).first()
        if earlier is not None:
            return earlier
        check_amount(wallet, amount)
        now = timezone.now()
        return TopUp.objects.create(
            workspace=workspace, wallet=wallet, amount=amount, currency=wallet.currency, by=by,
            key=key, return_to=return_to, created_at=now, expires_at=now + TO_PAY,
        )  # fmt: skip


def check_bounds(wallet: Wallet, amount: Decimal) -> None:
    """Refuse what is no amount, or is outside the bounds for once."""
    ledger.positive(amount)
    currency = wallet.currency
    if amount != money.up_to_cent(amount):
        raise ledger.InvalidAmount("Use an amount with at most two decimals.")
    least, most = settings.TOP_UP_LEAST, settings.TOP_UP_MOST
    if not least <= amount <= most:
        raise TopUpOutOfBounds(
            f"Choose an amount from {money.show(least, currency)} to {money.show(most, currency)}."
        )


def check_amount(wallet: Wallet, amount: Decimal) -> None:
    """Refuse what is outside the bounds for once, or for the day."""
    check_bounds(wallet, amount)
    currency = wallet.currency
    left = settings.TOP_UP_MOST_A_DAY - added_lately(wallet)
    if amount > left:
        raise TopUpOutOfBounds(
            f"A workspace can add {money.show(settings.TOP_UP_MOST_A_DAY, currency)} within 24 "
            f"hours, and {money.show(max(left, Decimal(0)), currency)} of it is left. Choose less, "
            "cancel a payment that is still open, or write to support."
        )


def added_lately(wallet: Wallet) -> Decimal:
    """What was paid in within 24 hours, or may still be."""
    counts = Q(state=State.PAID) | Q(state__in=TopUp.UNSETTLED)
    since = timezone.now() - timedelta(hours=24)
    lately = TopUp.objects.for_workspace(wallet.workspace).filter(counts, created_at__gt=since)
    return lately.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def open_checkout(top_up: TopUp) -> str:
    """The address of Stripe's payment page for it; repeated, it is the same page.

    Raises ``TopUpOver``, ``PaymentsDown``, ``PaymentsNotConfigured``.
    """
    if top_up.state != State.OPEN or top_up.cause or top_up.expires_at <= timezone.now():
        raise TopUpOver
    if top_up.checkout_url:
        return top_up.checkout_url
    session = call(
        lambda client: client.v1.checkout.sessions.create(
            _session_of(top_up), {"idempotency_key": top_up.reference}
        )
    )
    still_open = TopUp.objects.filter(pk=top_up.pk, state=State.OPEN)
    if not still_open.update(session_id=session.id, checkout_url=session.url):
        raise TopUpOver
    return session.url or ""


def _session_of(top_up: TopUp) -> Any:
    page = settings.PUBLIC_BASE_URL + top_up.get_absolute_url()
    ours = {"top_up": top_up.reference}
    return {
        "mode": "payment",
        "client_reference_id": top_up.reference,
        "metadata": ours,
        "payment_intent_data": {"metadata": ours},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": top_up.currency.lower(),
                    "unit_amount": minor_units(top_up.amount, top_up.currency),
                    "product_data": {"name": f"Funds for {top_up.workspace.name}"},
                },
            }
        ],
        "success_url": f"{page}?returned=1",
        "cancel_url": page,
        # From the row, so that a repeat with the same idempotency key asks for the same.
        "expires_at": int(top_up.expires_at.timestamp()),
    }


def settle(top_up: TopUp) -> TopUp:
    """Ask Stripe what became of it, and write that down. Nothing to ask: nothing is done."""
    if top_up.state not in TopUp.UNSETTLED:
        return top_up
    if not top_up.session_id:
        return _never_opened(top_up)
    session = call(
        lambda client: client.v1.checkout.sessions.retrieve(
            top_up.session_id, {"expand": ["payment_intent"]}
        )
    )
    return apply(session)


def _never_opened(top_up: TopUp) -> TopUp:
    """Nobody ever got the address of its payment page, so it cannot be paid."""
    if top_up.expires_at <= timezone.now():
        TopUp.objects.filter(pk=top_up.pk, state=State.OPEN, session_id="").update(
            state=State.EXPIRED, settled_at=timezone.now()
        )
        top_up.refresh_from_db()
    return top_up


@transaction.atomic
def apply(session: stripe.checkout.Session) -> TopUp:
    """Write down what Stripe tells of a session; said twice or late, it changes nothing.

    Raises ``TopUp.DoesNotExist`` for a session that is not ours, ``PaymentMismatch``.
    """
    top_up = (
        TopUp.objects.select_for_update(of=("self",), no_key=True)
        .select_related("workspace", "wallet", "by")
        .get(reference=session.client_reference_id or "")
    )
    state = _state_in(session)
    if state == State.PAID and top_up.state != State.PAID:
        top_up.session_id = session.id
        credit(top_up, session.amount_total, session.currency, _id_of(session.payment_intent))
    elif top_up.state not in TopUp.UNSETTLED or state == top_up.state:
        return top_up
    top_up.state = state
    top_up.settled_at = None if state in TopUp.UNSETTLED else timezone.now()
    top_up.save(update_fields=["state", "settled_at", "session_id", "payment_intent_id"])
    return top_up


def _state_in(session: stripe.checkout.Session) -> str:
    if session.payment_status == "paid":
        return State.PAID
    if session.status == "expired":
        return State.EXPIRED
    if session.status == "complete":
        intent = session.payment_intent
        over = isinstance(intent, stripe.PaymentIntent) and intent.status in (
            "canceled", "requires_payment_method",
        )  # fmt: skip
        return State.FAILED if over else State.PROCESSING
    return State.OPEN


def credit(top_up: TopUp, minor: int | None, currency: str | None, payment_intent_id: str) -> None:
    """Money that Stripe says it has counts, whatever we believed before. Saves no row."""
    wanted = (minor_units(top_up.amount, top_up.currency), top_up.currency.lower())
    if (minor, currency) != wanted:
        raise PaymentMismatch(f"{top_up}: {minor} {currency}")
    top_up.payment_intent_id = payment_intent_id
    how = "by automatic recharge" if top_up.cause else "by card"
    ledger.credit(
        wallet=top_up.wallet, amount=top_up.amount, contra="stripe", key=top_up.entry_key,
        text=f"Funds added {how}", reference=top_up.reference, currency=top_up.currency,
    )  # fmt: skip
    audit.record(
        workspace=top_up.workspace, by=top_up.by, action="wallet.topped_up", subject=top_up,
        subject_id=top_up.reference, label=top_up.reference,
        text=f"Added {money.show(top_up.amount, top_up.currency)} {how}",
    )  # fmt: skip


def _id_of(intent: stripe.PaymentIntent | str | None) -> str:
    return intent.id if isinstance(intent, stripe.PaymentIntent) else intent or ""


def payment_failed(session: stripe.checkout.Session) -> None:
    """A payment that was under way did not arrive after all."""
    TopUp.objects.filter(
        reference=session.client_reference_id or "", state__in=TopUp.UNSETTLED
    ).update(state=State.FAILED, settled_at=timezone.now())


def cancel(*, top_up: TopUp, by: User) -> TopUp:
    """Close the payment page, so that it cannot be paid any more.

    Was it paid meanwhile, it is paid. Raises ``PaymentsDown``; then it stays open. One of the
    automatic recharge has no page: ``TopUpOver``.
    """
    if top_up.cause:
        raise TopUpOver
    if top_up.session_id and top_up.state == State.OPEN:
        try:
            call(lambda client: client.v1.checkout.sessions.expire(top_up.session_id))
        except PaymentsDown:
            top_up = settle(top_up)  # paid or expired already, or it does not answer at all
            if top_up.state == State.OPEN:
                raise
    TopUp.objects.filter(pk=top_up.pk, state__in=[State.OPEN, State.EXPIRED]).update(
        state=State.CANCELLED, settled_at=timezone.now()
    )
    top_up.refresh_from_db()
    return top_up
