"""The functions that move money, and the triggers that keep entries as they were written.

Each function locks the wallet in a statement of its own and reads afterwards: under READ
COMMITTED the later statements see what was committed while it waited for the lock.
"""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION wallet_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'wallet entries are never changed or deleted; write another entry'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER wallet_entry_no_update_or_delete
    BEFORE UPDATE OR DELETE ON wallet_entry
    FOR EACH ROW EXECUTE FUNCTION wallet_entry_is_final();
CREATE TRIGGER wallet_entry_no_truncate
    BEFORE TRUNCATE ON wallet_entry
    FOR EACH STATEMENT EXECUTE FUNCTION wallet_entry_is_final();
"""

DROP_APPEND_ONLY = """
DROP TRIGGER wallet_entry_no_truncate ON wallet_entry;
DROP TRIGGER wallet_entry_no_update_or_delete ON wallet_entry;
DROP FUNCTION wallet_entry_is_final();
"""

POST = """
CREATE FUNCTION wallet_post(
    p_wallet bigint, p_currency text, p_kind text, p_amount numeric, p_contra text, p_key text,
    p_text text, p_reference text, p_refunds bigint, p_by bigint, p_reason text
) RETURNS TABLE (outcome text, available numeric, "row" wallet_entry) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    e wallet_entry;
    refunded wallet_entry;
    lowest numeric;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN QUERY SELECT 'no_wallet', NULL::numeric, e; RETURN; END IF;
    IF w.currency <> p_currency THEN
        RETURN QUERY SELECT 'currency', w.balance - w.held, e; RETURN;
    END IF;

    SELECT * INTO e FROM wallet_entry WHERE wallet_id = p_wallet AND key = p_key;
    IF FOUND THEN
        RETURN QUERY SELECT
            CASE WHEN e.kind = p_kind AND e.amount = p_amount AND e.contra = p_contra
                      AND e.hold_id IS NULL AND e.refunds_id IS NOT DISTINCT FROM p_refunds
                 THEN 'repeat' ELSE 'conflict' END,
            w.balance - w.held, e;
        RETURN;
    END IF;

    IF p_refunds IS NOT NULL THEN
        SELECT * INTO refunded FROM wallet_entry
            WHERE wallet_id = p_wallet AND id = p_refunds AND amount < 0;
        IF NOT FOUND THEN RETURN QUERY SELECT 'no_entry', w.balance - w.held, e; RETURN; END IF;
        SELECT -refunded.amount - coalesce(sum(amount), 0) INTO lowest
            FROM wallet_entry WHERE wallet_id = p_wallet AND refunds_id = p_refunds;
        IF p_amount > lowest THEN RETURN QUERY SELECT 'refunded', lowest, e; RETURN; END IF;
    END IF;

    lowest := CASE WHEN p_kind IN ('purchase', 'rent') THEN 0 ELSE -w.credit_limit END;
    IF p_amount < 0 AND w.balance - w.held + p_amount < lowest THEN
        RETURN QUERY SELECT 'short', w.balance - w.held, e; RETURN;
    END IF;

    UPDATE wallet_wallet
        SET balance = balance + p_amount, last_seq = last_seq + 1, version = version + 1
        WHERE workspace_id = p_wallet;
    INSERT INTO wallet_entry (
        wallet_id, seq, kind, amount, contra, balance_after, available_after, key, text,
        reference, refunds_id, by_id, reason, created_at
    ) VALUES (
        p_wallet, w.last_seq + 1, p_kind, p_amount, p_contra, w.balance + p_amount,
        w.balance - w.held + p_amount, p_key, p_text, p_reference, p_refunds, p_by, p_reason,
        clock_timestamp()
    ) RETURNING * INTO e;
    RETURN QUERY SELECT 'done', w.balance - w.held + p_amount, e;
END $$;
"""

HOLD = """
CREATE FUNCTION wallet_hold(
    p_wallet bigint, p_currency text, p_amount numeric, p_key text, p_text text, p_reference text
) RETURNS TABLE (outcome text, available numeric, "row" wallet_hold) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    h wallet_hold;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN QUERY SELECT 'no_wallet', NULL::numeric, h; RETURN; END IF;
    IF w.currency <> p_currency THEN
        RETURN QUERY SELECT 'currency', w.balance - w.held, h; RETURN;
    END IF;

    SELECT * INTO h FROM wallet_hold WHERE wallet_id = p_wallet AND key = p_key;
    IF FOUND THEN
        RETURN QUERY SELECT
            CASE WHEN h.amount = p_amount THEN 'repeat' ELSE 'conflict' END,
            w.balance - w.held, h;
        RETURN;
    END IF;
    IF w.balance - w.held < p_amount THEN
        RETURN QUERY SELECT 'short', w.balance - w.held, h; RETURN;
    END IF;

    UPDATE wallet_wallet SET held = held + p_amount, version = version + 1
        WHERE workspace_id = p_wallet;
    INSERT INTO wallet_hold (
        wallet_id, amount, captured, released, available_after, key, text, reference, created_at
    ) VALUES (
        p_wallet, p_amount, 0, 0, w.balance - w.held - p_amount, p_key, p_text, p_reference,
        clock_timestamp()
    ) RETURNING * INTO h;
    RETURN QUERY SELECT 'done', h.available_after, h;
