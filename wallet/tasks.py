"""Doorbells and sweeps: each only finds the rows and calls the operation."""

import logging
from datetime import timedelta

from celery import shared_task

from lib.errors import Refusal
from wallet import top_up

log = logging.getLogger(__name__)


@shared_task
def settle_open_top_ups() -> None:
    top_up.settle_open()


@shared_task
def settle_top_up(pk: int) -> None:
    """Somebody waits for it: ask every other second."""
    found = top_up.claim(pk, after=timedelta(seconds=1.5))
    if found is None:
        return
    try:
        top_up.settle(found)
    except Refusal as refusal:
        log.warning("%s cannot be settled now: %s", found, refusal)
