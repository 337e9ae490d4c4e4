"""Mails before it is too late: the balance is low, the rent ahead is not covered.

Who is below a threshold is found by a query over all workspaces; each mail is a row with a
key, so that one crossing, and one date, is told once whoever looks and however often.
"""

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from lib import money
from wallet.models import Precautions, Wallet
from wallet.upcoming import rent_due, upcoming_dates
from workspaces import notices
from workspaces.models import Workspace
from workspaces.permissions import WALLET_VIEW

log = logging.getLogger(__name__)

AHEAD = timedelta(days=7)
LEAST = F("alert_below") + F("workspace__wallet__held")
IS_LOW = Q(workspace__wallet__balance__lt=LEAST)


def tell_of_low_balances() -> None:
    """One mail for each time that a wallet falls below its threshold."""
    watched = Precautions.objects.filter(alert_below__isnull=False)
    risen = watched.filter(~IS_LOW, low_since__isnull=False).values_list("pk", flat=True)
    Precautions.objects.filter(pk__in=list(risen)).update(low_since=None)
    for pk in watched.filter(IS_LOW, low_since=None).values_list("pk", flat=True):
        try:
            _tell_that_it_is_low(pk)
        except Exception:  # the sweep's outermost edge: the next wallet is someone else's
            log.exception("workspace %s could not be told of its balance", pk)


@transaction.atomic
def _tell_that_it_is_low(pk: int) -> None:
    locked = Precautions.objects.select_for_update(of=("self",))
    row = locked.filter(IS_LOW, pk=pk, low_since=None).select_related("workspace__wallet").first()
    if row is None:  # told by another process, or risen meanwhile
        return
    row.low_since, row.crossings = timezone.now(), row.crossings + 1
    row.save(update_fields=["low_since", "crossings"])
    wallet, name = row.workspace.wallet, row.workspace.name
    assert row.alert_below is not None, "the query asks for it"
    left = money.show(wallet.available, wallet.currency)
    threshold = money.show(row.alert_below, wallet.currency)
    notices.notify(
        workspace=row.workspace, permission=WALLET_VIEW, key=f"low-balance:{row.crossings}",
        subject=f"{name}: {left} is left in the wallet",
        body=(
            f"{left} is available in the wallet of {name}, which is less than {threshold}, the "
            "balance at which you asked for this mail.\n\nThe wallet shows how long it lasts, "
            f"and funds are added there:\n{_wallet_page(row.workspace)}\n"
        ),
    )  # fmt: skip


def _wallet_page(workspace: Workspace) -> str:
    return settings.PUBLIC_BASE_URL + reverse("wallet:index", args=[workspace.slug])


def tell_of_rent_not_covered() -> None:
    """One mail for each date within seven days whose rent the money does not cover."""
    now = timezone.now()
    due = rent_due(until=now + AHEAD)
    wallets = Wallet.objects.filter(pk__in=list(due)).select_related("workspace")
    for wallet in wallets.iterator(chunk_size=1000):
        if wallet.available < due[wallet.pk]:
            try:
                _tell_of_dates(wallet, now)
            except Exception:  # the sweep's outermost edge: the next wallet is someone else's
                log.exception("%s could not be told of its rent", wallet)


def _tell_of_dates(wallet: Wallet, now: datetime) -> None:
    workspace = wallet.workspace
    for day, cost, missing in not_covered(wallet, now):
        costs, lacks = money.show(cost, wallet.currency), money.show(missing, wallet.currency)
        notices.notify(
            workspace=workspace, permission=WALLET_VIEW, key=f"rent-not-covered:{day}",
            subject=f"{workspace.name}: the monthly fees of {day:%-d %B} are not covered",
            body=(
                f"Monthly fees of {costs} fall due on {day:%-d %B %Y} in {workspace.name}, and "
                f"{lacks} of what is due until then is missing in the wallet. Nothing has "
                f"happened yet.\n\nAdd {lacks} or more before that day:\n"
                f"{_wallet_page(workspace)}\n"
            ),
        )  # fmt: skip


def not_covered(wallet: Wallet, now: datetime) -> Iterator[tuple[date, Decimal, Decimal]]:
    """The dates ahead, in the workspace's zone, that the money does not last for: with what
    falls due on it, and what is missing for everything up to it.
    """
    today = now.astimezone(ZoneInfo(wallet.workspace.time_zone)).date()
    left = wallet.available
    for day, amount in upcoming_dates(wallet.workspace, until=now + AHEAD):
        left -= amount
        if left < 0 and day >= today:  # what is overdue is told by the mails about rent
            yield day, amount, money.up_to_cent(-left)
