"""What nobody told us of is marked; a test keeps why it was refused (number_test.py)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('interactions', '0062_hold_for_forwarded_calls'),
    ]

    operations = [
        migrations.AddField(
            model_name='call',
            name='found_late',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name='message',
            name='found_late',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name='numbertest',
            name='refusal_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
    ]
