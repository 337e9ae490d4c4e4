"""Every workspace has a wallet from its first moment (settings.WORKSPACE_OPENERS)."""

from wallet.models import Wallet
from workspaces.models import Workspace


def open_wallet(workspace: Workspace) -> None:
    Wallet.objects.create(workspace=workspace)
