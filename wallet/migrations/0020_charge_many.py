"""The functions that charge many wallets in one transaction.

Locking and charging are two calls: whoever charges must know the available money before it
can say how much. What it does between the two runs under the locks of the first.
"""

from django.db import migrations

# Under READ COMMITTED a locking SELECT returns each row as it is once it is locked.
LOCK_MANY = """
CREATE FUNCTION wallet_lock_many(p_wallets bigint[], p_wait boolean)
RETURNS TABLE (
    wallet_id bigint, currency text, available numeric, last_seq bigint, version bigint
)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
    IF p_wait THEN
        RETURN QUERY SELECT w.workspace_id, w.currency::text, w.balance - w.held, w.last_seq,
                w.version
            FROM wallet_wallet w WHERE w.workspace_id = ANY(p_wallets)
            ORDER BY w.workspace_id FOR NO KEY UPDATE;
    ELSE
        RETURN QUERY SELECT w.workspace_id, w.currency::text, w.balance - w.held, w.last_seq,
                w.version
            FROM wallet_wallet w WHERE w.workspace_id = ANY(p_wallets)
            ORDER BY w.workspace_id FOR NO KEY UPDATE SKIP LOCKED;
    END IF;
END $$;
"""

CHARGE_MANY = """
CREATE FUNCTION wallet_charge_many(
    p_wallets bigint[], p_seqs bigint[], p_amounts numeric[], p_texts text[], p_kind text,
    p_contra text, p_key text, p_reference text, p_at timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    charged bigint;
BEGIN
    WITH asked AS (
        SELECT * FROM unnest(p_wallets, p_seqs, p_amounts, p_texts)
            AS a(wallet_id, seq, amount, text)
    ), paid AS (
        UPDATE wallet_wallet w
            SET balance = w.balance - a.amount, last_seq = a.seq, version = w.version + 1
            FROM asked a
            WHERE w.workspace_id = a.wallet_id AND w.last_seq = a.seq - 1
                AND w.balance - w.held >= a.amount
            RETURNING w.workspace_id, a.seq, a.amount, a.text, w.balance, w.held
    ), entries AS (
        INSERT INTO wallet_entry (
            wallet_id, seq, kind, amount, contra, balance_after, available_after, key, text,
            reference, reason, created_at
        )
        SELECT p.workspace_id, p.seq, p_kind, -p.amount, p_contra, p.balance,
            p.balance - p.held, p_key, p.text, p_reference, '', p_at
        FROM paid p
        RETURNING 1
    )
    SELECT count(*) INTO charged FROM entries;
    RETURN charged;
END $$;
"""

DROP = """
DROP FUNCTION wallet_charge_many(
    bigint[], bigint[], numeric[], text[], text, text, text, text, timestamptz);
DROP FUNCTION wallet_lock_many(bigint[], boolean);
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0011_ledger_functions")]

    operations = [migrations.RunSQL(LOCK_MANY + CHARGE_MANY, DROP)]
