"""A call that is forwarded whatever the hour has its money set aside as it is stored.

The second round trip, with its own commit, cost as much as the first. Where the wallet is
locked, or the plan asks for the hour, ``interactions_forward_call`` does it afterwards as
before: nothing waits for a wallet while it holds the conversation.

The call keeps its price and what was set aside, so that what is promised to a workspace's
calls is the sum of one index's rows, without routes and holds. A process of the release
before leaves out the last argument of ``interactions_receive_call``.
"""

from importlib import import_module

from django.db import migrations, models

NUMBERS = import_module("interactions.migrations.0062_hold_for_forwarded_calls")
FORWARDS = import_module("interactions.migrations.0081_promised_until_paid")

ADD_PRICE = """
DROP FUNCTION interactions_called_number(text, text);
ALTER TYPE interactions_called ADD ATTRIBUTE minute_price numeric;
"""
DROP_PRICE = """
DROP FUNCTION interactions_called_number(text, text);
ALTER TYPE interactions_called DROP ATTRIBUTE minute_price;
"""
NUMBER = NUMBERS.NUMBER.replace("{limit}", ", r.minute_price")

PROMISED = """
-- What is promised to a workspace's forwarded calls beyond what is set aside for them: of one
-- that lasts all that it may cost, of one that is over what its minutes can have cost (and a
-- minute of each of ten phones, of which a mailbox may have picked up).
-- A scan of the index passes over what was paid the next time; a bitmap would visit it again.
CREATE OR REPLACE FUNCTION interactions_promised(p_workspace bigint)
RETURNS numeric LANGUAGE plpgsql STABLE SET enable_bitmapscan = off AS $$
BEGIN
    RETURN (
        SELECT coalesce(sum(greatest(0, CASE WHEN ended_at IS NULL THEN may_cost
            ELSE least(may_cost, (ceil(coalesce(seconds, 0) / 60.0) + 10) * minute_price)
            END - set_aside)), 0)
        FROM interactions_call
        WHERE workspace_id = p_workspace AND may_cost IS NOT NULL AND paid_at IS NULL
    );
END $$;
"""

PROMISE = """
-- What a call may be forwarded for, and the money for it set aside. Its wallet is locked, so
-- one is promised after the other: each sees what those before it were.
-- p_others: how many more phones may pick it up for a minute without taking it.
CREATE FUNCTION interactions_promise(
    w wallet_wallet, p_price numeric, p_others integer, p_sid text, p_public_id text, p_text text,
    OUT limit_seconds integer, OUT may_cost numeric, OUT set_aside numeric, OUT hold_id bigint
) LANGUAGE plpgsql AS $$
DECLARE
    v_free numeric := w.balance - w.held + w.credit_limit - interactions_promised(w.workspace_id);
    v_minutes integer;
    v_outcome text;
BEGIN
    limit_seconds := 0;
    may_cost := 0;
    set_aside := 0;
    IF v_free <= 0 THEN RETURN; END IF;
    -- Half of what is free, so that others can call too; ten minutes of it at least, and four
    -- hours at most, which is the provider's own limit.
    v_minutes := least(240, greatest(
        1, floor(v_free / p_price / 2), least(10, floor(v_free / p_price) - p_others)));
    limit_seconds := v_minutes * 60;
    may_cost := (v_minutes + p_others) * p_price;
    -- Few calls last longer than half an hour: more is promised, and not set aside.
    set_aside := greatest(0,
        least((least(v_minutes, 30) + p_others) * p_price, w.balance - w.held));
    IF set_aside > 0 THEN
        SELECT h.outcome, h.hold_id INTO v_outcome, hold_id FROM wallet_hold(
            w.workspace_id, w.currency, set_aside, 'usage:forward:' || p_sid, p_text,
            p_public_id, NULL) AS h;
        IF v_outcome <> 'done' THEN
            RAISE EXCEPTION 'call %: the wallet said % to a hold', p_sid, v_outcome;
        END IF;
    END IF;
END $$;
"""

FORWARD = """
-- How many seconds a call may be forwarded for; 0 where all the money is promised already.
-- lock_not_available where the wallet is locked for longer than a caller waits.
CREATE OR REPLACE FUNCTION interactions_forward_call(p_call bigint, p_others integer, p_text text)
RETURNS integer LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
DECLARE
    c interactions_call;
    w wallet_wallet;
    v_price numeric;
    v_promise record;
BEGIN
    SELECT * INTO c FROM interactions_call WHERE id = p_call;
    IF c.limit_seconds IS NOT NULL THEN RETURN c.limit_seconds; END IF;
    SELECT minute_price INTO v_price FROM interactions_route WHERE id = c.route_id;
    IF coalesce(v_price, 0) = 0 THEN RETURN 14400; END IF;

    SELECT * INTO w FROM wallet_wallet WHERE workspace_id = c.workspace_id FOR NO KEY UPDATE;
    SELECT * INTO c FROM interactions_call WHERE id = p_call;
    IF c.limit_seconds IS NOT NULL THEN RETURN c.limit_seconds; END IF;
    SELECT * INTO v_promise
        FROM interactions_promise(w, v_price, p_others, c.sid, c.public_id, p_text);
    UPDATE interactions_call SET limit_seconds = v_promise.limit_seconds, minute_price = v_price,
            may_cost = v_promise.may_cost, set_aside = v_promise.set_aside,
            hold_id = v_promise.hold_id
        WHERE id = p_call;
    RETURN v_promise.limit_seconds;
END $$;
"""

