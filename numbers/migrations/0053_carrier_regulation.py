"""What the carrier last told of emergency addresses and documents, so that a change shows."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('numbers', '0052_reports_of_numbers'),
    ]

    operations = [
        migrations.AddField(
            model_name='number',
            name='bundle_sid',
            field=models.CharField(blank=True, editable=False, max_length=34),
        ),
        migrations.AddField(
            model_name='number',
            name='emergency_address_status',
            field=models.CharField(blank=True, editable=False, max_length=24),
        ),
        migrations.AlterField(
            model_name='difference',
            name='kind',
            field=models.CharField(choices=[('missing', 'Not at the carrier any more'), ('returned', 'At the carrier again'), ('ordered', 'Bought by an order that does not know it yet'), ('released', 'Given back here, still at the carrier'), ('nobodys', "At the carrier, and nobody's here"), ('webhooks', 'Calls or messages are sent somewhere else'), ('overridden', 'Handled by an application, trunk or service at the carrier'), ('name', 'Another friendly name at the carrier'), ('capabilities', 'It can do something else than we say'), ('not_in_use', 'The carrier says it is not in use'), ('emergency', 'Its emergency address has changed at the carrier'), ('bundle', 'Its approved documents have changed at the carrier')], max_length=12),
        ),
    ]
