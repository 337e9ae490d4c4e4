"""Which way an order's line may move, and that each move is logged, even for SQL by hand."""

from django.db import migrations

# Lines from before the log get the two steps that are known of them.
KNOWN = """
INSERT INTO numbers_orderstep (workspace_id, line_id, from_state, to_state, at, cause, text)
SELECT line.workspace_id, line.id, '', 'placed', placed_at, 'placed', 'The order was placed.'
    FROM numbers_orderline AS line JOIN numbers_numberorder AS o ON o.id = order_id
    ORDER BY line.id;
INSERT INTO numbers_orderstep (workspace_id, line_id, from_state, to_state, at, cause, text)
SELECT workspace_id, id, 'placed', state, coalesce(settled_at, called_at, now()), 'before_log',
       'What happened in between was not logged.'
    FROM numbers_orderline WHERE state <> 'placed' ORDER BY id;
SET CONSTRAINTS ALL IMMEDIATE;
"""

MOVES = """
CREATE FUNCTION numbers_orderline_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'lines of orders are never deleted'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'order_line_never_deleted';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'placed' THEN
            RAISE EXCEPTION 'a line begins as placed, not as %', NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'order_line_begins_placed';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.workspace_id, NEW.order_id, NEW.position, NEW.e164, NEW.monthly_price, NEW.currency)
        IS DISTINCT FROM
       (OLD.workspace_id, OLD.order_id, OLD.position, OLD.e164, OLD.monthly_price, OLD.currency)
    THEN
        RAISE EXCEPTION 'what was ordered, and at what price, never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_line_never_rewritten';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state || ' ' || NEW.state) NOT IN (
        'placed buying', 'placed refused',
        'buying done', 'buying refused', 'buying checking',
        'checking done', 'checking refused', 'checking buying',
        'done refunded'
    ) THEN
        RAISE EXCEPTION 'a line cannot go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_line_moves_forward';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER numbers_orderline_moves
    BEFORE INSERT OR UPDATE OR DELETE ON numbers_orderline
    FOR EACH ROW EXECUTE FUNCTION numbers_orderline_moves();
"""

LOGGED = """
CREATE FUNCTION numbers_orderline_is_logged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM numbers_orderline AS line
        WHERE line.id = NEW.id AND line.state = (
            SELECT to_state FROM numbers_orderstep AS step
            WHERE step.workspace_id = NEW.workspace_id AND step.line_id = NEW.id
            ORDER BY step.id DESC LIMIT 1
        )
    ) THEN
        RAISE EXCEPTION 'line % moved to % without a step in its log', NEW.id, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_line_moves_are_logged';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER numbers_orderline_is_logged
    AFTER INSERT OR UPDATE OF state ON numbers_orderline
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION numbers_orderline_is_logged();
"""

FINAL = """
CREATE FUNCTION numbers_orderstep_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of an order is never changed or deleted'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER numbers_orderstep_no_update_or_delete
    BEFORE UPDATE OR DELETE ON numbers_orderstep
    FOR EACH ROW EXECUTE FUNCTION numbers_orderstep_is_final();
CREATE TRIGGER numbers_orderstep_no_truncate
    BEFORE TRUNCATE ON numbers_orderstep
    FOR EACH STATEMENT EXECUTE FUNCTION numbers_orderstep_is_final();
"""

DROP = """
DROP TRIGGER numbers_orderstep_no_truncate ON numbers_orderstep;
DROP TRIGGER numbers_orderstep_no_update_or_delete ON numbers_orderstep;
DROP FUNCTION numbers_orderstep_is_final();
DROP TRIGGER numbers_orderline_is_logged ON numbers_orderline;
DROP FUNCTION numbers_orderline_is_logged();
DROP TRIGGER numbers_orderline_moves ON numbers_orderline;
DROP FUNCTION numbers_orderline_moves();
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0010_order_steps")]

    operations = [
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(MOVES + LOGGED + FINAL, DROP),
    ]
