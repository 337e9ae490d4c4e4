"""For how long a release can be undone is a setting."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0060_order_of_usages")]

    operations = [
        migrations.AlterField(
            "number",
            "parked_at",
            models.DateTimeField(
                blank=True, null=True, help_text="Released by someone; can be undone for a while."
            ),
        ),
    ]
