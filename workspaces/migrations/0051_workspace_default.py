"""While servers are replaced, old ones make workspaces without a colour: they get this one."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workspaces', '0050_act_as_member'),
    ]

    operations = [
        migrations.AlterField(
            model_name='workspace',
            name='colour',
            field=models.CharField(choices=[('teal', 'Teal'), ('blue', 'Blue'), ('violet', 'Violet'), ('rose', 'Rose'), ('amber', 'Amber'), ('green', 'Green'), ('slate', 'Slate')], db_default='teal', default='teal', max_length=8, verbose_name='logo colour'),
        ),
    ]
