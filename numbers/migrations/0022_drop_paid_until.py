"""The due date has one home now, the rent row."""

from django.db import migrations, models

FILL = """
UPDATE numbers_number n SET paid_until = d.due_at
    FROM numbers_rentdue d WHERE d.number_id = n.id;
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0021_rent_functions")]

    operations = [
        migrations.AlterField("number", "paid_until", models.DateTimeField(null=True)),
        migrations.RunSQL(migrations.RunSQL.noop, FILL),
        migrations.RemoveField("number", "paid_until"),
    ]
