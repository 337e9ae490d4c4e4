import pytest
from django.db import DataError, connection, transaction

from lib import prepared

SQUARE = "SELECT %s::int * %s::int"


def test_what_wraps_djangos_statements_wraps_it_and_may_ask_between(db):
    seen = []

    def look(execute, sql, params, many, context):
        seen.append(sql)
        rows = execute(sql, params, many, context)
        if sql == SQUARE:
            prepared.fetch("SELECT 'another'", [])
        return rows

    with connection.execute_wrapper(look):
        assert prepared.fetch(SQUARE, [3, 4]) == [(12,)]
    assert seen == [SQUARE, "SELECT 'another'"]


def test_what_counts_djangos_statements_counts_it(db, django_assert_num_queries):
    with django_assert_num_queries(1) as seen:
        prepared.fetch(SQUARE, [3, 4])
    assert seen.captured_queries[0]["sql"] == SQUARE


def test_after_an_error_the_next_one_is_answered(db):
    with pytest.raises(DataError), transaction.atomic():
        prepared.fetch("SELECT 1 / %s::int", [0])
    assert prepared.fetch(SQUARE, [3, 5]) == [(15,)]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_has_a_cursor_of_its_own():
    [before] = prepared.fetch("SELECT pg_backend_pid()", [])
    connection.close()
    [after] = prepared.fetch("SELECT pg_backend_pid()", [])
    assert before != after
