"""The rent of the next days, out of reach of calls and messages that can be left undone.

Kept from what goes out by choice: messages and calls that are sent. Purchases may use it,
and say so before. What comes in is answered, also where it is forwarded: to turn callers
away is not what keeping the rent is for.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from wallet.models import Precautions
from wallet.precautions import precautions_of
from wallet.upcoming import rent_due
from workspaces.models import Workspace


def kept_for_rent(workspace: Workspace) -> Decimal:
    """How much must stay available, now; zero where nothing is kept."""
    return kept_by(precautions_of(workspace), timezone.now())


def kept_by(precautions: Precautions, now: datetime) -> Decimal:
    if not precautions.keep_days:
        return Decimal(0)
    until = now + timedelta(days=precautions.keep_days)
    due = rent_due(until=until, workspace=precautions.workspace)
    return due.get(precautions.workspace_id, Decimal(0))
