"""Statements that run so often that parsing them again would cost as much as what they do."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorDebugWrapper
from psycopg import Cursor


def fetch(query: str, arguments: Sequence[Any]) -> list[tuple]:
    """All rows of a statement that the server keeps prepared for this connection.

    By the driver itself: Django's cursor binds on our side, so the server would parse a new
    text each time, and its layers cost as much as a debit. In a transaction of Django's it is
    a part of it, errors are Django's, and what wraps, logs or counts Django's statements does
    so with it too.
    ``query`` is one of few texts, with ``%s`` for each argument.
    """
    database = connections[DEFAULT_DB_ALIAS]  # the proxy would look for it at every use
    database.close_if_health_check_failed()
    database.ensure_connection()
    cursor = _cursor_of(database.connection)
    execute = _execute
    for wrapper in reversed(database.execute_wrappers):
        execute = partial(wrapper, execute)
    with database.wrap_database_errors:
        return execute(query, arguments, False, {"connection": database, "cursor": cursor})


def _cursor_of(connection: Any) -> Cursor:
    """The one that this connection keeps for us: making one costs a fifth of a round trip.

    Nobody else reads from it, and what it brings is taken off it at once.
    """
    kept = connection.__dict__.get("numbers_prepared")
    if kept is None:
        kept = connection.numbers_prepared = Cursor(connection)
    return kept


def _execute(
    query: str, arguments: Sequence[Any], many: bool, context: dict[str, Any]
) -> list[tuple]:
    cursor, database = context["cursor"], context["connection"]
    if database.queries_logged:
        with CursorDebugWrapper(cursor, database).debug_sql(query, arguments):
            cursor.execute(query, arguments, prepare=True, binary=True)
    else:
        cursor.execute(query, arguments, prepare=True, binary=True)
    return cursor.fetchall()
