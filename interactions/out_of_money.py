"""Telling the people who can pay that calls and messages are being turned away."""

from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.template.loader import render_to_string
from django.utils import timezone

from interactions.models import Usage
from lib import money
from wallet.addresses import add_funds_address
from wallet.models import Wallet
from workspaces.notices import notify
from workspaces.permissions import WALLET_TOP_UP


def tell_the_owner(wallet: Wallet, *, missing: Decimal, owed: Decimal | None = None) -> None:
    """One mail a day, as long as it lasts.

    ``missing`` is what must be added at least, ``owed`` what could not be paid, if anything.
    """
    missing = money.up_to_cent(missing)
    address = add_funds_address(wallet.workspace, missing, "")
    notify(
        workspace=wallet.workspace,
        key=f"inbound-stopped:{timezone.now():%Y-%m-%d}",
        subject=f"{wallet.workspace.name}: calls and messages are turned away",
        body=render_to_string(
            "interactions/mail/out_of_money.txt",
            {
                "workspace": wallet.workspace,
                "owed": money.show(owed, wallet.currency) if owed else "",
                "missing": money.show(missing, wallet.currency),
                "address": settings.PUBLIC_BASE_URL + address,
            },
        ),
        permission=WALLET_TOP_UP,
    )


def tell_that_inbound_was_refused(*, workspace_id: int) -> None:
    """Something was turned away because the money and the credit are used up or promised."""
    wallet = Wallet.objects.select_related("workspace").get(workspace_id=workspace_id)
    missing, owed = missing_for_what_arrives(workspace_id), owed_by(workspace_id)
    tell_the_owner(wallet, missing=missing, owed=owed or None)


def owed_by(workspace_id: int) -> Decimal:
    """For what has arrived and could not be paid; until it is, nothing more is taken."""
    owed = Usage.objects.filter(
        workspace_id=workspace_id, state=Usage.State.DUE, owed_since__isnull=False
    )
    return owed.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def promised(workspace_id: int) -> Decimal:
    """What forwarded calls were promised beyond what is set aside for them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT interactions_promised(%s)", [workspace_id])
        return cursor.fetchone()[0]


def missing_for_what_arrives(workspace_id: int) -> Decimal:
    """What must be added at least so that calls and messages are taken again, also those that
    are forwarded.
    """
    wallet = Wallet.objects.get(workspace_id=workspace_id)
    below = promised(workspace_id) - wallet.credit_limit - wallet.available
    return max(below, Decimal(0)) + (owed_by(workspace_id) or money.CENT)
