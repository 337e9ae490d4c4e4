"""When the carrier was asked for parts of a call that nobody reported."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('interactions', '0040_same_workspace'),
        ('numbers', '0054_number_defaults'),
        ('workspaces', '0051_workspace_default'),
    ]

    operations = [
        migrations.AddField(
            model_name='call',
            name='asked_for_parts_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('asked_for_parts_at__isnull', True), ('ended_at__isnull', False)), fields=['ended_at'], name='call_parts_to_ask'),
        ),
    ]
