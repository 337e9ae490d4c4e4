"""Which numbers lack a registration is looked up among a few messages (registrations.py)."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("interactions", "0060_order_of_answerers")]

    operations = [
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["number", "-at"],
                condition=Q(error_code__in=[30032, 30034]),
                name="message_not_registered",
            ),
        ),
    ]
