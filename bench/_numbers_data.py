"""A million numbers, a hundred thousand of them in one workspace, in about a minute.

The big workspace's numbers lie scattered among all others, as they would after years of
everybody buying: every tenth row is its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from workspaces.models import Membership, User, Workspace
from workspaces.permissions import Role

# NUMBERS=50000 for a quick try; a tenth of them is in the big workspace.
TOTAL = int(os.environ.get("NUMBERS") or 1_000_000)
SMALL = 100

# Types, places and prices as a reseller's stock might have them. k runs through all of 0 to
# 9,999,999 in an order that looks random, so that nothing hangs together by accident; what
# does hang together is old: the country's prices, and the numbers that nobody uses.
# The columns that are computed are left to the database.
ROWS = """
WITH spread AS (
    SELECT n, n::bigint * 7919 %% 10000000 AS k FROM generate_series(%(first)s, %(last)s) AS n
), plain AS (
    SELECT n, k,
        CASE WHEN k %% 1000 < 800 THEN '+1' || 201 + k %% 400 * 2
            WHEN k %% 1000 < 900 THEN '+1' || (ARRAY['800','833','844','855'])[1 + k / 1000 %% 4]
            WHEN k %% 1000 < 950 THEN '+1' || (ARRAY['416','604','514'])[1 + k / 1000 %% 3]
            WHEN k %% 1000 < 990 THEN '+4420' ELSE '+4930' END AS prefix,
        CASE WHEN k %% 1000 < 900 THEN 'US' WHEN k %% 1000 < 950 THEN 'CA'
            WHEN k %% 1000 < 990 THEN 'GB' ELSE 'DE' END AS country,
        CASE WHEN k %% 1000 BETWEEN 800 AND 899 THEN 'toll_free'
            WHEN k %% 1000 >= 990 THEN 'mobile' ELSE 'local' END AS number_type
    FROM spread
)
INSERT INTO numbers_number (
    workspace_id, public_id, e164, country, number_type, area_code, locality, region,
    capabilities, address_requirement, monthly_price, provider_monthly_price, currency,
    friendly_name, notes, give_back_refusal, provider_sid, created_at,
    webhooks_set_at, deactivated_at, suspended_at, last_used_at, answered_by, used_by
)
SELECT
    CASE WHEN %(only)s > 0 THEN %(only)s
        WHEN (n + n / 1000) %% 10 = 0 THEN %(big)s ELSE %(others)s + k %% 90 END,
    'n' || lpad(to_hex(n), 11, '0'), prefix || lpad(k::text, 7, '0'), country, number_type,
    substr(prefix, 3, 3), CASE WHEN number_type = 'local' THEN 'City ' || k %% 300 ELSE '' END,
    CASE WHEN country IN ('US', 'CA') THEN 'NY' ELSE '' END,
    CASE WHEN country IN ('US', 'CA') THEN '{mms,sms,voice}' WHEN k %% 1000 = 999
        THEN '{fax,voice}' ELSE '{sms,voice}' END::varchar[],
    'none', CASE country WHEN 'DE' THEN 6 WHEN 'GB' THEN 4.20 ELSE 1.38 END + k %% 3, 1.15, 'USD',
    CASE WHEN k %% 5 < 3 THEN '(' || substr(prefix, 3, 3) || ') ' || k
        ELSE 'Brand ' || k %% 5000 || ' line' END,
    CASE WHEN k %% 10 = 3 THEN 'Printed on the flyer of ' || k %% 77 ELSE '' END, '',
    'PN1' || lpad(to_hex(n), 31, '0'),
    now() - interval '3 years' + n * interval '90 seconds',
    CASE WHEN k %% 997 > 0 THEN now() END,
    CASE WHEN k %% 53 = 0 THEN now() END, CASE WHEN k %% 211 = 0 THEN now() END,
    CASE WHEN k %% 5 > 0 AND n > %(last)s / 3 THEN now() - k %% 90 * interval '1 day' END,
    CASE k %% 3 WHEN 0 THEN '' WHEN 1 THEN 'voicemail' ELSE '+1 212-555-' || k %% 9000 END,
    CASE WHEN k %% 4 > 0 THEN '' ELSE 'campaign ' || k %% 700 END
FROM plain
"""


@dataclass(frozen=True, slots=True)
class Stock:
    big: Workspace
    small: Workspace
    person: User


def load() -> Stock:
    """Fill an empty database. The workspace ``small`` has a hundred numbers of the same kind."""
    big, small = (_workspace(slug) for slug in ("bench-big", "bench-small"))
    others = [Workspace(slug=f"bench-{i}", name=f"Other {i}") for i in range(90)]
    Workspace.objects.bulk_create(others)
    person = User.objects.create_user("bench@example.test", "not-for-signing-in")
    for workspace in (big, small):
        Membership.objects.create(workspace=workspace, user=person, role=Role.OWNER)
    ids = {"big": big.pk, "others": min(other.pk for other in others)}
    with _without_indexes(), connection.cursor() as cursor:
        cursor.execute(ROWS, {"first": 1, "last": TOTAL, "only": 0, **ids})
        cursor.execute(ROWS, {"first": TOTAL + 1, "last": TOTAL + SMALL, "only": small.pk, **ids})
        for workspace in (big, small):
            _tag(
                cursor, workspace, {"Old campaign": "n < 50", "Rare": "n = 7", "Even": "n %% 2 = 0"}
            )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Stock(big, small, person)


def _workspace(slug: str) -> Workspace:
    from wallet.models import Wallet

    workspace = Workspace.objects.create(slug=slug, name=slug, time_zone="America/New_York")
    Wallet.objects.create(workspace=workspace)
    return workspace


def _tag(cursor, workspace: Workspace, tags: dict[str, str]) -> None:
    """``n`` is the place of a number among the workspace's, in percent, oldest first."""
    for name, which in tags.items():
        cursor.execute(
            "WITH tag AS (INSERT INTO numbers_tag (workspace_id, name) VALUES (%s, %s) "
            "RETURNING id), placed AS (SELECT id, created_at, (row_number() OVER (ORDER BY id) "
            "* 100 / count(*) OVER ()) AS n FROM numbers_number WHERE workspace_id = %s) "
            "INSERT INTO numbers_tagging (workspace_id, tag_id, number_id, bought_at) "
            f"SELECT %s, tag.id, placed.id, created_at FROM placed, tag WHERE {which}",
            [workspace.pk, name, workspace.pk, workspace.pk],
        )


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Building an index once is ten times quicker than adding to it a million times."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = 'numbers_number'::regclass AND NOT EXISTS (SELECT 1 FROM "
            "pg_constraint WHERE conindid = indexrelid)"
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        try:
            yield
        finally:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for _name, definition in indexes:
                cursor.execute(definition)
