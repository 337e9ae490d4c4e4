"""Rent inside the database: every number has its rent row, and how what is due is taken.

The two ``take`` functions write lines and move due dates; they run under the lock of the
wallets and touch no money. What they return is charged by the ledger in the same
transaction.
"""

from django.db import migrations

# In one step from the purchase: 31 January, 28 February, 31 March. Chained steps would
# drift to the 28th for good. PostgreSQL and numbers/rent_periods.py agree (a test holds it).
PERIODS = """
CREATE FUNCTION numbers_period_start(p_bought_at timestamptz, p_period int)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((p_bought_at AT TIME ZONE 'UTC') + make_interval(months => p_period))
        AT TIME ZONE 'UTC'
$$;

CREATE FUNCTION numbers_last_period(p_bought_at timestamptz, p_now timestamptz)
RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT months - CASE WHEN numbers_period_start(p_bought_at, months) > p_now THEN 1 ELSE 0 END
    FROM (
        SELECT (12 * (extract(year FROM now_utc) - extract(year FROM bought_utc))
                + extract(month FROM now_utc) - extract(month FROM bought_utc))::int AS months
        FROM (
            SELECT p_now AT TIME ZONE 'UTC' AS now_utc, p_bought_at AT TIME ZONE 'UTC' AS bought_utc
        ) AS utc
    ) AS calendar
$$;
"""

DROP_PERIODS = """
DROP FUNCTION numbers_last_period(timestamptz, timestamptz);
DROP FUNCTION numbers_period_start(timestamptz, int);
"""

STORAGE = """
-- Room on each page for the next version of its rows: moving a due date touches no index.
ALTER TABLE numbers_rentdue SET (fillfactor = 45);
-- Lines are written in the order of time, so this is a few pages whatever their number.
CREATE INDEX rent_line_by_time ON numbers_rentline
    USING brin (charged_at) WITH (pages_per_range = 16, autosummarize = on);
"""

DROP_STORAGE = """
DROP INDEX rent_line_by_time;
ALTER TABLE numbers_rentdue RESET (fillfactor);
"""

# A number without a rent row would be free for ever, and one that is released or lost but
# billed would cost for ever: so the database itself keeps the two together, whoever writes.
TRIGGERS = """
CREATE FUNCTION numbers_rent_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO numbers_rentdue
        (number_id, workspace_id, bought_at, due_at, next_period, billed, price)
    SELECT id, workspace_id, created_at, numbers_period_start(created_at, 1), 1,
        coalesce(parked_at, vanished_at, giving_back_at, released_at) IS NULL, monthly_price
    FROM bought;
    RETURN NULL;
END $$;
CREATE TRIGGER number_begins_rent AFTER INSERT ON numbers_number
    REFERENCING NEW TABLE AS bought
    FOR EACH STATEMENT EXECUTE FUNCTION numbers_rent_begins();

CREATE FUNCTION numbers_rent_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE numbers_rentdue SET
        billed = coalesce(NEW.parked_at, NEW.vanished_at, NEW.giving_back_at, NEW.released_at)
            IS NULL,
        price = NEW.monthly_price
    WHERE number_id = NEW.id AND (billed, price) IS DISTINCT FROM (
        coalesce(NEW.parked_at, NEW.vanished_at, NEW.giving_back_at, NEW.released_at) IS NULL,
        NEW.monthly_price
    );
    RETURN NULL;
END $$;
CREATE TRIGGER number_leads_rent AFTER UPDATE ON numbers_number
    FOR EACH ROW WHEN (
        OLD.monthly_price <> NEW.monthly_price
        OR (OLD.parked_at IS NULL) <> (NEW.parked_at IS NULL)
        OR (OLD.vanished_at IS NULL) <> (NEW.vanished_at IS NULL)
        OR (OLD.giving_back_at IS NULL) <> (NEW.giving_back_at IS NULL)
        OR (OLD.released_at IS NULL) <> (NEW.released_at IS NULL)
    ) EXECUTE FUNCTION numbers_rent_follows();

INSERT INTO numbers_rentdue
    (number_id, workspace_id, bought_at, due_at, next_period, billed, price)
SELECT id, workspace_id, created_at, numbers_period_start(created_at, 1), 1,
    coalesce(parked_at, vanished_at, giving_back_at, released_at) IS NULL, monthly_price
FROM numbers_number;
"""

