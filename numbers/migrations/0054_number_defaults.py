"""While servers are replaced, old ones write rows without the newer columns: they get these."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('numbers', '0053_carrier_regulation'),
    ]

    operations = [
        migrations.AlterField(
            model_name='number',
            name='bundle_sid',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=34),
        ),
        migrations.AlterField(
            model_name='number',
            name='emergency_address_status',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=24),
        ),
        migrations.AlterField(
            model_name='number',
            name='give_back_refusal',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AlterField(
            model_name='number',
            name='notes',
            field=models.TextField(blank=True, db_default='', default='', max_length=2000),
        ),
    ]
