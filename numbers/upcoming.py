"""What the wallet's page asks of the numbers: the rent ahead, and where an order is."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from numbers.models import Number
from wallet.upcoming import Charge
from workspaces.models import Workspace


def upcoming_charges(workspace: Workspace, *, until: datetime) -> list[Charge]:
    """The monthly fees that fall due up to then, overdue ones too."""
    numbers = Number.objects.for_workspace(workspace).owned()
    kept = numbers.filter(parked_at=None, vanished_at=None, paid_until__lte=until)
    return [
        Charge(number.paid_until, number.monthly_price, number.international)
        for number in kept.only("e164", "monthly_price", "paid_until")
    ]


def order_addresses(workspace: Workspace, references: Iterable[str]) -> dict[str, str]:
    """Where the orders among these references of the workspace's statement are shown."""
    return {
        reference: reverse("numbers:order", args=[workspace.slug, reference])
        for reference in references
        if reference.startswith("ORD-")
    }
