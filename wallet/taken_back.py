"""Payments that were taken back: refunded in Stripe's own pages, or disputed at the bank."""

from decimal import Decimal

import stripe
from django.db import transaction

from lib import money
from wallet import ledger
from wallet.models import TopUp
from wallet.settle import settle
from wallet.stripe_client import call, from_minor_units
from workspaces import audit, notices
from workspaces.permissions import WALLET_VIEW

TRIES = 5


def follow_refunds(payment_intent_id: str) -> None:
    """Bring the wallet to what Stripe says was given back of a payment, more or less.

    Stripe is asked, so that events may come in any order. What was read before somebody else
    wrote is read again: an older answer never wins.
    """
    for _ in range(TRIES):
        top_up = _paid_with(payment_intent_id)
        intent = call(
            lambda client: client.v1.payment_intents.retrieve(
                payment_intent_id, {"expand": ["latest_charge"]}
            )
        )
        charge = intent.latest_charge
        if not isinstance(charge, stripe.Charge):
            return
        given_back = from_minor_units(charge.amount_refunded, top_up.currency)
        if _bring_to(top_up, given_back):
            return


def _paid_with(payment_intent_id: str) -> TopUp:
    """The top-up; if the news of its payment has not reached us yet, it is settled first."""
    known = TopUp.objects.filter(payment_intent_id=payment_intent_id).first()
    if known is not None or not payment_intent_id:
        return known or TopUp.objects.none().get()
    intent = call(lambda client: client.v1.payment_intents.retrieve(payment_intent_id))
    ours = intent.metadata.to_dict().get("top_up", "")
    return settle(TopUp.objects.get(reference=ours))


@transaction.atomic
def _bring_to(read: TopUp, given_back: Decimal) -> bool:
    """False if another process changed it since it was read."""
    top_up = _locked(pk=read.pk)
    if top_up.changes != read.changes:
        return False
    change = given_back - top_up.given_back
    if not change:
        return True
    top_up.given_back, top_up.changes = given_back, top_up.changes + 1
    top_up.save(update_fields=["given_back", "changes"])
    move = ledger.reverse if change > 0 else ledger.reinstate
    words = "Card payment refunded" if change > 0 else "Refund did not arrive, money is back"
    move(
        wallet=top_up.wallet, amount=abs(change), contra="stripe", text=words,
        key=f"{top_up.entry_key}:given-back:{top_up.changes}", reference=top_up.reference,
    )  # fmt: skip
    _say(top_up, words, change)
    return True


def dispute(found: stripe.Dispute, *, won: bool) -> None:
    """The bank took the money back, or gave it to us again: each once, in any order."""
    top_up = _paid_with(str(found.payment_intent))
    with transaction.atomic():
        _move_disputed(_locked(pk=top_up.pk), found, won=won)


def _move_disputed(top_up: TopUp, found: stripe.Dispute, *, won: bool) -> None:
    amount = from_minor_units(found.amount, found.currency.upper())
    move, words = (
        (ledger.reinstate, "Dispute won, money is back")
        if won
        else (ledger.reverse, "Card payment disputed at the bank")
    )
    key = f"dispute:{found.id}:{'won' if won else 'taken'}"
    move(
        wallet=top_up.wallet, amount=amount, contra="stripe", key=key, text=words,
        reference=top_up.reference,
    )  # fmt: skip
    _say(top_up, words, -amount if won else amount)


def _locked(**which: object) -> TopUp:
    return (
        TopUp.objects.select_for_update(of=("self",), no_key=True)
        .select_related("workspace", "wallet")
        .get(**which)
    )


def _say(top_up: TopUp, words: str, taken: Decimal) -> None:
    """On the audit trail, and by mail to those who see the wallet."""
    amount = money.show(abs(taken), top_up.currency)
    audit.record(
        workspace=top_up.workspace, by=None, action="wallet.payment_taken_back", subject=top_up,
        subject_id=top_up.reference, label=top_up.reference, text=f"{words}: {amount}",
    )  # fmt: skip
    notices.notify(
        workspace=top_up.workspace, permission=WALLET_VIEW,
        key=f"taken-back:{top_up.reference}:{words}:{top_up.changes}",
        subject=f"{words}: {amount}",
        body=(
            f"{words}.\n\nPayment {top_up.reference} of {top_up.workspace.name}: {amount} "
            f"{'left' if taken > 0 else 'came back to'} the wallet. The statement shows it.\n"
        ),
    )  # fmt: skip
