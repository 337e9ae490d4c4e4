"""A report on why something does not work can be about a number."""

import django.db.models.deletion
from django.db import migrations, models

from workspaces.same_workspace import same_workspace


class Migration(migrations.Migration):
    dependencies = [
        ("numbers", "0051_number_checks"),
    ]

    operations = [
        migrations.AddField(
            model_name="diagnosisreport",
            name="number",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="numbers.number",
            ),
        ),
        migrations.AlterField(
            model_name="diagnosisreport",
            name="search",
            field=models.CharField(blank=True, help_text="What was searched for.", max_length=500),
        ),
        same_workspace("numbers_diagnosisreport", "number_id", "numbers_number"),
    ]
