"""What a forwarded call was promised stays promised until it is paid, not only until its end;
and who looks at a wallet that somebody else has locked waits three seconds at most.

Between the end of a long call and its charge, what it costs beyond the money set aside was
free for the next call to be promised. ``paid_at`` says when nothing more was to be paid.
"""

from importlib import import_module

from django.db import migrations, models

OLD = import_module("interactions.migrations.0062_hold_for_forwarded_calls").FORWARD

PAID = """
UPDATE interactions_call AS c SET paid_at = coalesce(h.ended_at, c.settled_at)
    FROM interactions_call AS o LEFT JOIN wallet_hold AS h ON h.id = o.hold_id
    WHERE o.id = c.id AND c.may_cost IS NOT NULL AND c.settled_at IS NOT NULL
        AND (o.hold_id IS NULL OR h.ended_at IS NOT NULL);
"""

PROMISED = """
-- What is promised to a workspace's forwarded calls beyond what is set aside for them: of one
-- that lasts all that it may cost, of one that is over what its minutes can have cost (and a
-- minute of each of ten phones, of which a mailbox may have picked up).
CREATE FUNCTION interactions_promised(p_workspace bigint)
RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(greatest(0,
        CASE WHEN o.ended_at IS NULL THEN o.may_cost
            ELSE least(o.may_cost, (ceil(coalesce(o.seconds, 0) / 60.0) + 10) * r.minute_price)
        END - coalesce(h.amount, 0))), 0)
    FROM interactions_call o
    LEFT JOIN interactions_route r ON r.id = o.route_id
    LEFT JOIN wallet_hold h ON h.id = o.hold_id
    WHERE o.workspace_id = p_workspace AND o.may_cost IS NOT NULL AND o.paid_at IS NULL
$$;
"""

FORWARD = """
-- How many seconds a call may be forwarded for; 0 where all the money is promised already.
-- p_others: how many more phones may pick it up for a minute without taking it.
-- lock_not_available where the wallet is locked for longer than a caller waits.
CREATE OR REPLACE FUNCTION interactions_forward_call(p_call bigint, p_others integer, p_text text)
RETURNS integer LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
DECLARE
    c interactions_call;
    w wallet_wallet;
    v_price numeric;
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
    v_free := w.balance - w.held + w.credit_limit - interactions_promised(c.workspace_id);

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

# What else the provider waits for us to do. A row that is locked for longer is left, the
# caller hears a polite word, and a sweep finishes it.
WAITS = """
ALTER FUNCTION interactions_receive_call(text, text, text, boolean, timestamptz, text, text)
    {set};
ALTER FUNCTION interactions_receive_message(
    text, text, text, text, integer, integer, text, timestamptz, text, uuid, text) {set};
ALTER FUNCTION interactions_call_status(text, text, text, integer, boolean, timestamptz) {set};
ALTER FUNCTION interactions_message_status(text, text, text, integer, timestamptz) {set};
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0080_found_late")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="paid_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RemoveIndex(model_name="call", name="call_promised_money"),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                fields=["workspace"],
                name="call_not_paid",
                condition=models.Q(may_cost__isnull=False, paid_at__isnull=True),
            ),
        ),
        migrations.RunSQL(PROMISED, "DROP FUNCTION interactions_promised(bigint);"),
        migrations.RunSQL(
            FORWARD, OLD.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
        ),
        migrations.RunSQL(
            WAITS.replace("{set}", "SET lock_timeout = '3s'"),
            WAITS.replace("{set}", "RESET lock_timeout"),
        ),
        migrations.RunSQL(PAID, migrations.RunSQL.noop),
    ]
