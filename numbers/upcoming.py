"""What the wallet's page asks of the numbers: the rent ahead, and where an order is."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from numbers.rent_models import RentDue
from wallet.upcoming import Charge
from workspaces.models import Workspace


def upcoming_charges(workspace: Workspace, *, until: datetime) -> list[Charge]:
    """The monthly fees that fall due up to then, overdue ones too."""
    due = RentDue.objects.for_workspace(workspace).filter(billed=True, due_at__lte=until)
    return [
        Charge(rent.due_at, rent.price, rent.number.international)
        for rent in due.select_related("number")
    ]


def order_addresses(workspace: Workspace, references: Iterable[str]) -> dict[str, str]:
    """Where the orders among these references of the workspace's statement are shown."""
    return {
        reference: reverse("numbers:order", args=[workspace.slug, reference])
        for reference in references
        if reference.startswith("ORD-")
    }
