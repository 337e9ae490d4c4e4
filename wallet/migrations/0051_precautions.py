
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wallet', '0050_automatic_recharge'),
        ('workspaces', '0030_audit_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='Precautions',
            fields=[
                ('workspace', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='precautions', serialize=False, to='workspaces.workspace')),
                ('alert_below', models.DecimalField(decimal_places=6, help_text='Empty: no alert.', max_digits=18, null=True)),
                ('low_since', models.DateTimeField(null=True)),
                ('crossings', models.PositiveIntegerField(default=0)),
                ('keep_days', models.PositiveSmallIntegerField(default=0, help_text='So many days of rent ahead stay out of reach of outbound use.')),
            ],
            options={
                'verbose_name_plural': 'precautions',
                'indexes': [models.Index(condition=models.Q(('alert_below__isnull', False)), fields=['workspace'], name='precautions_with_alert')],
                'constraints': [models.CheckConstraint(condition=models.Q(('alert_below__isnull', True), ('alert_below__gte', 0), _connector='OR'), name='precautions_alert_not_negative'), models.CheckConstraint(condition=models.Q(('keep_days__lte', 90)), name='precautions_days_in_range'), models.CheckConstraint(condition=models.Q(('low_since__isnull', True), ('alert_below__isnull', False), _connector='OR'), name='precautions_low_has_alert')],
            },
        ),
    ]
