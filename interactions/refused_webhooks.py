"""Requests to the webhooks that were not the provider's: counted, and shown to staff."""

import logging
from datetime import datetime

from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from interactions.models import RefusedWebhook

log = logging.getLogger(__name__)

KEEP_SECONDS = 2 * 3600
# Whoever floods us must not make us write: the row is brought up to date this often at most.
WRITE_EVERY_SECONDS = 5


def note_refused(*, path: str, because: str, origin: str, called: str) -> None:
    """Count one in the cache; the row of the hour takes the count over, now and then."""
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    log.warning("refused a webhook at %s from %s: %s", path, origin, because)
    try:
        key = f"refused-webhook:{hour:%Y%m%d%H}:{path}:{because}"
        cache.add(key, 0, KEEP_SECONDS)
        cache.incr(key)
        if not cache.add(f"{key}:written", True, WRITE_EVERY_SECONDS):
            return
        counted = cache.get(key, 0)
        cache.decr(key, counted)
        _add(hour, path[:120], because, counted, origin[:60], called)
    except Exception as error:  # whatever the cache's client raises: the answer stays a no
        log.warning("a refused webhook could not be counted: %s", error)


def _add(hour: datetime, path: str, because: str, counted: int, origin: str, called: str) -> None:
    now = timezone.now()
    row, created = RefusedWebhook.objects.get_or_create(
        hour=hour, path=path, because=because,
        defaults={"count": counted, "last_at": now, "last_origin": origin, "last_called": called},
    )  # fmt: skip
    if not created:
        RefusedWebhook.objects.filter(pk=row.pk).update(
            count=F("count") + counted, last_at=now, last_origin=origin, last_called=called
        )


def refused_lately(*, called: str, since: datetime) -> RefusedWebhook | None:
    """The newest hour in which a request for this number had a wrong signature."""
    rows = RefusedWebhook.objects.filter(
        last_called=called, last_at__gte=since, because=RefusedWebhook.Because.FORGED
    )
    return rows.order_by("-last_at").first()