END $$;
"""

CAPTURE = """
CREATE FUNCTION wallet_capture(
    p_wallet bigint, p_hold bigint, p_amount numeric, p_kind text, p_contra text, p_key text,
    p_text text, p_reference text, p_final boolean
) RETURNS TABLE (outcome text, available numeric, "row" wallet_entry) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    h wallet_hold;
    e wallet_entry;
    freed numeric;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN QUERY SELECT 'no_wallet', NULL::numeric, e; RETURN; END IF;
    SELECT * INTO e FROM wallet_entry WHERE wallet_id = p_wallet AND key = p_key;
    IF FOUND THEN
        RETURN QUERY SELECT
            CASE WHEN e.hold_id = p_hold AND e.amount = -p_amount AND e.kind = p_kind
                 THEN 'repeat' ELSE 'conflict' END,
            w.balance - w.held, e;
        RETURN;
    END IF;

    SELECT * INTO h FROM wallet_hold WHERE wallet_id = p_wallet AND id = p_hold;
    IF NOT FOUND THEN RETURN QUERY SELECT 'no_hold', w.balance - w.held, e; RETURN; END IF;
    IF h.amount - h.captured - h.released < p_amount THEN
        RETURN QUERY SELECT 'used_up', w.balance - w.held, e; RETURN;
    END IF;

    freed := CASE WHEN p_final THEN h.amount - h.captured - h.released - p_amount ELSE 0 END;
    UPDATE wallet_hold
        SET captured = captured + p_amount, released = released + freed,
            ended_at = CASE WHEN amount = captured + p_amount + released + freed
                            THEN clock_timestamp() END
        WHERE id = p_hold;
    UPDATE wallet_wallet
        SET balance = balance - p_amount, held = held - p_amount - freed,
            last_seq = last_seq + 1, version = version + 1
        WHERE workspace_id = p_wallet;
    INSERT INTO wallet_entry (
        wallet_id, seq, kind, amount, contra, balance_after, available_after, key, text,
        reference, hold_id, reason, created_at
    ) VALUES (
        p_wallet, w.last_seq + 1, p_kind, -p_amount, p_contra, w.balance - p_amount,
        w.balance - w.held + freed, p_key, p_text, p_reference, p_hold, '', clock_timestamp()
    ) RETURNING * INTO e;
    RETURN QUERY SELECT 'done', w.balance - w.held + freed, e;
END $$;
"""

VOID = """
CREATE FUNCTION wallet_void(p_wallet bigint, p_hold bigint)
RETURNS TABLE (outcome text, available numeric, "row" wallet_hold) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    h wallet_hold;
    freed numeric;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    SELECT * INTO h FROM wallet_hold WHERE wallet_id = p_wallet AND id = p_hold;
    IF NOT FOUND THEN RETURN QUERY SELECT 'no_hold', NULL::numeric, h; RETURN; END IF;
    freed := h.amount - h.captured - h.released;
    IF freed = 0 THEN
        RETURN QUERY SELECT
            CASE WHEN h.released > 0 THEN 'repeat' ELSE 'used_up' END, w.balance - w.held, h;
        RETURN;
    END IF;
    UPDATE wallet_hold SET released = released + freed, ended_at = clock_timestamp()
        WHERE id = p_hold RETURNING * INTO h;
    UPDATE wallet_wallet SET held = held - freed, version = version + 1
        WHERE workspace_id = p_wallet;
    RETURN QUERY SELECT 'done', w.balance - w.held + freed, h;
END $$;
"""

DROP_FUNCTIONS = """
DROP FUNCTION wallet_void(bigint, bigint);
DROP FUNCTION wallet_capture(
    bigint, bigint, numeric, text, text, text, text, text, boolean);
DROP FUNCTION wallet_hold(bigint, text, numeric, text, text, text);
DROP FUNCTION wallet_post(
    bigint, text, text, numeric, text, text, text, text, bigint, bigint, text);
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0002_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
        migrations.RunSQL(POST + HOLD + CAPTURE + VOID, DROP_FUNCTIONS),
    ]
