"""What will be charged soon, told by the apps that charge it (``settings.UPCOMING_CHARGES``)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils.module_loading import import_string

from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Charge:
    """``text`` says what for, ``url`` opens it. What is overdue has its date in the past."""

    due_at: datetime
    amount: Decimal
    text: str
    url: str = ""


def upcoming_charges(workspace: Workspace, *, until: datetime) -> list[Charge]:
    """Everything that falls due up to then, the earliest first."""
    sources = [import_string(path) for path in settings.UPCOMING_CHARGES]
    charges = [charge for source in sources for charge in source(workspace, until=until)]
    return sorted(charges, key=lambda charge: charge.due_at)
