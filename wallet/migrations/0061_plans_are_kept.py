"""The functions that charge many wallets keep their plan, whatever arrays they are given."""

from django.db import migrations

FUNCTIONS = """
ALTER FUNCTION wallet_lock_many(bigint[], boolean) {word};
ALTER FUNCTION wallet_charge_many(
    bigint[], bigint[], numeric[], text[], text, text, text, text, timestamptz) {word};
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0060_same_workspace")]

    operations = [
        migrations.RunSQL(
            FUNCTIONS.format(word="SET plan_cache_mode = force_generic_plan"),
            FUNCTIONS.format(word="RESET plan_cache_mode"),
        )
    ]
