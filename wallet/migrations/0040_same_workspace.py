"""No entry takes from the hold of another wallet, or refunds another wallet's entry."""

from django.db import migrations

from workspaces.same_workspace import key_with_workspace, same_workspace

WALLET = {"workspace": "wallet_id", "parent_workspace": "wallet_id"}


class Migration(migrations.Migration):
    dependencies = [("wallet", "0031_entries_not_usage")]

    operations = [
        key_with_workspace("wallet_hold", workspace="wallet_id"),
        key_with_workspace("wallet_entry", workspace="wallet_id"),
        same_workspace("wallet_entry", "hold_id", "wallet_hold", **WALLET),
        same_workspace("wallet_entry", "refunds_id", "wallet_entry", **WALLET),
    ]
