"""What differs at the carrier is part of a number's health, in the database.

A generated column cannot look into another table, so a trigger sums a number's open
differences up in a column of its own. It locks the number first: of two that come at once
the later sees what the earlier wrote.
"""

from django.db import migrations, models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest

TRIGGER = """
CREATE FUNCTION numbers_note_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(DISTINCT now.number_id) INTO touched
            FROM changed AS now JOIN before USING (id)
            WHERE now.number_id IS NOT NULL
                AND (now.kind, now.ended_at, now.left_at)
                    IS DISTINCT FROM (before.kind, before.ended_at, before.left_at);
    ELSE
        SELECT array_agg(DISTINCT number_id) INTO touched
            FROM changed WHERE number_id IS NOT NULL;
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM numbers_number WHERE id = ANY(touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE numbers_number AS number SET carrier_trouble = found.worst
        FROM (
            SELECT one.id, coalesce(max(
                CASE difference.kind
                    WHEN 'missing' THEN 13
                    WHEN 'not_in_use' THEN 12
                    WHEN 'webhooks' THEN 11
                    WHEN 'overridden' THEN 11
                    WHEN 'returned' THEN 0
                    WHEN 'released' THEN 0
                    ELSE 2
                END
            ) FILTER (WHERE difference.id IS NOT NULL), 0) AS worst
            FROM numbers_number AS one
            LEFT JOIN numbers_difference AS difference
                ON difference.workspace_id = one.workspace_id AND difference.number_id = one.id
                AND difference.ended_at IS NULL AND difference.left_at IS NULL
            WHERE one.id = ANY(touched)
            GROUP BY one.id
        ) AS found
        WHERE number.id = found.id AND number.carrier_trouble <> found.worst;
    RETURN NULL;
END $$;
CREATE TRIGGER difference_seen AFTER INSERT ON numbers_difference
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION numbers_note_trouble();
CREATE TRIGGER difference_changed AFTER UPDATE ON numbers_difference
    REFERENCING NEW TABLE AS changed OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION numbers_note_trouble();
CREATE TRIGGER difference_deleted AFTER DELETE ON numbers_difference
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION numbers_note_trouble();
"""
WITHOUT = """
DROP TRIGGER difference_seen ON numbers_difference;
DROP TRIGGER difference_changed ON numbers_difference;
DROP TRIGGER difference_deleted ON numbers_difference;
DROP FUNCTION numbers_note_trouble();
"""
# Each open difference is touched once; what it says stays.
SUM_UP = """
UPDATE numbers_difference SET left_at = now()
    WHERE ended_at IS NULL AND left_at IS NULL AND number_id IS NOT NULL;
UPDATE numbers_difference SET left_at = NULL
    WHERE ended_at IS NULL AND left_at = now() AND number_id IS NOT NULL;
"""


def when(health, **condition):
    return Case(When(Q(**condition), then=Value(health)), default=Value(0))


CHOICES = [
    (0, "OK"),
    (1, "Connecting"),
    (2, "Not the same at the carrier"),
    (3, "The carrier does not take it back yet"),
    (4, "Nothing is sent: its fee is overdue"),
    (10, "Its fee is overdue"),
    (11, "Calls or messages go somewhere else"),
    (12, "Not in use at the carrier"),
    (13, "Not at the carrier"),
]


class Migration(migrations.Migration):
    dependencies = [("numbers", "0040_same_workspace")]

    operations = [
        migrations.RemoveIndex("number", "number_of_health"),
        migrations.RemoveField("number", "health"),
        migrations.AddField(
            "number",
            "carrier_trouble",
            models.PositiveSmallIntegerField(
                choices=CHOICES, db_default=0, default=0, editable=False
            ),
        ),
        migrations.AddField(
            "number",
            "health",
            models.GeneratedField(
                db_persist=True,
                expression=Case(
                    When(released_at__isnull=False, then=Value(0)),
                    default=Greatest(
                        when(1, webhooks_set_at__isnull=True),
                        Case(
                            When(
                                Q(giving_back_at__isnull=False) & ~Q(give_back_refusal=""),
                                then=Value(3),
                            ),
                            default=Value(0),
                        ),
                        when(4, outbound_stopped_at__isnull=False),
                        when(10, suspended_at__isnull=False),
                        when(13, vanished_at__isnull=False),
                        "carrier_trouble",
                        output_field=models.SmallIntegerField(),
                    ),
                    output_field=models.SmallIntegerField(),
                ),
                output_field=models.SmallIntegerField(choices=CHOICES),
            ),
        ),
        migrations.AddIndex(
            "number",
            models.Index(
                F("workspace"),
                F("health"),
                F("created_at"),
                F("id"),
                condition=Q(released_at__isnull=True),
                name="number_of_health",
            ),  # fmt: skip
        ),
        migrations.RunSQL(TRIGGER, WITHOUT),
        migrations.RunSQL(SUM_UP, migrations.RunSQL.noop),
    ]
