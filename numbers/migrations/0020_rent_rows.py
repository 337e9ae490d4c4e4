import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('numbers', '0013_asking_and_limits'),
        ('workspaces', '0003_audit_is_final'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RentDue',
            fields=[
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace')),
                ('number', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='rent', serialize=False, to='numbers.number')),
                ('bought_at', models.DateTimeField(help_text='Every month is counted from here.')),
                ('due_at', models.DateTimeField(help_text='The start of the next month to pay.')),
                ('overdue_since', models.DateTimeField(null=True)),
                ('next_period', models.IntegerField(help_text='0 was paid with the purchase.')),
                ('billed', models.BooleanField()),
                ('price', models.DecimalField(decimal_places=6, max_digits=18)),
                ('next_price', models.DecimalField(decimal_places=6, max_digits=18, null=True)),
                ('next_price_from', models.IntegerField(null=True)),
            ],
            options={
                'verbose_name_plural': 'rent due',
            },
        ),
        migrations.CreateModel(
            name='RentRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(choices=[('hourly', 'Every hour'), ('command', 'By hand'), ('funds', 'Money came in'), ('pay_now', 'Pay now'), ('staff', 'Support')], max_length=8)),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('workspace_slug', models.CharField(blank=True, help_text='Empty: every workspace.', max_length=40, verbose_name='workspace')),
                ('at', models.DateTimeField(help_text='What was due at this time.')),
                ('started_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField(help_text='The last sign of life.')),
                ('ended_at', models.DateTimeField(null=True)),
                ('wallets', models.IntegerField(default=0)),
                ('payments', models.IntegerField(default=0, help_text='Months paid, one number each.')),
                ('sums', models.JSONField(default=dict, help_text='By currency.')),
                ('left', models.IntegerField(default=0, help_text='Months that the money did not cover.')),
                ('left_sums', models.JSONField(default=dict, help_text='By currency.')),
                ('busy', models.IntegerField(default=0, help_text='Wallets that were locked: the next run.')),
                ('problems', models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name='RentLine',
            fields=[
                ('pk', models.CompositePrimaryKey('period', 'number_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('number_id', models.BigIntegerField()),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace')),
                ('run_id', models.BigIntegerField(null=True)),
                ('entry_seq', models.BigIntegerField(null=True)),
                ('charged_at', models.DateTimeField(help_text='The created_at of that entry.')),
                ('period', models.IntegerField()),
                ('amount', models.DecimalField(decimal_places=6, max_digits=18)),
                ('waived_because', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name='RentArrears',
            fields=[
                ('workspace', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='workspaces.workspace')),
                ('since', models.DateTimeField()),
                ('tried_at', models.DateTimeField(help_text='What was due then did not find its money.')),
                ('tried_version', models.BigIntegerField()),
            ],
            options={
                'verbose_name_plural': 'rent arrears',
            },
        ),
        migrations.CreateModel(
            name='RentStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace')),
                ('number', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rent_steps', to='numbers.number')),
                ('period', models.IntegerField()),
                ('step', models.CharField(choices=[('overdue', 'The payment is overdue'), ('remind_1', 'Calls and messages from it will stop'), ('outbound', 'Calls and messages from it have stopped'), ('remind_2', 'It will stop receiving'), ('inbound', 'It has stopped receiving'), ('remind_3', 'It will be released'), ('release', 'It is given back to the carrier'), ('restored', 'It works again'), ('paid', 'It is paid')], max_length=8)),
                ('day', models.IntegerField()),
                ('at', models.DateTimeField()),
                ('told_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RentGrace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace')),
                ('extra_days', models.PositiveSmallIntegerField()),
                ('reason', models.CharField(max_length=300)),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('granted_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name_plural': 'rent graces',
            },
        ),
        migrations.CreateModel(
            name='PriceChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='workspaces.workspace')),
                ('number', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='price_changes', to='numbers.number')),
                ('old_price', models.DecimalField(decimal_places=6, max_digits=18)),
                ('new_price', models.DecimalField(decimal_places=6, max_digits=18)),
                ('from_period', models.IntegerField()),
                ('starts_at', models.DateTimeField()),
                ('announced_at', models.DateTimeField()),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('told_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RentAccount',
            fields=[
            ],
            options={
                'verbose_name': 'rent account',
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('workspaces.workspace',),
        ),
        migrations.AddField(
            model_name='number',
            name='giving_back_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='number',
            name='give_back_tried_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='number',
            name='last_used_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(condition=models.Q(('outbound_stopped_at__isnull', False), ('suspended_at__isnull', False), _connector='OR'), fields=['workspace'], name='number_stopped_by_rent'),
        ),
        migrations.AddIndex(
            model_name='number',
            index=models.Index(condition=models.Q(('giving_back_at__isnull', False), ('released_at__isnull', True)), fields=['giving_back_at'], name='number_being_given_back'),
        ),
        migrations.AddIndex(
            model_name='pricechange',
            index=models.Index(fields=['workspace', 'number', '-announced_at'], name='price_change_of_number'),
        ),
        migrations.AddIndex(
            model_name='pricechange',
            index=models.Index(condition=models.Q(('told_at__isnull', True)), fields=['workspace'], name='price_change_untold'),
        ),
        migrations.AddIndex(
            model_name='rentdue',
            index=models.Index(fields=['workspace'], name='rent_due_by_workspace'),
        ),
        migrations.AddIndex(
            model_name='rentrun',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['id'], name='rent_run_open'),
        ),
        migrations.AddIndex(
            model_name='rentstep',
            index=models.Index(condition=models.Q(('told_at__isnull', True)), fields=['workspace'], name='rent_step_untold'),
        ),
        migrations.AddConstraint(
            model_name='number',
            constraint=models.CheckConstraint(condition=models.Q(('giving_back_at__isnull', True), ('parked_at__isnull', False), ('suspended_at__isnull', False), ('vanished_at__isnull', False), _connector='OR'), name='number_given_back_when_inactive'),
        ),
        migrations.AddConstraint(
            model_name='rentdue',
            constraint=models.CheckConstraint(condition=models.Q(('next_period__gt', 0)), name='rent_due_period_positive'),
        ),
        migrations.AddConstraint(
            model_name='rentdue',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='rent_due_price_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='rentdue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('next_price__isnull', True), ('next_price_from__isnull', True)), models.Q(('next_price__gte', 0), ('next_price_from__gte', models.F('next_period'))), _connector='OR'), name='rent_due_next_price_has_period'),
        ),
        migrations.AddConstraint(
            model_name='rentgrace',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('workspace',), name='rent_grace_one_open'),
        ),
        migrations.AddConstraint(
            model_name='rentgrace',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='rent_grace_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='rentgrace',
            constraint=models.CheckConstraint(condition=models.Q(('extra_days__gte', 1), ('extra_days__lte', 365)), name='rent_grace_days_in_range'),
        ),
        migrations.AddConstraint(
            model_name='rentline',
            constraint=models.CheckConstraint(condition=models.Q(('period__gt', 0)), name='rent_line_period_positive'),
        ),
        migrations.AddConstraint(
            model_name='rentline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('entry_seq__isnull', False)), models.Q(('amount', 0), ('entry_seq__isnull', True)), _connector='OR'), name='rent_line_money_has_entry'),
        ),
        migrations.AddConstraint(
            model_name='rentline',
            constraint=models.CheckConstraint(condition=models.Q(('waived_because', ''), ('amount', 0), _connector='OR'), name='rent_line_waived_costs_nothing'),
        ),
        migrations.AddConstraint(
            model_name='rentstep',
            constraint=models.UniqueConstraint(fields=('workspace', 'number', 'period', 'step', 'day'), name='rent_step_once'),
        ),
    ]
