"""Who of support may look at a workspace through a member's eyes."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('workspaces', '0030_audit_words'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='membership',
            options={'permissions': [('act_as_member', 'Can look at a workspace as a member sees it')]},
        ),
    ]
