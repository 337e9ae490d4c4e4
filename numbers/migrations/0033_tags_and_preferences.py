"""Tags, the columns a person sees, and what was done to several numbers at once."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

# A tag hangs only on a number of its own workspace, and knows when that was bought.
SAME_WORKSPACE = """
ALTER TABLE numbers_tagging
    ADD CONSTRAINT tagging_tag_of_workspace FOREIGN KEY (workspace_id, tag_id)
        REFERENCES numbers_tag (workspace_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT tagging_number_of_workspace FOREIGN KEY (workspace_id, number_id, bought_at)
        REFERENCES numbers_number (workspace_id, id, created_at) ON UPDATE CASCADE ON DELETE CASCADE;
"""

# Only numbers that are owned have tags: counting those of a tag looks at the tags alone.
ONLY_OWNED = """
CREATE FUNCTION numbers_number_loses_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM numbers_tagging WHERE number_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_number_given_back AFTER UPDATE OF released_at ON numbers_number
    FOR EACH ROW WHEN (NEW.released_at IS NOT NULL AND OLD.released_at IS NULL)
    EXECUTE FUNCTION numbers_number_loses_tags();
"""

# What was given back cannot be had back by an update either.
FINAL = """
CREATE FUNCTION numbers_number_release_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a number that was given back stays given back'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'number_release_is_final';
END $$;

CREATE TRIGGER numbers_number_release_is_final BEFORE UPDATE OF released_at ON numbers_number
    FOR EACH ROW WHEN (OLD.released_at IS NOT NULL AND NEW.released_at IS NULL)
    EXECUTE FUNCTION numbers_number_release_is_final();
"""

DROP_FINAL = """
DROP TRIGGER numbers_number_release_is_final ON numbers_number;
DROP FUNCTION numbers_number_release_is_final();
"""

DROP_ONLY_OWNED = """
DROP TRIGGER numbers_number_given_back ON numbers_number;
DROP FUNCTION numbers_number_loses_tags();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("numbers", "0032_number_indexes"),
        ("workspaces", "0003_audit_is_final"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BulkRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(editable=False, max_length=16, unique=True)),
                ('action', models.CharField(max_length=12)),
                ('at', models.DateTimeField()),
                ('results', models.JSONField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ListPreference',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to=settings.AUTH_USER_MODEL)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None)),
            ],
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[^\\x00-\\x1f,]+$', 'A tag is plain text without commas.')])),
            ],
        ),
        migrations.CreateModel(
            name='Tagging',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bought_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='bulkrun',
            name='by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='bulkrun',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace'),
        ),
        migrations.AddField(
            model_name='tag',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace'),
        ),
        migrations.AddField(
            model_name='tagging',
            name='number',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='taggings', to='numbers.number'),
        ),
        migrations.AddField(
            model_name='tagging',
            name='tag',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to='numbers.tag'),
        ),
        migrations.AddField(
            model_name='tagging',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(models.F('workspace'), django.db.models.functions.text.Lower('name'), name='tag_name_once'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='tag_of_workspace'),
        ),
        migrations.AddIndex(
            model_name='tagging',
            index=models.Index(fields=['tag', 'bought_at', 'number'], name='tagging_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='tagging',
            constraint=models.UniqueConstraint(fields=('number', 'tag'), name='tagging_once'),
        ),
        migrations.RunSQL(SAME_WORKSPACE, migrations.RunSQL.noop),
        migrations.RunSQL(ONLY_OWNED, DROP_ONLY_OWNED),
        migrations.RunSQL(FINAL, DROP_FINAL),
    ]
