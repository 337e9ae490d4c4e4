"""The account at the provider: while it is suspended or closed nothing works, whatever else is
set right. A difference as long as it lasts, and a mail to the operators.
"""

import logging

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from numbers import watch
from numbers.sync_models import Difference
from telephony import provider
from telephony.errors import NotConfigured

log = logging.getLogger(__name__)
Kind = Difference.Kind
ACTIVE = "active"


def trouble() -> Difference | None:
    """The account is known not to work, and nobody has said that this is meant. Asks nobody."""
    return Difference.objects.troubling().filter(kind=Kind.ACCOUNT).first()


def look_at_account() -> None:
    """Ask the provider how the account is, and note, tell or end what is found. The operators
    are told once a day as long as it is so, unless somebody has said that it is meant.

    Raises ``ProviderError`` where that cannot be known; then what was known stays.
    """
    try:
        status = provider.account().status
    except NotConfigured as error:
        if error.reason != "suspended":
            raise
        status = "suspended"
    if status == ACTIVE:
        known = Difference.objects.open().filter(kind=Kind.ACCOUNT)
        cache.delete_many(
            [_told(theirs["status"]) for theirs in known.values_list("theirs", flat=True)]
        )
        known.update(ended_at=timezone.now(), cure=Difference.Cure.BY_ITSELF)
        return
    _note(status)
    if trouble():
        _tell(status)


def _note(status: str) -> None:
    now, theirs = timezone.now(), {"status": status}
    open_ones = Difference.objects.open().filter(
        kind=Kind.ACCOUNT, provider_sid=settings.TWILIO_ACCOUNT_SID
    )
    if open_ones.filter(theirs=theirs).update(last_seen_at=now):
        return
    log.error("the provider's account is %s", status)
    if not open_ones.update(theirs=theirs, last_seen_at=now, left_at=None):
        Difference.objects.create(
            kind=Kind.ACCOUNT, provider_sid=settings.TWILIO_ACCOUNT_SID, asks=True,
            ours={"status": ACTIVE}, theirs=theirs, first_seen_at=now, last_seen_at=now,
        )  # fmt: skip


def _tell(status: str) -> None:
    watch.mail_once_a_day(
        _told(status),
        f"Twilio's account is {status}",
        f"Twilio says that the account behind {settings.PUBLIC_BASE_URL} is {status}. No call or "
        "message comes in or goes out, for every workspace, and nothing can be bought. Look into "
        f"Twilio's console for the reason. {settings.PUBLIC_BASE_URL}{reverse('platform')} shows "
        "when it is over.\n",
    )


def _told(status: str) -> str:
    return f"watch:account-{status}-told"
