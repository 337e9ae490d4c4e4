from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0070_messaging_services")]

    operations = [
        migrations.AddField(
            "syncrun",
            "planned",
            models.JSONField(db_default=[], default=list),
        ),
    ]
