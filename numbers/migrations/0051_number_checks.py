"""A number can be compared with the carrier on its own, and that is kept."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from workspaces.same_workspace import same_workspace


class Migration(migrations.Migration):
    dependencies = [
        ("numbers", "0050_health"),
        ("workspaces", "0030_audit_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NumberCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("answered", models.BooleanField(help_text="The carrier told what it has.")),
                (
                    "found",
                    models.PositiveSmallIntegerField(default=0, help_text="Differences seen."),
                ),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "number",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="numbers.number",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["workspace", "number", "-at"], name="check_newest")
                ],
            },
        ),
        same_workspace("numbers_numbercheck", "number_id", "numbers_number"),
    ]
