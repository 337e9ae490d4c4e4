"""The list is sorted by who answers a number and by what uses it (numbers/usages.py)."""

from django.db import migrations, models
from django.db.models import F, Q

OWNED = Q(released_at__isnull=True)


class Migration(migrations.Migration):
    dependencies = [("numbers", "0054_number_defaults")]

    operations = [
        *[
            migrations.AddField(
                "number",
                name,
                models.CharField(blank=True, db_default="", default="", editable=False, max_length=60),
            )
            for name in ("answered_by", "used_by")
        ],
        migrations.AddIndex("number", models.Index(F("workspace"), F("answered_by"), F("id"), condition=OWNED, name="number_by_answerer")),
        migrations.AddIndex("number", models.Index(F("workspace"), F("used_by"), F("id"), condition=OWNED, name="number_by_user")),
    ]
