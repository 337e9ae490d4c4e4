"""What a webhook does in the database, each in one round trip.

``interactions_receive_call`` and ``interactions_receive_message`` find the number, and by it
the workspace, and store what arrived, once per SID; a repeat gets what the first one got.
``interactions_call_status`` and ``interactions_message_status`` note a report, once per
state, and never let a status go backwards.
"""

from django.db import migrations

NUMBER = """
CREATE TYPE interactions_called AS (
    number_id bigint, workspace_id bigint, because text, time_zone text, route_id bigint,
    plan jsonb, limit_seconds integer
);

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
        ws.time_zone, r.id, r.plan,
        -- Whole minutes that the money lasts for, where that is less than four hours.
        CASE WHEN r.minute_price * 240 > w.balance - w.held + w.credit_limit
            THEN greatest(1, floor((w.balance - w.held + w.credit_limit) / r.minute_price)) * 60
        END
    FROM numbers_number n
    JOIN workspaces_workspace ws ON ws.id = n.workspace_id
    JOIN wallet_wallet w ON w.workspace_id = n.workspace_id
    LEFT JOIN interactions_route r
        ON r.number_id = n.id AND r.medium = p_medium AND r.replaced_at IS NULL
    WHERE n.e164 = p_called AND n.released_at IS NULL
$$;
"""

DROP_NUMBER = """
DROP FUNCTION interactions_called_number(text, text);
DROP TYPE interactions_called;
"""

RECEIVE_CALL = """
CREATE FUNCTION interactions_receive_call(
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
        v.route_id, '', v.limit_seconds, v_loop, ''
    ) ON CONFLICT (sid) DO NOTHING RETURNING id INTO v_call;
    IF NOT FOUND THEN  -- another process stored it in this very moment
        RETURN QUERY SELECT * FROM interactions_receive_call(
            p_sid, p_caller, p_called, p_fax, p_at, p_public_id, p_conversation_public_id);
        RETURN;
    END IF;
    RETURN QUERY SELECT 'new', '', v_call, v.workspace_id, v.number_id, p_at, v.time_zone, v.plan,
        v.limit_seconds, v_loop, '';
END $$;
"""

RECEIVE_MESSAGE = """
CREATE FUNCTION interactions_receive_message(
    p_sid text, p_sender text, p_recipient text, p_body text, p_segments integer,
    p_pictures integer, p_keyword text, p_at timestamptz, p_public_id text, p_key uuid,
    p_conversation_public_id text
) RETURNS TABLE (outcome text, because text, message_id bigint, workspace_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v interactions_called;
    v_because text;
    v_conversation bigint;
    v_message bigint;
BEGIN
    SELECT s.because INTO v_because FROM interactions_arrivedfornobody s WHERE s.sid = p_sid;
    IF FOUND THEN
        RETURN QUERY SELECT 'repeat_refused', v_because, NULL::bigint, NULL::bigint;
        RETURN;
    END IF;
    RETURN QUERY SELECT 'repeat', '', m.id, m.workspace_id FROM interactions_message m
        WHERE m.sid = p_sid;
    IF FOUND THEN RETURN; END IF;

    SELECT * INTO v FROM interactions_called_number(p_recipient, 'message');
    v_because := coalesce(v.because, 'unknown');
    IF v_because <> '' THEN
        INSERT INTO interactions_arrivedfornobody
            (sid, medium, caller, called, because, number_id, at)
        VALUES (p_sid, 'message', p_sender, p_recipient, v_because, v.number_id, p_at)
        ON CONFLICT (sid) DO NOTHING;
        RETURN QUERY SELECT 'refused', v_because, NULL::bigint, v.workspace_id;
        RETURN;
    END IF;

    INSERT INTO interactions_conversation AS c
        (workspace_id, public_id, number_id, contact, last_at, last_text, unread)
    VALUES (v.workspace_id, p_conversation_public_id, v.number_id, p_sender, p_at, '', 0)
    ON CONFLICT (number_id, contact) DO UPDATE
        SET last_at = greatest(c.last_at, excluded.last_at)
    RETURNING c.id INTO v_conversation;
    INSERT INTO interactions_message (
        workspace_id, public_id, conversation_id, number_id, sid, direction, status, states, at,
        ended_at, body, segments, pictures, keyword, key, refusal_sentence
    ) VALUES (
        v.workspace_id, p_public_id, v_conversation, v.number_id, p_sid, 'in', 'received',
        jsonb_build_object('received', p_at), p_at, p_at, p_body, p_segments, p_pictures,
        p_keyword, p_key, ''
    ) ON CONFLICT (sid) DO NOTHING RETURNING id INTO v_message;
    IF NOT FOUND THEN  -- another process stored it in this very moment
        RETURN QUERY SELECT 'repeat', '', m.id, m.workspace_id FROM interactions_message m
            WHERE m.sid = p_sid;
        RETURN;
    END IF;
    UPDATE interactions_conversation SET unread = unread + 1, last_text = left(
            CASE WHEN p_body = '' AND p_pictures > 0 THEN 'Picture' ELSE p_body END, 160)
        WHERE id = v_conversation;
    RETURN QUERY SELECT 'new', '', v_message, v.workspace_id;
END $$;
"""

