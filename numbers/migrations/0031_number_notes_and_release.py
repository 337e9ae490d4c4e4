"""Notes, the lock, the steps of a release, and what follows from the facts of a number."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0030_search_extensions")]

    operations = [
        migrations.AddField(
            model_name='number',
            name='give_back_refusal',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='number',
            name='health',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(then=models.Value(4), vanished_at__isnull=False), models.When(suspended_at__isnull=False, then=models.Value(3)), models.When(outbound_stopped_at__isnull=False, then=models.Value(2)), models.When(then=models.Value(1), webhooks_set_at__isnull=True), default=models.Value(0)), output_field=models.SmallIntegerField(choices=[(0, 'Good'), (1, 'Connecting'), (2, 'Outbound Stopped'), (3, 'Unpaid'), (4, 'Gone')])),
        ),
        migrations.AddField(
            model_name='number',
            name='locked_at',
            field=models.DateTimeField(blank=True, help_text='Cannot be released until it is unlocked.', null=True),
        ),
        migrations.AddField(
            model_name='number',
            name='name_tried_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='number',
            name='name_unsent_since',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='number',
            name='notes',
            field=models.TextField(blank=True, max_length=2000),
        ),
        migrations.AddField(
            model_name='number',
            name='release_at',
            field=models.DateTimeField(blank=True, help_text='Will be released then.', null=True),
        ),
        migrations.AddField(
            model_name='number',
            name='words',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Lower(django.db.models.functions.text.Concat('friendly_name', models.Value(' '), 'notes', output_field=models.TextField())), output_field=models.TextField()),
        ),
        migrations.AddConstraint(
            model_name='number',
            constraint=models.CheckConstraint(condition=models.Q(('locked_at__isnull', True), models.Q(('parked_at__isnull', True), ('release_at__isnull', True)), _connector='OR'), name='number_locked_is_not_released'),
        ),
        migrations.AddConstraint(
            model_name='number',
            constraint=models.UniqueConstraint(fields=('workspace', 'id', 'created_at'), name='number_of_workspace'),
        ),
    ]
