
import django.db.models.deletion
import wallet.recharge_models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wallet', '0041_top_up_of_the_workspace'),
        ('workspaces', '0030_audit_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='topup',
            name='cause',
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name='topup',
            name='problem',
            field=models.CharField(blank=True, help_text='Why it failed.', max_length=300),
        ),
        migrations.CreateModel(
            name='SavedCard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(default=wallet.recharge_models.new_card_reference, editable=False, max_length=13, unique=True)),
                ('state', models.CharField(choices=[('open', 'Not saved yet'), ('saved', 'Saved'), ('expired', 'Expired'), ('detaching', 'Being removed'), ('removed', 'Removed')], default='open', max_length=9)),
                ('session_id', models.CharField(blank=True, max_length=255)),
                ('setup_url', models.CharField(blank=True, max_length=2000)),
                ('customer_id', models.CharField(blank=True, max_length=255)),
                ('payment_method_id', models.CharField(blank=True, max_length=255)),
                ('brand', models.CharField(blank=True, max_length=40)),
                ('last_four', models.CharField(blank=True, max_length=4)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(help_text='Until then the page at Stripe is open.')),
                ('asked_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='AutoRecharge',
            fields=[
                ('workspace', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='auto_recharge', serialize=False, to='workspaces.workspace')),
                ('is_on', models.BooleanField(default=False)),
                ('threshold', models.DecimalField(decimal_places=6, default=10, max_digits=18)),
                ('amount', models.DecimalField(decimal_places=6, default=25, max_digits=18)),
                ('monthly_cap', models.DecimalField(decimal_places=6, default=100, max_digits=18)),
                ('stopped_because', models.CharField(blank=True, max_length=300)),
                ('declined_at', models.DateTimeField(null=True)),
                ('card', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='wallet.savedcard')),
            ],
        ),
        migrations.AddField(
            model_name='topup',
            name='card',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='wallet.savedcard'),
        ),
        migrations.AddConstraint(
            model_name='topup',
            constraint=models.UniqueConstraint(condition=models.Q(('cause', ''), _negated=True), fields=('workspace', 'cause'), name='top_up_cause_once'),
        ),
        migrations.AddConstraint(
            model_name='topup',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('cause', ''), _negated=True), ('state__in', ['open', 'processing'])), fields=('workspace',), name='top_up_one_automatic_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='topup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('card__isnull', True), ('cause', '')), models.Q(models.Q(('cause', ''), _negated=True), ('by__isnull', True), ('card__isnull', False), ('session_id', '')), _connector='OR'), name='top_up_automatic_has_card'),
        ),
        migrations.AddIndex(
            model_name='savedcard',
            index=models.Index(condition=models.Q(('state__in', ['open', 'detaching'])), fields=['asked_at'], name='saved_card_unsettled'),
        ),
        migrations.AddConstraint(
            model_name='savedcard',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'expired']), models.Q(models.Q(('payment_method_id', ''), _negated=True), models.Q(('customer_id', ''), _negated=True)), _connector='OR'), name='saved_card_can_be_charged'),
        ),
        migrations.AddConstraint(
            model_name='savedcard',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'saved')), fields=('workspace',), name='saved_card_one_at_a_time'),
        ),
        migrations.AddIndex(
            model_name='autorecharge',
            index=models.Index(condition=models.Q(('is_on', True)), fields=['workspace'], name='auto_recharge_on'),
        ),
        migrations.AddConstraint(
            model_name='autorecharge',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('monthly_cap__gte', models.F('amount')), ('threshold__gte', 0)), name='auto_recharge_amounts_make_sense'),
        ),
        migrations.AddConstraint(
            model_name='autorecharge',
            constraint=models.CheckConstraint(condition=models.Q(('is_on', False), models.Q(('card__isnull', False), ('stopped_because', '')), _connector='OR'), name='auto_recharge_on_has_card'),
        ),
    ]
