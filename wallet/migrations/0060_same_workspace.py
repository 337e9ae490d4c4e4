"""No payment is taken from another workspace's card."""

from django.db import migrations

from workspaces.same_workspace import key_with_workspace, same_workspace


class Migration(migrations.Migration):
    dependencies = [("wallet", "0052_rules_in_one_check")]

    operations = [
        key_with_workspace("wallet_savedcard"),
        same_workspace("wallet_topup", "card_id", "wallet_savedcard"),
        same_workspace("wallet_autorecharge", "card_id", "wallet_savedcard"),
    ]
