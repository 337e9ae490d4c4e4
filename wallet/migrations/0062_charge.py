"""A charge has a function of its own, and two plain keys beside composite ones are gone.

``wallet_charge`` is what ``wallet_post`` did first for a charge, with the eight values that
charges differ in; what does not go through so is told by ``wallet_post``, as before. An
entry's hold and the entry that it refunds are proved by the keys that name the wallet.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

FAST = import_module("wallet.migrations.0052_rules_in_one_check")

CHARGE = """
CREATE FUNCTION wallet_charge(
    p_wallet bigint, p_currency text, p_kind text, p_amount numeric, p_key text, p_text text,
    p_reference text, p_keep numeric,
    OUT outcome text, OUT available numeric, OUT entry_id bigint, OUT seq bigint,
    OUT balance_after numeric, OUT created_at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    -- Its conditions are looked at again after waiting for the lock.
    UPDATE wallet_wallet x
        SET balance = x.balance + p_amount, last_seq = x.last_seq + 1, version = x.version + 1
        WHERE x.workspace_id = p_wallet AND x.currency = p_currency
            AND x.balance - x.held + p_amount >= CASE
                WHEN p_keep IS NOT NULL THEN greatest(p_keep, 0)
                WHEN p_kind IN ('purchase', 'rent') THEN 0
                ELSE -x.credit_limit END
        RETURNING x.last_seq, x.balance, x.balance - x.held, clock_timestamp()
        INTO seq, balance_after, available, created_at;
    IF FOUND THEN
        INSERT INTO wallet_entry (
            wallet_id, seq, kind, amount, contra, balance_after, available_after, key, text,
            reference, reason, created_at
        ) VALUES (
            p_wallet, seq, p_kind, p_amount, 'revenue', balance_after, available, p_key, p_text,
            p_reference, '', created_at
        ) ON CONFLICT (wallet_id, key) DO NOTHING RETURNING id INTO entry_id;
        IF FOUND THEN outcome := 'done'; RETURN; END IF;
        -- The key is there already: nobody has seen the wallet as it was in between.
        UPDATE wallet_wallet x
            SET balance = x.balance - p_amount, last_seq = x.last_seq - 1, version = x.version - 1
            WHERE x.workspace_id = p_wallet;
    END IF;
    SELECT p.* INTO outcome, available, entry_id, seq, balance_after, created_at
        FROM wallet_post(p_wallet, p_currency, p_kind, p_amount, 'revenue', p_key, p_text,
            p_reference, NULL, NULL, '', p_keep) AS p;
END $$;
"""
UNCHARGE = "DROP FUNCTION wallet_charge(bigint, text, text, numeric, text, text, text, numeric);"


def _key(name: str, to: str) -> migrations.AlterField:
    return migrations.AlterField(
        model_name="entry",
        name=name,
        field=models.ForeignKey(
            null=True, on_delete=django.db.models.deletion.PROTECT, to=to, db_index=False,
            db_constraint=False,
        ),
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("wallet", "0061_plans_are_kept")]

    operations = [
        migrations.RunSQL(CHARGE + FAST.OLD_POST, FAST.POST + UNCHARGE),
        _key("hold", "wallet.hold"),
        _key("refunds", "wallet.entry"),
    ]