DROP_TRIGGERS = """
DROP TRIGGER number_leads_rent ON numbers_number;
DROP FUNCTION numbers_rent_follows();
DROP TRIGGER number_begins_rent ON numbers_number;
DROP FUNCTION numbers_rent_begins();
"""

# Every unpaid month of these workspaces that has begun, with its price.
OWED = """
CREATE FUNCTION numbers_rent_owed(p_workspaces bigint[], p_now timestamptz)
RETURNS TABLE (
    workspace_id bigint, number_id bigint, period int, due_at timestamptz,
    bought_at timestamptz, price numeric
) LANGUAGE sql STABLE AS $$
    SELECT d.workspace_id, d.number_id, months.period,
        numbers_period_start(d.bought_at, months.period), d.bought_at,
        CASE WHEN months.period >= d.next_price_from THEN d.next_price ELSE d.price END
    FROM numbers_rentdue d
    CROSS JOIN LATERAL generate_series(
        d.next_period, numbers_last_period(d.bought_at, p_now)
    ) AS months(period)
    WHERE d.workspace_id = ANY(p_workspaces) AND d.billed AND d.due_at <= p_now
$$;
"""

# For wallets whose money covers everything: each number one month, whatever the order.
# What needs more thought (an overdue number, a new price) is left to the listed way.
TAKE_COVERED = """
CREATE FUNCTION numbers_rent_take_covered(
    p_run bigint, p_now timestamptz, p_workspaces bigint[], p_seqs bigint[]
) RETURNS TABLE (workspace_id bigint, payments bigint, amount numeric, charged_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_at timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH moved AS (
        UPDATE numbers_rentdue d SET
            next_period = d.next_period + 1,
            due_at = numbers_period_start(d.bought_at, d.next_period + 1)
        FROM unnest(p_workspaces, p_seqs) AS w(workspace_id, seq)
        WHERE d.workspace_id = w.workspace_id AND d.due_at <= p_now AND d.billed
            AND d.overdue_since IS NULL
            AND (d.next_price_from IS NULL OR d.next_price_from > d.next_period)
        RETURNING d.number_id, d.workspace_id, w.seq, d.next_period - 1 AS period, d.price
    ), lines AS (
        INSERT INTO numbers_rentline (
            number_id, workspace_id, run_id, entry_seq, charged_at, period, amount,
            waived_because
        )
        SELECT m.number_id, m.workspace_id, p_run, CASE WHEN m.price > 0 THEN m.seq END, v_at,
            m.period, m.price, ''
        FROM moved m
    )
    SELECT m.workspace_id, count(*), sum(m.price), v_at FROM moved m GROUP BY m.workspace_id;
END $$;
"""

