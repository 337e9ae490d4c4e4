"""A card that may be charged with nobody present.

It is saved on a page of its own at Stripe (Checkout in setup mode) and not along with a
payment: nobody has to pay in order to switch the automatic recharge on, what is agreed to
is said on the page that asks for it, and a payment by hand never leaves a card behind.
"""

import logging
from datetime import timedelta
from typing import Any

import stripe
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from lib.errors import Refusal
from wallet.models import AutoRecharge, SavedCard
from wallet.stripe_client import RequestRefused, call
from wallet.turns import ASK_AGAIN, take_turn
from workspaces import audit
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)

TO_SAVE = timedelta(minutes=60)
AT_MOST = 50
State = SavedCard.State


class SavingIsOver(Refusal):
    code = "saving_is_over"
    title = "This page is over"

    def __init__(self) -> None:
        super().__init__("The card was saved, or the time for it is up. Start again.")


def start_saving(*, workspace: Workspace, by: User) -> SavedCard:
    """Commit the intent to save a card. Calls nobody."""
    now = timezone.now()
    return SavedCard.objects.create(
        workspace=workspace, by=by, created_at=now, expires_at=now + TO_SAVE
    )


def open_setup(card: SavedCard) -> str:
    """The address of Stripe's page for it. Raises ``SavingIsOver``, ``PaymentsDown``."""
    if card.state != State.OPEN or card.expires_at <= timezone.now():
        raise SavingIsOver
    if card.setup_url:
        return card.setup_url
    session = call(
        lambda client: client.v1.checkout.sessions.create(
            _session_of(card), {"idempotency_key": card.reference}
        )
    )
    SavedCard.objects.filter(pk=card.pk, state=State.OPEN).update(
        session_id=session.id, setup_url=session.url
    )
    return session.url or ""


def _session_of(card: SavedCard) -> Any:
    page = settings.PUBLIC_BASE_URL + reverse("wallet:recharge", args=[card.workspace.slug])
    ours = {"saved_card": card.reference}
    return {
        "mode": "setup",
        "payment_method_types": ["card"],
        "customer_creation": "always",
        "client_reference_id": card.reference,
        "metadata": ours,
        "setup_intent_data": {"metadata": ours},
        "success_url": f"{page}?card={card.reference}",
        "cancel_url": page,
        "expires_at": int(card.expires_at.timestamp()),
    }


def settle(card: SavedCard) -> None:
    """Ask Stripe what became of it, or tell Stripe to forget it."""
    if card.state == State.DETACHING:
        _detach(card)
    elif card.state == State.OPEN and card.session_id:
        session = call(
            lambda client: client.v1.checkout.sessions.retrieve(
                card.session_id, {"expand": ["setup_intent.payment_method"]}
            )
        )
        _apply(card, session)
    elif card.state == State.OPEN and card.expires_at <= timezone.now():
        SavedCard.objects.filter(pk=card.pk, state=State.OPEN, session_id="").update(
            state=State.EXPIRED, settled_at=timezone.now()
        )


def _apply(card: SavedCard, session: stripe.checkout.Session) -> None:
    intent = session.setup_intent
    if isinstance(intent, stripe.SetupIntent) and intent.status == "succeeded":
        _save(card, str(session.customer), intent.payment_method)
    elif session.status == "expired":
        SavedCard.objects.filter(pk=card.pk, state=State.OPEN).update(
            state=State.EXPIRED, settled_at=timezone.now()
        )


@transaction.atomic
def _save(card: SavedCard, customer_id: str, method: Any) -> None:
    """It takes the place of the one before; said twice, it changes nothing."""
    wanted = recharge_of(card.workspace)
    if not SavedCard.objects.filter(pk=card.pk, state=State.OPEN).exists():
        return
    now, saved = timezone.now(), SavedCard.objects.for_workspace(card.workspace)
    saved.filter(state=State.SAVED).update(state=State.DETACHING, asked_at=None)
    saved.filter(pk=card.pk).update(
        state=State.SAVED, settled_at=now, customer_id=customer_id, payment_method_id=method.id,
        brand=method.card.brand, last_four=method.card.last4,
    )  # fmt: skip
    wanted.card_id = card.pk
    wanted.save(update_fields=["card"])
    card.refresh_from_db()
    audit.record(
        workspace=card.workspace, by=card.by, action="wallet.card_saved", subject=card,
        subject_id=card.reference, text=f"Saved a card for the automatic recharge: {card}",
    )  # fmt: skip


def recharge_of(workspace: Workspace) -> AutoRecharge:
    """The workspace's row, made where it is missing, locked until the transaction ends."""
    AutoRecharge.objects.get_or_create(workspace=workspace)
    return AutoRecharge.objects.select_for_update().get(workspace=workspace)


@transaction.atomic
def remove_card(*, workspace: Workspace, by: User) -> None:
    """Forget the card and switch the recharge off; Stripe is told afterwards."""
    wanted = recharge_of(workspace)
    card = wanted.card
    if card is None:
        return
    wanted.is_on, wanted.card = False, None
    wanted.save(update_fields=["is_on", "card"])
    SavedCard.objects.filter(pk=card.pk).update(state=State.DETACHING, asked_at=None)
    audit.record(
        workspace=workspace, by=by, action="wallet.card_removed", subject=card,
        subject_id=card.reference, text=f"Removed the card of the automatic recharge: {card}",
    )  # fmt: skip


def _detach(card: SavedCard) -> None:
    try:
        call(lambda client: client.v1.payment_methods.detach(card.payment_method_id))
    except RequestRefused:  # it is gone there already
        log.info("%s is not at Stripe any more", card.reference)
    SavedCard.objects.filter(pk=card.pk, state=State.DETACHING).update(
        state=State.REMOVED, settled_at=timezone.now()
    )


def settle_open() -> None:
    """Ask about every card that nobody has told us of."""
    for _ in range(AT_MOST):
        card = claim()
        if card is None:
            return
        try:
            settle(card)
        except Refusal as refusal:
            log.warning("cards cannot be settled now: %s", refusal)
            return


def claim(this: SavedCard | None = None, after: timedelta = ASK_AGAIN) -> SavedCard | None:
    """Take one whose turn it is, or this one if it is its turn."""
    unsettled = SavedCard.objects.filter(state__in=SavedCard.UNSETTLED)
    mine = unsettled.filter(pk=this.pk) if this else unsettled
    return take_turn(mine.select_related("workspace", "by"), after=after)
