"""Several at once: one order and one hold, each number bought and charged on its own."""

from decimal import Decimal
from itertools import cycle, permutations, product

import pytest
import time_machine
from django.utils import timezone

from numbers import settle, tasks
from numbers.models import CountryOffer, NumberOrder, OrderLine
from numbers.order_log import advance
from numbers.place import place_order
from numbers.purchase import buy_line, purchase_number, refuse_line
from numbers.quote import quote_of
from numbers.refusals import AlreadyYours, GaveUp, NumberJustTaken, PriceChanged
from numbers.tests.at_once import at_once
from wallet import ledger
from wallet.models import Entry, Hold, Kind, Wallet

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY = Decimal(50)
PRICE = Decimal("1.38")
State = OrderLine.State


def states(order: NumberOrder) -> list[str]:
    return [line.state for line in order.lines.order_by("position")]


def test_three_numbers_are_one_order_one_hold_and_three_charges(
    acme, owner, quoted, money, simulator
):
    order = purchase_number(workspace=acme, by=owner, quote=quoted(3))
    assert states(order) == [State.DONE] * 3
    assert Hold.objects.get().captured == 3 * PRICE
    assert Hold.objects.get().ended_at is not None
    assert [e.amount for e in Entry.objects.filter(kind=Kind.PURCHASE)] == [-PRICE] * 3
    assert money(acme) == (FIFTY - 3 * PRICE, 0)
    assert len(simulator.owned()) == 3


def test_the_lines_stand_in_the_order_of_the_page(acme, owner, quoted):
    quote = quoted(4)
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    assert [line.e164 for line in order.lines.order_by("position")] == [
        one.number.e164 for one in quote.numbers
    ]


def test_one_that_is_taken_leaves_the_others(acme, owner, quoted, money, simulator):
    simulator.fault("taken", method="POST", path_contains="IncomingPhoneNumbers")
    order = purchase_number(workspace=acme, by=owner, quote=quoted(3))
    assert sorted(states(order)) == [State.DONE, State.DONE, State.REFUSED]
    assert money(acme) == (FIFTY - 2 * PRICE, 0)
    hold = Hold.objects.get()
    assert (hold.captured, hold.released) == (2 * PRICE, PRICE)


def test_one_without_an_answer_keeps_the_hold_open_until_it_is_settled(
    acme, owner, quoted, money, simulator
):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    order = purchase_number(workspace=acme, by=owner, quote=quoted(3))
    assert sorted(states(order)) == [State.CHECKING, State.DONE, State.DONE]
    assert money(acme) == (FIFTY - 2 * PRICE, PRICE)
    settle.settle_due()
    assert states(order) == [State.DONE] * 3
    assert money(acme) == (FIFTY - 3 * PRICE, 0)


@pytest.fixture
def ways_it_can_go(acme, owner, offers, simulator):
    """Settle three lines, each in its own way, in the given order."""

    def go(outcomes: tuple[str, ...], turn: tuple[int, ...]) -> Hold:
        simulator.app.state.reset()
        quote = quote_of(offers[:3], "")
        order = place_order(workspace=acme, by=owner, quote=quote)
        lines = list(order.lines.order_by("position"))
        for place in turn:
            assert Hold.objects.get(pk=order.hold_id).ended_at is None
            if outcomes[place] == "bought":
                buy_line(lines[place])
            else:
                refuse_line(lines[place], GaveUp(lines[place].e164))
        return Hold.objects.get(pk=order.hold_id)

    return go


WAYS = list(
    zip(product(["bought", "refused"], repeat=3), cycle(permutations(range(3))), strict=False)
)


@pytest.mark.parametrize(("outcomes", "turn"), WAYS)
def test_the_hold_ends_with_the_last_line_however_it_goes(
    acme, ways_it_can_go, money, outcomes, turn
):
    bought = outcomes.count("bought")
    hold = ways_it_can_go(outcomes, turn)
    assert hold.ended_at is not None
    assert (hold.captured, hold.released) == (bought * PRICE, (3 - bought) * PRICE)
    assert money(acme) == (FIFTY - bought * PRICE, 0)


def test_a_worker_that_dies_in_between_is_followed_by_the_sweep(
    acme, owner, quoted, money, simulator
):
    order = place_order(workspace=acme, by=owner, quote=quoted(3))
    lines = list(order.lines.order_by("position"))
    buy_line(lines[0])
    advance(lines[1], to=State.BUYING, cause="asked", text="Asked", called_at=timezone.now(),
            calls=1)  # fmt: skip
    # here it dies: one done, one begun, one untouched
    with time_machine.travel(timezone.now() + settle.hung_up_after() * 2):
        settle.settle_due()
    assert states(order) == [State.DONE] * 3
    assert money(acme) == (FIFTY - 3 * PRICE, 0)
    assert len(simulator.owned()) == 3


def test_two_workers_with_one_order_buy_each_number_once(acme, owner, quoted, money, simulator):
    order = place_order(workspace=acme, by=owner, quote=quoted(4))
    at_once(*[lambda: tasks.buy_order(acme.pk, order.pk)] * 3)
    assert states(order) == [State.DONE] * 4
    assert money(acme) == (FIFTY - 4 * PRICE, 0)
    asked = [r for r in simulator.requests if r["method"] == "POST"]
    assert len(asked) == 4


def test_a_number_that_became_ours_meanwhile_refuses_the_whole_order(acme, owner, offers, money):
    purchase_number(workspace=acme, by=owner, quote=quote_of(offers[:1], ""))
    with pytest.raises(AlreadyYours):
        purchase_number(workspace=acme, by=owner, quote=quote_of(offers[:3], ""))
    assert money(acme) == (FIFTY - PRICE, 0)


def test_orders_that_overlap_cannot_both_be_placed_nor_wait_for_each_other(
    acme, owner, globex, outsider, offers, money
):
    forth, back = quote_of(offers[:2], ""), quote_of(offers[1::-1], "")
    ledger.credit(wallet=Wallet.objects.get(workspace=globex), amount=FIFTY, contra="bank",
                  key="more", text="Funds")  # fmt: skip
    results = at_once(
        lambda: place_order(workspace=acme, by=owner, quote=forth),
        lambda: place_order(workspace=globex, by=outsider, quote=back),
    )
    assert sorted(type(result).__name__ for result in results) == ["NumberJustTaken", "NumberOrder"]


def test_a_number_of_another_order_names_both(acme, owner, globex, outsider, offers):
    place_order(workspace=acme, by=owner, quote=quote_of(offers[:1], ""))
    with pytest.raises(NumberJustTaken, match="is not any more"):
        place_order(workspace=globex, by=outsider, quote=quote_of(offers[:1], ""))


def test_dearer_ones_are_named(acme, owner, quoted):
    quote = quoted(3)
    CountryOffer.objects.filter(country="US", number_type="local").update(
        provider_price=Decimal("1.25")
    )
    with pytest.raises(PriceChanged, match=r"was \$1\.38 .* is \$1\.50 now, and 2 more changed"):
        place_order(workspace=acme, by=owner, quote=quote)
