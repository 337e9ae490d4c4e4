"""Trigrams and plain columns in one GIN index: digits anywhere, within a workspace."""

from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("numbers", "0022_drop_paid_until")]

    operations = [
        TrigramExtension(),
        BtreeGinExtension(),
    ]
