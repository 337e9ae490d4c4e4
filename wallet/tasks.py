"""Doorbells and sweeps: each only finds the rows and calls the operation.

A row is looked up by its workspace and its id.
"""

import logging
from datetime import timedelta

from celery import shared_task

from lib.errors import Refusal
from wallet import alerts, cards, recharge, settle, stripe_events
from wallet.models import SavedCard, TopUp

log = logging.getLogger(__name__)
WAITED_FOR = timedelta(seconds=1.5)


@shared_task
def settle_open_top_ups() -> None:
    settle.settle_open()
    cards.settle_open()


@shared_task
def settle_top_up(workspace_id: int, top_up_id: int) -> None:
    """Somebody waits for it: ask every other second."""
    wanted = TopUp.objects.get(workspace=workspace_id, pk=top_up_id)
    found = settle.claim(wanted, after=WAITED_FOR)
    if found is None:
        return
    try:
        settle.settle(found)
    except Refusal as refusal:
        log.warning("%s cannot be settled now: %s", found, refusal)


@shared_task
def settle_card(workspace_id: int, card_id: int) -> None:
    """Somebody waits for it: ask every other second."""
    wanted = SavedCard.objects.get(workspace=workspace_id, pk=card_id)
    found = cards.claim(wanted, after=WAITED_FOR)
    if found is None:
        return
    try:
        cards.settle(found)
    except Refusal as refusal:
        log.warning("%s cannot be settled now: %s", found.reference, refusal)


@shared_task
def recharge_low_wallets() -> None:
    recharge.recharge_low()


@shared_task
def tell_of_low_balances() -> None:
    alerts.tell_of_low_balances()


@shared_task
def tell_of_rent_not_covered() -> None:
    alerts.tell_of_rent_not_covered()


@shared_task
def ask_for_refunds_and_disputes() -> None:
    try:
        stripe_events.catch_up()
    except Refusal as refusal:
        log.warning("refunds and disputes cannot be asked for now: %s", refusal)
