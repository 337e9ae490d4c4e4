"""Picture messages that come in are priced by the type of number: the rates of the countries
that have them are asked for again soon, and those without a type are gone then.
"""

from django.db import migrations

STALE = """
UPDATE interactions_usagerate SET refreshed_at = '2000-01-01'
    WHERE country IN (SELECT country FROM interactions_usagerate WHERE kind = 'mms_in');
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0081_promised_until_paid")]

    operations = [migrations.RunSQL(STALE, migrations.RunSQL.noop)]
