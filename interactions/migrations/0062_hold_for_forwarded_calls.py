"""A call that is forwarded sets money aside first.

``interactions_forward_call`` says how long it may last and holds what that may cost, in the
same round trip; asked again it says the same. It holds as ``wallet.ledger.hold`` does, by
``wallet_hold``. What arrives is not limited before: ``interactions_called_number`` looks
only whether there is any money left.
"""

import django.db.models.deletion
from django.db import migrations, models

from workspaces.same_workspace import same_workspace

DROP_LIMIT = """
DROP FUNCTION interactions_called_number(text, text);
ALTER TYPE interactions_called DROP ATTRIBUTE limit_seconds;
"""
DROP_NUMBER = """
DROP FUNCTION interactions_called_number(text, text);
ALTER TYPE interactions_called ADD ATTRIBUTE limit_seconds integer;
"""
NUMBER = """
-- Whose number it is and why it does not take what arrives (empty: it does).
CREATE FUNCTION interactions_called_number(p_called text, p_medium text)
RETURNS SETOF interactions_called LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT n.id, n.workspace_id,
        CASE
            WHEN n.vanished_at IS NOT NULL THEN 'vanished'
            WHEN n.parked_at IS NOT NULL THEN 'parked'
            WHEN n.suspended_at IS NOT NULL THEN 'suspended'
            WHEN n.deactivated_at IS NOT NULL THEN 'deactivated'
            WHEN w.balance - w.held <= -w.credit_limit OR EXISTS (
                SELECT FROM interactions_usage u
                WHERE u.workspace_id = n.workspace_id AND u.state = 'due'
                    AND u.owed_since IS NOT NULL
            ) THEN 'no_money'
            ELSE ''
        END,
        ws.time_zone, r.id, r.plan{limit}
    FROM numbers_number n
    JOIN workspaces_workspace ws ON ws.id = n.workspace_id
    JOIN wallet_wallet w ON w.workspace_id = n.workspace_id
    LEFT JOIN interactions_route r
        ON r.number_id = n.id AND r.medium = p_medium AND r.replaced_at IS NULL
    WHERE n.e164 = p_called AND n.released_at IS NULL
$$;
"""
LIMIT = """,
        CASE WHEN r.minute_price * 240 > w.balance - w.held + w.credit_limit
            THEN greatest(1, floor((w.balance - w.held + w.credit_limit) / r.minute_price)) * 60
        END"""

RECEIVE_CALL = """
CREATE OR REPLACE FUNCTION interactions_receive_call(
    p_sid text, p_caller text, p_called text, p_fax boolean, p_at timestamptz,
    p_public_id text, p_conversation_public_id text
) RETURNS TABLE (
    outcome text, because text, call_id bigint, workspace_id bigint, number_id bigint,
    arrived_at timestamptz, time_zone text, plan jsonb, limit_seconds integer, is_loop boolean,
    answer text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v interactions_called;
    v_because text;
    v_conversation bigint;
    v_loop boolean;
    v_call bigint;
BEGIN
    SELECT c.id INTO v_call FROM interactions_call c WHERE c.sid = p_sid;
    IF FOUND THEN
        RETURN QUERY SELECT 'repeat', '', c.id, c.workspace_id, c.number_id, c.at, ws.time_zone::text,
            r.plan, c.limit_seconds, c.is_loop, c.answer
        FROM interactions_call c
        JOIN workspaces_workspace ws ON ws.id = c.workspace_id
        LEFT JOIN interactions_route r ON r.id = c.route_id
        WHERE c.id = v_call;
        RETURN;
    END IF;
    SELECT s.because INTO v_because FROM interactions_arrivedfornobody s WHERE s.sid = p_sid;
    IF NOT FOUND THEN
        SELECT * INTO v FROM interactions_called_number(p_called, 'voice');
        v_because := coalesce(v.because, 'unknown');
    END IF;
    IF v_because <> '' THEN
        INSERT INTO interactions_arrivedfornobody
            (sid, medium, caller, called, because, number_id, at)
        VALUES (p_sid, 'voice', p_caller, p_called, v_because, v.number_id, p_at)
        ON CONFLICT (sid) DO NOTHING;
        outcome := CASE WHEN FOUND THEN 'refused' ELSE 'repeat_refused' END;
        because := v_because; workspace_id := v.workspace_id; number_id := v.number_id;
        RETURN NEXT;
        RETURN;
    END IF;

    INSERT INTO interactions_conversation AS c
        (workspace_id, public_id, number_id, contact, last_at, last_text, unread)
    VALUES (v.workspace_id, p_conversation_public_id, v.number_id, p_caller, p_at,
        'Incoming call', 0)
    ON CONFLICT (number_id, contact) DO UPDATE
        SET last_at = greatest(c.last_at, excluded.last_at), last_text = excluded.last_text
    RETURNING c.id INTO v_conversation;
    -- Nobody calls the same number a third time while two such calls are under way, except a
    -- call that is forwarded in a circle.
    SELECT count(*) >= 2 INTO v_loop FROM interactions_call c
        WHERE c.conversation_id = v_conversation AND c.at > p_at - interval '2 minutes'
            AND c.ended_at IS NULL;
    INSERT INTO interactions_call (
        workspace_id, public_id, conversation_id, number_id, sid, direction, status, states, at,
        outcome, route_id, answered_by, limit_seconds, is_loop, answer
    ) VALUES (
        v.workspace_id, p_public_id, v_conversation, v.number_id, p_sid, 'in', 'ringing',
        jsonb_build_object('ringing', p_at), p_at, CASE WHEN p_fax THEN 'fax' ELSE '' END,
        v.route_id, '', {limit}, v_loop, ''
    ) ON CONFLICT (sid) DO NOTHING RETURNING id INTO v_call;
    IF NOT FOUND THEN  -- another process stored it in this very moment
        RETURN QUERY SELECT * FROM interactions_receive_call(
            p_sid, p_caller, p_called, p_fax, p_at, p_public_id, p_conversation_public_id);
        RETURN;
    END IF;
    RETURN QUERY SELECT 'new', '', v_call, v.workspace_id, v.number_id, p_at, v.time_zone, v.plan,
        {limit}, v_loop, '';
END $$;
"""
BEFORE = NUMBER.replace("{limit}", LIMIT) + RECEIVE_CALL.replace("{limit}", "v.limit_seconds")
AFTER = NUMBER.replace("{limit}", "") + RECEIVE_CALL.replace("{limit}", "NULL::integer")

