"""Lines move one way only, each move is logged, and the database holds it."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from numbers.models import OrderLine, OrderStep
from numbers.order_log import advance
from numbers.place import place_order
from numbers.purchase import buy_line, purchase_number, refuse_line
from numbers.refusals import GaveUp

pytestmark = pytest.mark.django_db(transaction=True)

State = OrderLine.State
ALLOWED = {
    ("placed", "buying"), ("placed", "refused"),
    ("buying", "done"), ("buying", "refused"), ("buying", "checking"),
    ("checking", "done"), ("checking", "refused"), ("checking", "buying"),
    ("done", "refunded"),
}  # fmt: skip


@pytest.fixture
def line(acme, owner, quote) -> OrderLine:
    return place_order(workspace=acme, by=owner, quote=quote).lines.get()


def bring(line: OrderLine, state: str) -> None:
    """By the moves that lead there."""
    if state == State.REFUSED:
        refuse_line(line, GaveUp(line.e164))
    elif state in (State.BUYING, State.CHECKING):
        now = timezone.now()
        advance(line, to=State.BUYING, cause="asked", text="Asked", called_at=now, calls=1)
        if state == State.CHECKING:
            advance(line, to=State.CHECKING, cause="no_answer", text="No answer")
    elif state in (State.DONE, State.REFUNDED):
        buy_line(line)
        line.refresh_from_db()
        if state == State.REFUNDED:
            advance(line, to=State.REFUNDED, cause="refunded", text="Refunded")


@pytest.mark.parametrize("before", State.values)
def test_every_move_but_the_allowed_ones_is_impossible(line, simulator, before):
    bring(line, before)
    line.refresh_from_db()
    assert line.state == before
    for after in set(State.values) - {before}:
        broken = ""
        try:
            with transaction.atomic():
                OrderLine.objects.filter(pk=line.pk).update(state=after)
        except IntegrityError as error:
            broken = error.__cause__.diag.constraint_name
        # An allowed move breaks other rules here: it lacks its facts and its step.
        assert (broken == "order_line_moves_forward") == ((before, after) not in ALLOWED), after
        assert broken, "nothing of this may have been committed"


def test_a_line_begins_as_placed(line):
    fields = {
        f.attname: getattr(line, f.attname) for f in line._meta.concrete_fields if f.attname != "id"
    }
    with pytest.raises(IntegrityError, match="begins as placed"), transaction.atomic():
        OrderLine.objects.create(
            **fields | {"state": "buying", "position": 2, "e164": "+12125550100"}
        )


@pytest.mark.parametrize(
    "change", ["monthly_price = 0.01", "e164 = '+12125550100'", "position = 7", "currency = 'EUR'"]
)
def test_what_was_ordered_never_changes(line, change):
    with (
        pytest.raises(IntegrityError, match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE numbers_orderline SET {change}")


def test_a_line_is_never_deleted(line):
    with (
        pytest.raises(IntegrityError, match="never deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM numbers_orderline")


def test_a_move_without_a_step_is_refused_at_the_commit(line):
    with pytest.raises(IntegrityError, match="without a step"), transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(state="buying", called_at=line.due_at)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE numbers_orderstep SET text = 'x'",
        "DELETE FROM numbers_orderstep",
        "TRUNCATE numbers_orderstep",
    ],
)
def test_the_log_cannot_be_changed_even_by_hand(line, statement):
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert OrderStep.objects.count() == 1


def test_the_log_tells_the_whole_story(acme, owner, quote, simulator):
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    steps = order.lines.get().steps.order_by("pk")
    assert [(step.from_state, step.to_state) for step in steps] == [
        ("", "placed"), ("placed", "buying"), ("buying", "done")
    ]  # fmt: skip
    assert [step.text for step in steps] == [
        "Ordered by Olivia.", "Asked the carrier for it.", "The carrier confirmed it.",
    ]  # fmt: skip
    assert all(step.workspace == acme for step in steps)


def test_a_line_that_has_moved_is_not_moved_again(line):
    stale = OrderLine.objects.get(pk=line.pk)
    assert advance(line, to=State.BUYING, cause="asked", text="Asked", called_at=line.due_at)
    assert not advance(stale, to=State.BUYING, cause="asked", text="Asked", called_at=line.due_at)
    assert line.steps.count() == 2
