"""Doorbells and sweeps: each only finds the rows and calls the operation.

A row is looked up by its workspace and its id.
"""

import logging

from celery import shared_task

from numbers import (
    account,
    catalogue,
    dunning,
    give_back,
    names,
    payment_places,
    price_changes,
    purchase,
    release,
    rent,
    rent_settle,
    settle,
    sync,
    usages,
    watch,
)
from numbers.models import Number, NumberOrder, RentArrears
from numbers.rent_runs import RunInTheFuture
from telephony.errors import ProviderError
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)


@shared_task
def buy_order(workspace_id: int, order_id: int) -> None:
    purchase.buy_placed(NumberOrder.objects.get(workspace=workspace_id, pk=order_id))


@shared_task
def settle_unknown_orders() -> None:
    settle.settle_due()


@shared_task
def settle_order(workspace_id: int, order_id: int) -> None:
    settle.settle_due(NumberOrder.objects.get(workspace=workspace_id, pk=order_id))


@shared_task
def repair_webhooks() -> None:
    settle.repair_webhooks()


@shared_task
def reconcile(by_id: int | None = None, *, dry_run: bool = False) -> None:
    by = User.objects.filter(pk=by_id).first() if by_id else None
    try:
        sync.reconcile(by=by, dry_run=dry_run)
    except sync.AlreadyRunning:
        log.info("another process is comparing with the provider already")


@shared_task
def watch_beat() -> None:
    watch.beat()


@shared_task
def sample_balance() -> None:
    try:
        watch.sample_balance()
    except ProviderError as error:
        log.warning("the provider's balance could not be read: %s", error)


@shared_task
def look_at_account() -> None:
    try:
        account.look_at_account()
    except ProviderError as error:
        log.warning("how the provider's account is could not be read: %s", error)


@shared_task
def refresh_prices() -> None:
    try:
        catalogue.refresh_everything()
    except ProviderError as error:
        log.warning("the country list could not be refreshed: %s", error)


@shared_task
def collect_rent() -> None:
    """What is due is charged first, so that nobody climbs the ladder with money in the wallet."""
    try:
        rent.collect_due()
        dunning.advance()
    except RunInTheFuture as refusal:
        log.error("no rent was collected: %s", refusal.sentence)


def funds_added(wallet_id: int) -> None:
    """Rung by the wallet after money has come in (``AFTER_FUNDS_ADDED``)."""
    if RentArrears.objects.filter(pk=wallet_id).exists():
        settle_workspace.delay(wallet_id)


@shared_task
def settle_workspace(workspace_id: int) -> None:
    rent_settle.settle(Workspace.objects.get(pk=workspace_id))


@shared_task
def settle_arrears() -> None:
    rent_settle.settle_arrears()


@shared_task
def give_numbers_back() -> None:
    give_back.give_back_due()


@shared_task
def announce_prices() -> None:
    price_changes.follow_price_list()


@shared_task
def send_number_name(workspace_id: int, number_id: int) -> None:
    names.send_name(Number.objects.get(workspace=workspace_id, pk=number_id).pk)


@shared_task
def send_number_names() -> None:
    names.send_due()


@shared_task
def follow_payments() -> None:
    payment_places.follow_payments()


@shared_task
def follow_every_payment() -> None:
    payment_places.follow_everything()


@shared_task
def follow_every_usage() -> None:
    usages.keep_every_order()


@shared_task
def release_numbers() -> None:
    """Those whose day has come are parked; those parked for long enough are to go back."""
    release.park_due()
    if release.decide_due():
        give_numbers_back.delay()