RECEIVE_CALL = """
-- p_forwarded: the hold's text, where the call is forwarded if its plan says so; or NULL.
CREATE FUNCTION interactions_receive_call(
    p_sid text, p_caller text, p_called text, p_fax boolean, p_at timestamptz,
    p_public_id text, p_conversation_public_id text, p_forwarded text DEFAULT NULL
) RETURNS TABLE (
    outcome text, because text, call_id bigint, workspace_id bigint, number_id bigint,
    arrived_at timestamptz, time_zone text, plan jsonb, limit_seconds integer, is_loop boolean,
    answer text
) LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
#variable_conflict use_column
DECLARE
    v interactions_called;
    w wallet_wallet;
    v_because text;
    v_conversation bigint;
    v_loop boolean;
    v_promise interactions_call;  -- what was promised to it
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

    IF p_forwarded IS NOT NULL AND v.minute_price > 0 AND NOT (p_fax OR v_loop)
        AND v.plan->'answer'->>'kind' = 'forward'
        AND (v.plan->>'hours' IS NULL OR v.plan->>'closed' IS NULL)
    THEN
        -- Whoever has it may be waiting for the conversation that we have locked.
        SELECT * INTO w FROM wallet_wallet x WHERE x.workspace_id = v.workspace_id
            FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND AND NOT EXISTS (SELECT FROM interactions_call c WHERE c.sid = p_sid) THEN
            SELECT p.limit_seconds, p.may_cost, p.set_aside, p.hold_id, v.minute_price
                INTO v_promise.limit_seconds, v_promise.may_cost, v_promise.set_aside,
                    v_promise.hold_id, v_promise.minute_price
                FROM interactions_promise(w, v.minute_price,
                    CASE WHEN (v.plan->'answer'->>'whisper')::boolean
                        THEN jsonb_array_length(v.plan->'answer'->'phones') ELSE 0 END,
                    p_sid, p_public_id, p_forwarded) AS p;
        END IF;
    END IF;

    INSERT INTO interactions_call (
        workspace_id, public_id, conversation_id, number_id, sid, direction, status, states, at,
        outcome, route_id, answered_by, limit_seconds, is_loop, answer, minute_price, may_cost,
        set_aside, hold_id
    ) VALUES (
        v.workspace_id, p_public_id, v_conversation, v.number_id, p_sid, 'in', 'ringing',
        jsonb_build_object('ringing', p_at), p_at, CASE WHEN p_fax THEN 'fax' ELSE '' END,
        v.route_id, '', v_promise.limit_seconds, v_loop, '', v_promise.minute_price,
        v_promise.may_cost, v_promise.set_aside, v_promise.hold_id
    ) ON CONFLICT (sid) DO NOTHING RETURNING id INTO v_call;
    IF NOT FOUND THEN  -- another process stored it in this very moment
        IF v_promise.hold_id IS NOT NULL THEN
            RAISE EXCEPTION 'call % was stored while money was set aside for it', p_sid
                USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN QUERY SELECT * FROM interactions_receive_call(
            p_sid, p_caller, p_called, p_fax, p_at, p_public_id, p_conversation_public_id,
            p_forwarded);
        RETURN;
    END IF;
    RETURN QUERY SELECT 'new', '', v_call, v.workspace_id, v.number_id, p_at, v.time_zone, v.plan,
        v_promise.limit_seconds, v_loop, '';
END $$;
"""

KNOWN = """
UPDATE interactions_call AS c
    SET minute_price = coalesce(r.minute_price, 0), set_aside = coalesce(h.amount, 0)
    FROM interactions_call AS o
    LEFT JOIN interactions_route AS r ON r.id = o.route_id
    LEFT JOIN wallet_hold AS h ON h.id = o.hold_id
    WHERE o.id = c.id AND c.may_cost IS NOT NULL;
"""
BARE = "text, text, text, boolean, timestamptz, text, text"
WAITS = f"ALTER FUNCTION interactions_receive_call({BARE}) SET lock_timeout = '3s';"
AFTER = f"""
DROP FUNCTION interactions_receive_call({BARE});
{ADD_PRICE} {NUMBER} {PROMISED} {PROMISE} {FORWARD} {RECEIVE_CALL}
"""
BEFORE = f"""
DROP FUNCTION interactions_receive_call({BARE}, text);
{DROP_PRICE} {NUMBERS.AFTER} {FORWARDS.FORWARD}
{FORWARDS.PROMISED.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION')}
DROP FUNCTION interactions_promise(wallet_wallet, numeric, integer, text, text, text);
{WAITS}
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0082_pictures_by_type"), ("wallet", "0060_same_workspace")]

    operations = [
        *(
            migrations.AddField(
                model_name="call",
                name=name,
                field=models.DecimalField(decimal_places=6, max_digits=18, null=True),
            )
            for name in ("minute_price", "set_aside")
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(AFTER, BEFORE),
    ]
