"""The order of the numbers by their next payment.

Rent moves a million due dates in seconds because no index has to follow (``rent_models.py``).
The list cannot be sorted without one: so each owned number has a place of its own, indexed,
which follows its due date within a minute of a payment. What a page shows as the next payment
is the due date itself; only the order comes from here.
"""

from django.db import connection, transaction
from django.utils import timezone

AT_ONCE = 5000

# A place whose time has come is looked at until its number is paid. SKIP LOCKED: two processes
# share the work.
MOVE = """
WITH behind AS (
    SELECT place.number_id, due.due_at
    FROM numbers_paymentplace AS place
    JOIN numbers_rentdue AS due ON due.number_id = place.number_id
    WHERE place.due_at <= %s::timestamptz AND due.due_at <> place.due_at
    LIMIT %s FOR UPDATE OF place SKIP LOCKED
)
UPDATE numbers_paymentplace AS place SET due_at = behind.due_at
FROM behind WHERE place.number_id = behind.number_id
"""


def follow_payments() -> int:
    """Move the places of the numbers that were paid. Returns how many."""
    return _move(until=timezone.now().isoformat())


def follow_everything() -> int:
    """Also those whose due date moved in any other way, which nothing does by itself."""
    return _move(until="infinity")


def _move(*, until: str) -> int:
    moved = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(MOVE, [until, AT_ONCE])
            moved += cursor.rowcount
            if cursor.rowcount < AT_ONCE:
                return moved
