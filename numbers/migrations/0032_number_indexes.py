"""One index for each way to look at the Numbers page (numbers/number_indexes.py)."""

import datetime

import django.contrib.postgres.indexes
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models

# How rare three digits are decides which index is followed; a hundred samples do not tell.
LOOK_CLOSER = """
ALTER TABLE numbers_number
    ALTER COLUMN e164 SET STATISTICS 1000, ALTER COLUMN words SET STATISTICS 1000;
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0031_number_notes_and_release")]

    operations = [
        migrations.RemoveIndex(
            model_name='number',
            name='number_newest_first',
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('created_at'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_by_created'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('e164'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_by_e164'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), django.db.models.functions.text.Lower('friendly_name'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_by_name'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('capabilities'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_by_capabilities'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('country'), models.F('area_code'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_by_place'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('monthly_price'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_by_price'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), django.db.models.functions.comparison.Coalesce('last_used_at', models.Value(datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_by_last_use'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('country'), models.F('created_at'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_of_country'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('number_type'), models.F('created_at'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_of_type'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('status'), models.F('created_at'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_of_status'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('health'), models.F('created_at'), models.F('id'), condition=models.Q(('released_at__isnull', True)), name='number_of_health'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('created_at'), models.F('id'), condition=models.Q(('released_at__isnull', True), ('last_used_at__isnull', True)), name='number_never_used'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('created_at'), models.F('id'), condition=models.Q(('released_at__isnull', True), ('deactivated_at__isnull', False)), name='number_switched_off'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), models.F('released_at'), models.F('id'), condition=models.Q(('released_at__isnull', True), _negated=True), name='number_given_back'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=django.contrib.postgres.indexes.GinIndex(models.F('workspace'), django.contrib.postgres.indexes.OpClass('e164', 'gin_trgm_ops'), models.F('capabilities'), condition=models.Q(('released_at__isnull', True)), name='number_digits'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=django.contrib.postgres.indexes.GinIndex(models.F('workspace'), django.contrib.postgres.indexes.OpClass('words', 'gin_trgm_ops'), condition=models.Q(('released_at__isnull', True)), name='number_words'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(models.F('workspace'), django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Reverse('e164'), 'text_pattern_ops'), condition=models.Q(('released_at__isnull', True)), name='number_last_digits'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(condition=models.Q(('name_unsent_since__isnull', False)), fields=['name_unsent_since'], name='number_name_unsent'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(condition=models.Q(('parked_at__isnull', True), ('release_at__isnull', False)), fields=['release_at'], name='number_release_scheduled'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(condition=models.Q(('parked_at__isnull', False), ('released_at__isnull', True)), fields=['parked_at'], name='number_parked'),
        ),
        migrations.RunSQL(LOOK_CLOSER, migrations.RunSQL.noop),
    ]