# For everything else: the months of the list, in its order, until the money of a wallet
# does not cover one. A later one is never paid before it, not even a cheaper one.
TAKE_LISTED = """
CREATE FUNCTION numbers_rent_take_listed(
    p_run bigint, p_now timestamptz, p_workspaces bigint[], p_seqs bigint[],
    p_available numeric[], p_numbers bigint[], p_periods int[]
) RETURNS TABLE (
    workspace_id bigint, payments bigint, amount numeric, charged_at timestamptz,
    left_payments bigint, left_amount numeric
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_at timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH owed AS (
        SELECT d.workspace_id, d.number_id, listed.period, w.seq, w.available, prices.price,
            listed.period >= d.next_price_from AS is_new_price, sum(prices.price) OVER (
                PARTITION BY d.workspace_id ORDER BY listed.position ROWS UNBOUNDED PRECEDING
            ) AS running
        FROM unnest(p_numbers, p_periods) WITH ORDINALITY AS listed(number_id, period, position)
        JOIN numbers_rentdue d ON d.number_id = listed.number_id
        JOIN unnest(p_workspaces, p_seqs, p_available) AS w(workspace_id, seq, available)
            ON w.workspace_id = d.workspace_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN listed.period >= d.next_price_from THEN d.next_price ELSE d.price END
                AS price
        ) AS prices
        WHERE d.billed AND listed.period >= d.next_period
            AND numbers_period_start(d.bought_at, listed.period) <= p_now
    ), payable AS (
        SELECT o.workspace_id, o.seq, o.number_id, min(o.period) AS first, max(o.period) AS last,
            array_agg(o.price ORDER BY o.period) AS prices, bool_or(o.is_new_price) AS repriced
        FROM owed o WHERE o.running <= o.available
        GROUP BY o.workspace_id, o.seq, o.number_id
    ), moved AS (
        UPDATE numbers_rentdue d SET
            next_period = p.last + 1,
            due_at = numbers_period_start(d.bought_at, p.last + 1),
            overdue_since = CASE
                WHEN numbers_period_start(d.bought_at, p.last + 1) <= p_now THEN
                    CASE WHEN d.overdue_since IS NOT NULL THEN greatest(
                        d.overdue_since, numbers_period_start(d.bought_at, p.last + 1)) END
            END,
            price = CASE WHEN p.last >= d.next_price_from THEN d.next_price ELSE d.price END,
            next_price = CASE WHEN p.last < d.next_price_from THEN d.next_price END,
            next_price_from = CASE WHEN p.last < d.next_price_from THEN d.next_price_from END
        FROM payable p
        WHERE d.number_id = p.number_id AND d.next_period = p.first AND d.billed
        RETURNING p.*, d.price
    ), repriced AS (
        UPDATE numbers_number n SET monthly_price = m.price
        FROM moved m WHERE m.repriced AND n.id = m.number_id
    ), paid AS (
        SELECT m.workspace_id, m.seq, m.number_id, m.first + (month.position - 1)::int AS period,
            month.price
        FROM moved m
        CROSS JOIN LATERAL unnest(m.prices) WITH ORDINALITY AS month(price, position)
    ), lines AS (
        INSERT INTO numbers_rentline (
            number_id, workspace_id, run_id, entry_seq, charged_at, period, amount,
            waived_because
        )
        SELECT p.number_id, p.workspace_id, p_run, CASE WHEN p.price > 0 THEN p.seq END, v_at,
            p.period, p.price, ''
        FROM paid p
    ), shortfalls AS (
        SELECT o.workspace_id, count(*) AS left_payments, sum(o.price) AS left_amount
        FROM owed o WHERE o.running > o.available GROUP BY o.workspace_id
    ), sums AS (
        SELECT p.workspace_id, count(*) AS payments, sum(p.price) AS amount
        FROM paid p GROUP BY p.workspace_id
    )
    SELECT w.workspace_id, coalesce(s.payments, 0), coalesce(s.amount, 0), v_at,
        coalesce(l.left_payments, 0), coalesce(l.left_amount, 0)
    FROM unnest(p_workspaces) AS w(workspace_id)
    LEFT JOIN sums s ON s.workspace_id = w.workspace_id
    LEFT JOIN shortfalls l ON l.workspace_id = w.workspace_id;
END $$;
"""

DROP_FUNCTIONS = """
DROP FUNCTION numbers_rent_take_listed(
    bigint, timestamptz, bigint[], bigint[], numeric[], bigint[], int[]);
DROP FUNCTION numbers_rent_take_covered(bigint, timestamptz, bigint[], bigint[]);
DROP FUNCTION numbers_rent_owed(bigint[], timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0020_rent_rows")]

    operations = [
        migrations.RunSQL(PERIODS, DROP_PERIODS),
        migrations.RunSQL(STORAGE, DROP_STORAGE),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
        migrations.RunSQL(OWED + TAKE_COVERED + TAKE_LISTED, DROP_FUNCTIONS),
    ]
