"""Where the wallet's pages are, for those who send people there."""

from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from lib import money
from workspaces.models import Workspace


def add_funds_address(workspace: Workspace, amount: Decimal, return_to: str) -> str:
    """The page that adds funds, with what is missing filled in and a way back."""
    query = {"next": return_to}
    if amount > 0:
        query = {"missing": str(money.up_to_cent(amount)), **query}
    return f"{reverse('wallet:add_funds', args=[workspace.slug])}?{urlencode(query)}"