STATUS = """
CREATE FUNCTION interactions_call_rank(p_status text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_status
        WHEN 'asked' THEN 0 WHEN 'queued' THEN 1 WHEN 'initiated' THEN 2 WHEN 'ringing' THEN 3
        WHEN 'in-progress' THEN 4 WHEN 'answered' THEN 4
        WHEN 'completed' THEN 9 WHEN 'busy' THEN 9 WHEN 'no-answer' THEN 9
        WHEN 'failed' THEN 9 WHEN 'canceled' THEN 9
        ELSE -1
    END
$$;

CREATE FUNCTION interactions_message_rank(p_status text)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_status
        WHEN 'asked' THEN 0 WHEN 'accepted' THEN 1 WHEN 'scheduled' THEN 1 WHEN 'queued' THEN 2
        WHEN 'sending' THEN 3 WHEN 'sent' THEN 4 WHEN 'failed' THEN 9 WHEN 'undelivered' THEN 9
        WHEN 'canceled' THEN 9 WHEN 'delivered' THEN 10 WHEN 'read' THEN 11
        WHEN 'received' THEN 12
        ELSE -1
    END
$$;

-- 'noted', 'ended' (noted, and it is the end), 'repeat', 'unknown'
CREATE FUNCTION interactions_call_status(
    p_sid text, p_reference text, p_status text, p_seconds integer, p_fax boolean,
    p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c interactions_call;
    v_rank integer := interactions_call_rank(p_status);
    v_ends boolean;
    v_missed boolean;
BEGIN
    IF p_reference <> '' THEN
        SELECT * INTO c FROM interactions_call
            WHERE public_id = p_reference AND coalesce(sid, p_sid) = p_sid FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO c FROM interactions_call WHERE sid = p_sid FOR NO KEY UPDATE;
    END IF;
    IF NOT FOUND THEN RETURN 'unknown'; END IF;
    IF v_rank < 0 OR c.states ? p_status THEN RETURN 'repeat'; END IF;
    v_ends := v_rank = 9 AND c.ended_at IS NULL;
    v_missed := v_ends AND c.direction = 'in' AND c.outcome = '';
    UPDATE interactions_call SET
        sid = p_sid,
        states = states || jsonb_build_object(p_status, p_at),
        status = CASE WHEN v_rank > interactions_call_rank(status) THEN p_status ELSE status END,
        seconds = CASE WHEN v_ends THEN coalesce(p_seconds, 0) ELSE seconds END,
        ended_at = CASE WHEN v_ends THEN p_at ELSE ended_at END,
        outcome = CASE
            WHEN p_fax THEN 'fax'
            WHEN v_missed THEN 'missed'
            WHEN v_ends AND outcome = '' AND p_status = 'completed' THEN 'answered'
            WHEN v_ends AND outcome = '' THEN 'failed'
            ELSE outcome
        END
    WHERE id = c.id;
    IF v_missed THEN
        UPDATE interactions_conversation SET unread = unread + 1, last_text = 'Missed call'
            WHERE id = c.conversation_id;
    END IF;
    RETURN CASE WHEN v_ends THEN 'ended' ELSE 'noted' END;
END $$;

CREATE FUNCTION interactions_message_status(
    p_sid text, p_reference text, p_status text, p_error integer, p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    m interactions_message;
    v_rank integer := interactions_message_rank(p_status);
    v_ends boolean;
BEGIN
    IF p_reference <> '' THEN
        SELECT * INTO m FROM interactions_message
            WHERE public_id = p_reference AND coalesce(sid, p_sid) = p_sid FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO m FROM interactions_message WHERE sid = p_sid FOR NO KEY UPDATE;
    END IF;
    IF NOT FOUND THEN RETURN 'unknown'; END IF;
    IF v_rank < 0 OR m.states ? p_status THEN RETURN 'repeat'; END IF;
    v_ends := v_rank >= 9 AND m.ended_at IS NULL;
    UPDATE interactions_message SET
        sid = p_sid,
        states = states || jsonb_build_object(p_status, p_at),
        status = CASE
            WHEN v_rank > interactions_message_rank(status) THEN p_status ELSE status
        END,
        error_code = coalesce(p_error, error_code),
        ended_at = CASE WHEN v_ends THEN p_at ELSE ended_at END
    WHERE id = m.id;
    RETURN CASE WHEN v_ends THEN 'ended' ELSE 'noted' END;
END $$;
"""

DROP_STATUS = """
DROP FUNCTION interactions_message_status(text, text, text, integer, timestamptz);
DROP FUNCTION interactions_call_status(text, text, text, integer, boolean, timestamptz);
DROP FUNCTION interactions_message_rank(text);
DROP FUNCTION interactions_call_rank(text);
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0001_initial")]

    operations = [
        migrations.RunSQL(NUMBER, DROP_NUMBER),
        migrations.RunSQL(
            RECEIVE_CALL,
            "DROP FUNCTION interactions_receive_call("
            "text, text, text, boolean, timestamptz, text, text);",
        ),
        migrations.RunSQL(
            RECEIVE_MESSAGE,
            "DROP FUNCTION interactions_receive_message("
            "text, text, text, text, integer, integer, text, timestamptz, text, uuid, text);",
        ),
        migrations.RunSQL(STATUS, DROP_STATUS),
    ]
