"""An order of the next payments that rent does not have to keep (numbers/payment_places.py)."""

import django.db.models.deletion
from django.db import migrations, models

# Made with its number; a number that was given back is not in the list, and pays nothing.
TRIGGERS = """
CREATE FUNCTION numbers_payment_place_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO numbers_paymentplace (number_id, workspace_id, due_at)
    SELECT id, workspace_id, numbers_period_start(created_at, 1)
    FROM bought WHERE released_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER number_begins_payment_place AFTER INSERT ON numbers_number
    REFERENCING NEW TABLE AS bought
    FOR EACH STATEMENT EXECUTE FUNCTION numbers_payment_place_begins();

CREATE FUNCTION numbers_payment_place_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM numbers_paymentplace WHERE number_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER number_ends_payment_place AFTER UPDATE OF released_at ON numbers_number
    FOR EACH ROW WHEN (NEW.released_at IS NOT NULL AND OLD.released_at IS NULL)
    EXECUTE FUNCTION numbers_payment_place_ends();

INSERT INTO numbers_paymentplace (number_id, workspace_id, due_at)
SELECT number.id, number.workspace_id, due.due_at
FROM numbers_number AS number
JOIN numbers_rentdue AS due ON due.number_id = number.id
WHERE number.released_at IS NULL;
"""

DROP_TRIGGERS = """
DROP TRIGGER number_ends_payment_place ON numbers_number;
DROP FUNCTION numbers_payment_place_ends();
DROP TRIGGER number_begins_payment_place ON numbers_number;
DROP FUNCTION numbers_payment_place_begins();
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0034_no_rent_when_leaving"), ("workspaces", "0030_audit_words")]

    operations = [
        migrations.CreateModel(
            name="PaymentPlace",
            fields=[
                ("number", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="payment_place", serialize=False, to="numbers.number")),
                ("due_at", models.DateTimeField()),
                ("workspace", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="workspaces.workspace")),
            ],
        ),
        migrations.AddIndex("paymentplace", models.Index(fields=["workspace", "due_at", "number"], name="payment_place_order")),
        migrations.AddIndex("paymentplace", models.Index(fields=["due_at"], name="payment_place_passed")),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
    ]
