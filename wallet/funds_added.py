"""The doorbell that rings when money has come in."""

import logging

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

log = logging.getLogger(__name__)


def ring(wallet_id: int) -> None:
    """Once it is committed, call everything in ``AFTER_FUNDS_ADDED`` with the wallet's id."""
    transaction.on_commit(lambda: _ring_now(wallet_id))


def _ring_now(wallet_id: int) -> None:
    for path in settings.AFTER_FUNDS_ADDED:
        try:
            import_string(path)(wallet_id)
        except Exception:  # a bell must not keep anybody's money; a sweep finds what it woke
            log.exception("%s failed after money came into wallet %s", path, wallet_id)
