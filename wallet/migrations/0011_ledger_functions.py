"""The functions that move money, once more: a repeat is compared whole, payments can be taken
back, outbound use stays above a floor, and what comes back is only what the caller cannot know.

As before each locks the wallet in a statement of its own and reads afterwards: under READ
COMMITTED the later statements see what was committed while it waited for the lock. Returning
seven columns instead of the whole row made a debit a third faster.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("wallet.migrations.0003_ledger_functions")

POST = """
CREATE FUNCTION wallet_post(
    p_wallet bigint, p_currency text, p_kind text, p_amount numeric, p_contra text, p_key text,
    p_text text, p_reference text, p_refunds bigint, p_by bigint, p_reason text, p_keep numeric,
    OUT outcome text, OUT available numeric, OUT entry_id bigint, OUT seq bigint,
    OUT balance_after numeric, OUT created_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    e wallet_entry;
    refunded wallet_entry;
    refundable numeric;
    lowest numeric;
    over numeric;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    IF NOT FOUND THEN outcome := 'no_wallet'; RETURN; END IF;
    available := w.balance - w.held;
    IF w.currency <> p_currency THEN outcome := 'currency'; RETURN; END IF;

    SELECT * INTO e FROM wallet_entry x WHERE x.wallet_id = p_wallet AND x.key = p_key;
    IF FOUND THEN
        entry_id := e.id;
        outcome := CASE
            WHEN (e.kind, e.amount, e.contra, e.reference) = (p_kind, p_amount, p_contra, p_reference)
                 AND (e.refunds_id, e.by_id) IS NOT DISTINCT FROM (p_refunds, p_by)
                 AND e.hold_id IS NULL
            THEN 'repeat' ELSE 'conflict' END;
        RETURN;
    END IF;

    IF p_refunds IS NOT NULL THEN
        SELECT * INTO refunded FROM wallet_entry x
            WHERE x.wallet_id = p_wallet AND x.id = p_refunds
              AND x.kind IN ('purchase', 'rent', 'usage');
        IF NOT FOUND THEN outcome := 'no_entry'; RETURN; END IF;
        SELECT -refunded.amount - coalesce(sum(x.amount), 0) INTO refundable
            FROM wallet_entry x WHERE x.wallet_id = p_wallet AND x.refunds_id = p_refunds;
        IF p_amount > refundable THEN
            outcome := 'refunded'; available := refundable; RETURN;
        END IF;
    END IF;

    -- A payment that the bank took back is gone, whatever is left of it here.
    IF p_amount < 0 AND p_kind <> 'reversal' THEN
        lowest := CASE WHEN p_kind IN ('purchase', 'rent') OR p_keep IS NOT NULL THEN 0
                       ELSE -w.credit_limit END;
        IF available + p_amount < lowest THEN outcome := 'short'; RETURN; END IF;
        IF available + p_amount < p_keep THEN outcome := 'kept'; RETURN; END IF;
    END IF;

    available := available + p_amount;
    balance_after := w.balance + p_amount;
    seq := w.last_seq + 1;
    created_at := clock_timestamp();
    IF p_kind = 'reversal' OR (w.overdrawn > 0 AND p_amount > 0) THEN
        over := greatest(-w.credit_limit - available, 0);
        IF p_kind <> 'reversal' THEN over := least(over, w.overdrawn); END IF;
        UPDATE wallet_wallet SET overdrawn = over, balance = balance_after,
            last_seq = last_seq + 1, version = version + 1 WHERE workspace_id = p_wallet;
    ELSE
        UPDATE wallet_wallet SET balance = balance_after,
            last_seq = last_seq + 1, version = version + 1 WHERE workspace_id = p_wallet;
    END IF;
    INSERT INTO wallet_entry (
        wallet_id, seq, kind, amount, contra, balance_after, available_after, key, text,
        reference, refunds_id, by_id, reason, created_at
    ) VALUES (
        p_wallet, seq, p_kind, p_amount, p_contra, balance_after, available, p_key, p_text,
        p_reference, p_refunds, p_by, p_reason, created_at
    ) RETURNING id INTO entry_id;
    outcome := 'done';
END $$;
"""

HOLD = """
CREATE FUNCTION wallet_hold(
    p_wallet bigint, p_currency text, p_amount numeric, p_key text, p_text text,
    p_reference text, p_keep numeric,
    OUT outcome text, OUT available numeric, OUT hold_id bigint, OUT created_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    h wallet_hold;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    IF NOT FOUND THEN outcome := 'no_wallet'; RETURN; END IF;
    available := w.balance - w.held;
    IF w.currency <> p_currency THEN outcome := 'currency'; RETURN; END IF;

    SELECT * INTO h FROM wallet_hold x WHERE x.wallet_id = p_wallet AND x.key = p_key;
    IF FOUND THEN
        hold_id := h.id;
        outcome := CASE WHEN (h.amount, h.reference) = (p_amount, p_reference)
            THEN 'repeat' ELSE 'conflict' END;
        RETURN;
    END IF;
    IF available < p_amount THEN outcome := 'short'; RETURN; END IF;
    IF available - p_amount < p_keep THEN outcome := 'kept'; RETURN; END IF;

    available := available - p_amount;
    created_at := clock_timestamp();
    UPDATE wallet_wallet SET held = held + p_amount, version = version + 1
        WHERE workspace_id = p_wallet;
    INSERT INTO wallet_hold (
        wallet_id, amount, captured, released, available_after, key, text, reference, created_at
    ) VALUES (
        p_wallet, p_amount, 0, 0, available, p_key, p_text, p_reference, created_at
    ) RETURNING id INTO hold_id;
    outcome := 'done';
END $$;
"""

CAPTURE = """
CREATE FUNCTION wallet_capture(
    p_wallet bigint, p_hold bigint, p_amount numeric, p_kind text, p_contra text, p_key text,
    p_text text, p_reference text, p_final boolean,
    OUT outcome text, OUT available numeric, OUT entry_id bigint, OUT seq bigint,
    OUT balance_after numeric, OUT created_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    h wallet_hold;
    e wallet_entry;
    freed numeric := 0;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    IF NOT FOUND THEN outcome := 'no_wallet'; RETURN; END IF;
    available := w.balance - w.held;
    SELECT * INTO e FROM wallet_entry x WHERE x.wallet_id = p_wallet AND x.key = p_key;
    IF FOUND THEN
        entry_id := e.id;
        outcome := CASE
            WHEN (e.hold_id, e.amount, e.kind, e.contra, e.reference)
                 = (p_hold, -p_amount, p_kind, p_contra, p_reference)
            THEN 'repeat' ELSE 'conflict' END;
        RETURN;
    END IF;

    SELECT * INTO h FROM wallet_hold x WHERE x.wallet_id = p_wallet AND x.id = p_hold;
    IF NOT FOUND THEN outcome := 'no_hold'; RETURN; END IF;
    IF h.amount - h.captured - h.released < p_amount THEN outcome := 'used_up'; RETURN; END IF;

    IF p_final THEN freed := h.amount - h.captured - h.released - p_amount; END IF;
    available := available + freed;
    balance_after := w.balance - p_amount;
    seq := w.last_seq + 1;
    created_at := clock_timestamp();
    UPDATE wallet_hold
        SET captured = captured + p_amount, released = released + freed,
            ended_at = CASE WHEN amount = captured + p_amount + released + freed
                            THEN wallet_capture.created_at END
        WHERE id = p_hold;
    UPDATE wallet_wallet
        SET balance = balance_after, held = held - p_amount - freed,
            last_seq = last_seq + 1, version = version + 1
        WHERE workspace_id = p_wallet;
    INSERT INTO wallet_entry (
        wallet_id, seq, kind, amount, contra, balance_after, available_after, key, text,
        reference, hold_id, reason, created_at
    ) VALUES (
        p_wallet, seq, p_kind, -p_amount, p_contra, balance_after, available, p_key, p_text,
        p_reference, p_hold, '', created_at
    ) RETURNING id INTO entry_id;
    outcome := 'done';
END $$;
"""

VOID = """
CREATE FUNCTION wallet_void(
    p_wallet bigint, p_hold bigint,
    OUT outcome text, OUT available numeric, OUT released numeric, OUT ended_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    w wallet_wallet;
    h wallet_hold;
    freed numeric;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = p_wallet FOR NO KEY UPDATE;
    IF NOT FOUND THEN outcome := 'no_wallet'; RETURN; END IF;
    available := w.balance - w.held;
    SELECT * INTO h FROM wallet_hold x WHERE x.wallet_id = p_wallet AND x.id = p_hold;
    IF NOT FOUND THEN outcome := 'no_hold'; RETURN; END IF;
    freed := h.amount - h.captured - h.released;
    released := h.released + freed;
    ended_at := coalesce(h.ended_at, clock_timestamp());
    IF freed = 0 THEN
        outcome := CASE WHEN h.released > 0 THEN 'repeat' ELSE 'used_up' END;
        RETURN;
    END IF;
    UPDATE wallet_hold SET released = wallet_void.released, ended_at = wallet_void.ended_at
        WHERE id = p_hold;
    UPDATE wallet_wallet SET held = held - freed, version = version + 1
        WHERE workspace_id = p_wallet;
    available := available + freed;
    outcome := 'done';
END $$;
"""

DROP_FUNCTIONS = """
DROP FUNCTION wallet_void(bigint, bigint);
DROP FUNCTION wallet_capture(
    bigint, bigint, numeric, text, text, text, text, text, boolean);
DROP FUNCTION wallet_hold(bigint, text, numeric, text, text, text, numeric);
DROP FUNCTION wallet_post(
    bigint, text, text, numeric, text, text, text, text, bigint, bigint, text, numeric);
"""

# Beside what the functions keep: nobody rewrites what a hold was for, or opens it again, and
# the amounts of a wallet never change their meaning.
GUARDS = """
CREATE FUNCTION wallet_hold_only_shrinks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.ended_at IS NULL AND NEW.captured >= OLD.captured AND NEW.released >= OLD.released
            AND (NEW.id, NEW.wallet_id, NEW.amount, NEW.available_after, NEW.key, NEW.text,
                 NEW.reference, NEW.created_at)
                = (OLD.id, OLD.wallet_id, OLD.amount, OLD.available_after, OLD.key, OLD.text,
                   OLD.reference, OLD.created_at)
        THEN RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION 'a hold is only captured or given back; it is never rewritten or deleted'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER wallet_hold_only_shrinks
    BEFORE UPDATE OR DELETE ON wallet_hold
    FOR EACH ROW EXECUTE FUNCTION wallet_hold_only_shrinks();
CREATE TRIGGER wallet_hold_no_truncate
    BEFORE TRUNCATE ON wallet_hold
    FOR EACH STATEMENT EXECUTE FUNCTION wallet_hold_only_shrinks();

CREATE FUNCTION wallet_currency_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the currency of a wallet in which money has moved never changes'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER wallet_currency_is_fixed
    BEFORE UPDATE OF currency ON wallet_wallet
    FOR EACH ROW WHEN (OLD.currency <> NEW.currency AND OLD.version > 0)
    EXECUTE FUNCTION wallet_currency_is_fixed();
"""

DROP_GUARDS = """
DROP TRIGGER wallet_currency_is_fixed ON wallet_wallet;
DROP FUNCTION wallet_currency_is_fixed();
DROP TRIGGER wallet_hold_no_truncate ON wallet_hold;
DROP TRIGGER wallet_hold_only_shrinks ON wallet_hold;
DROP FUNCTION wallet_hold_only_shrinks();
"""

NEW = POST + HOLD + CAPTURE + VOID
OLD = BEFORE.POST + BEFORE.HOLD + BEFORE.CAPTURE + BEFORE.VOID


class Migration(migrations.Migration):
    dependencies = [("wallet", "0010_payments_taken_back")]

    operations = [
        migrations.RunSQL(BEFORE.DROP_FUNCTIONS + NEW, DROP_FUNCTIONS + OLD),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]
