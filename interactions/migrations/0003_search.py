"""Finding conversations by digits and by words, within a workspace."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations

# ``body__icontains`` compares upper-case text. Written in SQL: an index on an expression with
# an operator class would need django.contrib.postgres among the apps, for nothing else.
BY_WORDS = """
CREATE INDEX message_by_words ON interactions_message
    USING gin (workspace_id int8_ops, upper(body) gin_trgm_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0002_receive")]

    operations = [
        TrigramExtension(),
        BtreeGinExtension(),
        migrations.AddIndex(
            "conversation",
            GinIndex(
                fields=["workspace", "contact"],
                opclasses=["int8_ops", "gin_trgm_ops"],
                name="conversation_by_digits",
            ),
        ),
        migrations.RunSQL(BY_WORDS, "DROP INDEX message_by_words;"),
    ]
