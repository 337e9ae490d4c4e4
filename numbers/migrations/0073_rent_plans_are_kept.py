"""The statements that take rent keep their plan, and several can make one charge.

What they are given are arrays, for which PostgreSQL made a plan anew each time, hoping for a
better one: with small statements that was a fifth of the run. The plan is always the same,
from the listed rows to the index.

The lines of one entry have its time. Who takes a group's numbers in several statements tells
the later ones what the first one took; a process of the release before tells nothing.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("numbers.migrations.0021_rent_functions")

OLD = """
DROP FUNCTION numbers_rent_take_covered(bigint, timestamptz, bigint[], bigint[]);
DROP FUNCTION numbers_rent_take_listed(
    bigint, timestamptz, bigint[], bigint[], numeric[], bigint[], integer[]);
"""
NEW = OLD.replace("bigint[]);", "bigint[], timestamptz);").replace(
    "integer[]);", "integer[], timestamptz);"
)
TAKE = (
    (BEFORE.TAKE_COVERED + BEFORE.TAKE_LISTED)
    .replace("p_seqs bigint[]\n)", "p_seqs bigint[],\n    p_at timestamptz DEFAULT NULL\n)")
    .replace("p_periods int[]\n)", "p_periods int[],\n    p_at timestamptz DEFAULT NULL\n)")
    .replace(":= clock_timestamp()", ":= coalesce(p_at, clock_timestamp())")
    .replace(
        "LANGUAGE plpgsql AS", "LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS"
    )
)


class Migration(migrations.Migration):
    dependencies = [("numbers", "0072_account")]

    operations = [
        migrations.RunSQL(OLD + TAKE, NEW + BEFORE.TAKE_COVERED + BEFORE.TAKE_LISTED)
    ]
