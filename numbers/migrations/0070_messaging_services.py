"""A messaging service that takes a number's messages is as grave as a webhook elsewhere."""

from django.db import migrations, models

NOTE_TROUBLE = """
CREATE OR REPLACE FUNCTION numbers_note_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
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
                    %s
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
"""

KINDS = [
    ("missing", "Not at the carrier any more"),
    ("returned", "At the carrier again"),
    ("ordered", "Bought by an order that does not know it yet"),
    ("released", "Given back here, still at the carrier"),
    ("nobodys", "At the carrier, and nobody's here"),
    ("webhooks", "Calls or messages are sent somewhere else"),
    ("overridden", "Handled by an application or trunk at the carrier"),
    ("service", "Its messages are taken by a messaging service at the carrier"),
    ("name", "Another friendly name at the carrier"),
    ("capabilities", "It can do something else than we say"),
    ("not_in_use", "The carrier says it is not in use"),
    ("emergency", "Its emergency address has changed at the carrier"),
    ("bundle", "Its approved documents have changed at the carrier"),
]


class Migration(migrations.Migration):
    dependencies = [("numbers", "0061_words_of_parked_at")]

    operations = [
        migrations.AlterField(
            "difference", "kind", models.CharField(choices=KINDS, max_length=12)
        ),
        migrations.RunSQL(NOTE_TROUBLE % "WHEN 'service' THEN 11", NOTE_TROUBLE % ""),
    ]
