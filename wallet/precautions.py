"""Keeping what a workspace wants to be warned of, and what it keeps for rent."""

from decimal import Decimal
from typing import Any

from django.db import transaction

from wallet.ledger import InvalidAmount
from wallet.models import Precautions
from wallet.precautions_models import MOST_DAYS_KEPT
from workspaces import audit
from workspaces.models import User, Workspace


def precautions_of(workspace: Workspace) -> Precautions:
    mine = Precautions.objects.for_workspace(workspace)
    return mine.first() or Precautions(workspace=workspace)


def set_precautions(
    *, workspace: Workspace, by: User, alert_below: Decimal | None, keep_days: int
) -> Precautions:
    """``alert_below`` None: no alert. ``keep_days`` 0: nothing is kept.

    Another threshold is a crossing of its own. Raises ``InvalidAmount``.
    """
    if alert_below is not None and alert_below < 0:
        raise InvalidAmount("Choose a balance of zero or more, or leave it empty.")
    if not 0 <= keep_days <= MOST_DAYS_KEPT:
        raise InvalidAmount(f"Choose from 0 to {MOST_DAYS_KEPT} days.")
    with transaction.atomic():
        Precautions.objects.get_or_create(workspace=workspace)
        row = Precautions.objects.select_for_update().get(workspace=workspace)
        before = _told(row)
        if row.alert_below != alert_below:
            row.alert_below, row.low_since = alert_below, None
        row.keep_days = keep_days
        row.save()
        audit.record(
            workspace=workspace, by=by, action="wallet.precautions_set", subject=workspace,
            text="Changed the alert of the wallet and what is kept for rent",
            details={"before": before, "after": _told(row)},
        )  # fmt: skip
    return row


def _told(row: Precautions) -> dict[str, Any]:
    alert = None if row.alert_below is None else str(row.alert_below)
    return {"alert_below": alert, "keep_days": row.keep_days}
