"""When each number was last used, for the list, the advice on costs and the release page.

Kept on the number, because the list is sorted by it. A call or message does not write it
itself: twenty indexes would have to follow while a caller waits. It follows within a minute.
"""

from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from numbers.number_indexes import NEVER

AT_ONCE = 5000
# A look goes back this far beyond the last one: what was committed late, or locked, is in the
# next ones too.
OVERLAP = timedelta(minutes=5)
LAST_LOOK = "interactions:last-use-noted-until"
KEEP_SECONDS = 30 * 86400

# Workspace by workspace along the index that the inbox has; there is none over all of them.
NOTE = """
WITH behind AS (
    SELECT number.id, used.at
    FROM workspaces_workspace AS workspace
    CROSS JOIN LATERAL (
        SELECT number_id, max(last_at) AS at FROM interactions_conversation
        WHERE workspace_id = workspace.id AND last_at >= %s GROUP BY number_id
    ) AS used
    JOIN numbers_number AS number ON number.id = used.number_id
    WHERE number.last_used_at IS NULL OR number.last_used_at < used.at
    LIMIT %s FOR NO KEY UPDATE OF number SKIP LOCKED
)
UPDATE numbers_number AS number SET last_used_at = behind.at
FROM behind WHERE number.id = behind.id
"""


def note_last_use() -> int:
    """Bring ``last_used_at`` up to date. Returns how many numbers were used since.

    Where it is not known how far the last look came, everything is looked at.
    """
    now = timezone.now()
    known = cache.get(LAST_LOOK)
    noted = _note(since=known - OVERLAP if known else NEVER)
    cache.set(LAST_LOOK, now, KEEP_SECONDS)
    return noted


def _note(*, since: datetime) -> int:
    noted = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(NOTE, [since, AT_ONCE])
            noted += cursor.rowcount
            if cursor.rowcount < AT_ONCE:
                return noted
