"""Paying what is overdue as soon as there is money: by itself, or because someone asks."""

import logging
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from lib import money
from lib.errors import Fix, Refusal
from numbers import arrears, rent_mails
from numbers.models import RentRun
from numbers.rent import collect_due
from wallet.addresses import add_funds_address
from wallet.models import Wallet
from workspaces import audit
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)


class NothingOwed(Refusal):
    code = "nothing_owed"
    title = "Nothing is overdue"

    def __init__(self) -> None:
        super().__init__("Every monthly fee that has fallen due is paid.")


class TooLittleForRent(Refusal):
    code = "too_little_for_rent"
    title = "Not enough money in the wallet"

    def __init__(self, *, workspace: Workspace, wallet: Wallet, first: Decimal) -> None:
        available = max(wallet.available, Decimal(0))
        missing = first - wallet.available
        super().__init__(
            f"{money.show(available, wallet.currency)} is available, and the month that is paid "
            f"first costs {money.show(first, wallet.currency)}. Add "
            f"{money.show(missing, wallet.currency)} or more.",
            fix=Fix("Add funds", add_funds_address(
                workspace, missing, reverse("numbers:overdue", args=[workspace.slug])
            )),
        )  # fmt: skip


class WalletBusy(Refusal):
    code = "wallet_busy"
    title = "The wallet is busy"

    def __init__(self) -> None:
        super().__init__(
            "Another payment is under way. What is overdue is tried again within a minute, or "
            "try it again yourself in a moment."
        )


def settle(
    workspace: Workspace, *, cause: RentRun.Cause = RentRun.Cause.FUNDS, by: User | None = None,
    now: datetime | None = None,
) -> RentRun:  # fmt: skip
    """Pay what the workspace owes as far as its money goes, and tell what came back."""
    run = collect_due(now, workspace=workspace, cause=cause, by=by)
    rent_mails.tell([workspace.pk], now)
    return run


def pay_now(workspace: Workspace, *, by: User) -> RentRun:
    """The same at a person's request. Raises a ``Refusal`` where nothing could be paid."""
    run = settle(workspace, cause=RentRun.Cause.PAY_NOW, by=by)
    if not run.payments:
        raise _refusal(workspace, run)
    with transaction.atomic():
        audit.record(
            workspace=workspace, by=by, action="rent.paid", label=str(run),
            text=f"Paid {run.payments} overdue month{'' if run.payments == 1 else 's'}",
            details={"sums": run.sums},
        )  # fmt: skip
    return run


def _refusal(workspace: Workspace, run: RentRun) -> Refusal:
    if run.busy:
        return WalletBusy()
    now = timezone.now()
    first = arrears.first_prices([workspace.pk], now).get(workspace.pk)
    if first is None:
        return NothingOwed()
    wallet = Wallet.objects.get(workspace=workspace)
    return TooLittleForRent(workspace=workspace, wallet=wallet, first=first)


def settle_arrears(now: datetime | None = None) -> None:
    """Every workspace in arrears whose wallet has moved: what the doorbell did not reach."""
    for workspace in arrears.worth_trying():
        try:
            settle(workspace, now=now)
        except Exception:  # the sweep's outermost edge: the next workspace has paid too
            log.exception("the arrears of %s could not be settled", workspace.slug)
    rent_mails.tell_everybody(now)