FORWARD = """
-- How many seconds a call may be forwarded for; 0 where all the money is promised already.
-- p_others: how many more phones may pick it up for a minute without taking it.
CREATE FUNCTION interactions_forward_call(p_call bigint, p_others integer, p_text text)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    c interactions_call;
    w wallet_wallet;
    v_price numeric;
    v_promised numeric;
    v_free numeric;
    v_minutes integer := 0;
    v_may_cost numeric := 0;
    v_aside numeric;
    v_outcome text := 'none';
    v_hold bigint;
BEGIN
    SELECT * INTO c FROM interactions_call WHERE id = p_call;
    IF c.limit_seconds IS NOT NULL THEN RETURN c.limit_seconds; END IF;
    SELECT minute_price INTO v_price FROM interactions_route WHERE id = c.route_id;
    IF coalesce(v_price, 0) = 0 THEN RETURN 14400; END IF;

    -- One after the other: each sees what those before it were promised.
    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = c.workspace_id FOR NO KEY UPDATE;
    SELECT * INTO c FROM interactions_call WHERE id = p_call;
    IF c.limit_seconds IS NOT NULL THEN RETURN c.limit_seconds; END IF;
    SELECT coalesce(sum(o.may_cost - coalesce(h.amount, 0)), 0) INTO v_promised
        FROM interactions_call o LEFT JOIN wallet_hold h ON h.id = o.hold_id
        WHERE o.workspace_id = c.workspace_id AND o.may_cost IS NOT NULL AND o.ended_at IS NULL;
    v_free := w.balance - w.held + w.credit_limit - v_promised;

    IF v_free > 0 THEN
        -- Half of what is free, so that others can call too; ten minutes of it at least, and
        -- four hours at most, which is the provider's own limit.
        v_minutes := least(240, greatest(
            1, floor(v_free / v_price / 2), least(10, floor(v_free / v_price) - p_others)));
        v_may_cost := (v_minutes + p_others) * v_price;
        -- Few calls last longer than half an hour: more is promised, and not set aside.
        v_aside := least((least(v_minutes, 30) + p_others) * v_price, w.balance - w.held);
        IF v_aside > 0 THEN
            SELECT outcome, hold_id INTO v_outcome, v_hold FROM wallet_hold(
                c.workspace_id, w.currency, v_aside, 'usage:forward:' || c.sid, p_text,
                c.public_id, NULL);
            IF v_outcome <> 'done' THEN
                RAISE EXCEPTION 'call %: the wallet said % to a hold', c.sid, v_outcome;
            END IF;
        END IF;
    END IF;
    UPDATE interactions_call
        SET limit_seconds = v_minutes * 60, may_cost = v_may_cost, hold_id = v_hold
        WHERE id = p_call;
    RETURN v_minutes * 60;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0061_messages_turned_away"),
        ("wallet", "0060_same_workspace"),
    ]

    operations = [
        migrations.AddField(
            model_name="call",
            name="hold",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, to="wallet.hold"
            ),
        ),
        migrations.AddField(
            model_name="call",
            name="may_cost",
            field=models.DecimalField(decimal_places=6, max_digits=18, null=True),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                fields=["workspace"],
                name="call_promised_money",
                condition=models.Q(may_cost__isnull=False, ended_at__isnull=True),
            ),
        ),
        same_workspace("interactions_call", "hold_id", "wallet_hold", parent_workspace="wallet_id"),
        migrations.RunSQL(DROP_LIMIT + AFTER, DROP_NUMBER + BEFORE),
        migrations.RunSQL(
            FORWARD, "DROP FUNCTION interactions_forward_call(bigint, integer, text);"
        ),
    ]
