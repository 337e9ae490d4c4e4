"""Placing an order: who may, at what price, and the money held, in one commit. Calls nobody."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from lib import area_codes
from lib import e164 as formats
from lib.errors import Refusal
from numbers.limits import check_limits
from numbers.models import Number, NumberOrder, OrderLine, new_reference
from numbers.order_log import first_steps
from numbers.pricing import price_of
from numbers.quote import Quote, QuotedNumber
from numbers.refusals import (
    AlreadyYours,
    MayNotBuy,
    NumberJustTaken,
    PriceChanged,
    TooManyNumbers,
)
from wallet import ledger
from wallet.models import Wallet
from workspaces import audit
from workspaces.access import who_can_grant
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import NUMBERS_CREATE

MOST_NUMBERS = 20
UNDER_WAY = "order_line_number_under_way_once"


def place_order(
    *, workspace: Workspace, by: User, quote: Quote,
    with_it: Callable[[NumberOrder], object] = lambda order: None,
) -> NumberOrder:  # fmt: skip
    """Commit the intent and hold the money; the same quote again returns the same order.

    ``with_it`` is done in the same commit as a new order. Raises a ``Refusal`` when the
    answer is no (permission, price, taken, limits, money): then nothing is kept. All is
    looked up at this moment, whatever a page has shown.
    """
    try:
        quote = _at_current_prices(quote)
    except Refusal:
        order = placed_with(workspace, quote)
        if order is None:
            raise
        return order  # what it cost then is what was paid
    try:
        with transaction.atomic():
            return _write_order(workspace, by, quote, with_it)
    except IntegrityError as error:
        if _violated(error) != UNDER_WAY:
            raise
        # By another order, just now: which one of several it was shows when it is tried again.
        raise NumberJustTaken(*(one.number.e164 for one in quote.numbers)) from error


def placed_with(workspace: Workspace, quote: Quote) -> NumberOrder | None:
    return NumberOrder.objects.for_workspace(workspace).filter(key=quote.key).first()


def hung_up_after() -> timedelta:
    """How long after the start of a call nobody can be waiting for its answer any more."""
    return timedelta(seconds=1.2 * settings.TWILIO_TIMEOUT_SECONDS)


def repriced(quote: Quote) -> tuple[QuotedNumber, ...]:
    """The same numbers at what they cost now."""
    kinds = {(one.number.country, one.number.number_type) for one in quote.numbers}
    prices = {kind: price_of(*kind) for kind in kinds}
    return tuple(
        replace(one, price=prices[one.number.country, one.number.number_type])
        for one in quote.numbers
    )


def _at_current_prices(quote: Quote) -> Quote:
    """Raises ``PriceChanged`` where a number costs more than was shown; less is what will be
    paid.
    """
    quoted = repriced(quote)
    dearer = [
        (now.number.e164, shown.price, now.price)
        for shown, now in zip(quote.numbers, quoted, strict=True)
        if now.price.amount > shown.price.amount or now.price.currency != shown.price.currency
    ]
    if dearer:
        raise PriceChanged(dearer, of=len(quoted))
    return replace(quote, numbers=quoted)


def _write_order(
    workspace: Workspace, by: User, quote: Quote, with_it: Callable[[NumberOrder], object]
) -> NumberOrder:
    # One order of a workspace at a time: what is looked up below stays true until the commit.
    wallet = Wallet.objects.select_for_update(no_key=True).get(workspace=workspace)
    same = placed_with(workspace, quote)
    if same is not None:  # the same form, sent twice at once
        return same
    _guard(workspace, by, quote)
    now, reference = timezone.now(), new_reference()
    what = _told(quote.numbers)
    hold = ledger.hold(
        wallet=wallet, amount=quote.price.amount, currency=quote.price.currency,
        key=f"order:{reference}", text=f"Buying {what}", reference=reference,
    )  # fmt: skip
    order = NumberOrder.objects.create(
        workspace=workspace, reference=reference, key=quote.key, placed_by=by, hold=hold,
        currency=quote.price.currency, search=quote.search, placed_at=now,
    )  # fmt: skip
    lines = [_line(order, one, place, now) for place, one in enumerate(quote.numbers, 1)]
    # In one order everywhere, so that two orders for the same numbers cannot each wait for
    # the other.
    lines = OrderLine.objects.bulk_create(sorted(lines, key=lambda line: line.e164))
    first_steps(lines, at=now, text=f"Ordered by {by}.")
    _refuse_if_owned(workspace, [line.e164 for line in lines])
    audit.record(
        workspace=workspace, by=by, action="order.placed", subject=order, subject_id=reference,
        text=f"Ordered {what} for {quote.price} a month",
        details={"numbers": [line.e164 for line in lines], "price": str(quote.price.amount)},
    )  # fmt: skip
    with_it(order)
    return order


def _guard(workspace: Workspace, by: User, quote: Quote) -> None:
    membership = (
        Membership.objects.for_workspace(workspace).filter(user=by)
        .select_related("workspace__purchaselimits").first()
    )  # fmt: skip
    if membership is None or not membership.can(NUMBERS_CREATE):
        raise MayNotBuy(workspace, who_can_grant(workspace))
    if len(quote) > MOST_NUMBERS:
        raise TooManyNumbers(len(quote), most=MOST_NUMBERS)
    check_limits(
        workspace=membership.workspace, cost=quote.price.amount, numbers=len(quote),
        currency=quote.price.currency,
    )  # fmt: skip


def _told(quoted: Sequence[QuotedNumber]) -> str:
    if len(quoted) == 1:
        return formats.international(quoted[0].number.e164)
    return f"{len(quoted)} numbers"


def _line(order: NumberOrder, one: QuotedNumber, position: int, now: datetime) -> OrderLine:
    number, price = one.number, one.price
    return OrderLine(
        workspace=order.workspace, order=order, position=position, e164=number.e164,
        country=number.country, number_type=number.number_type,
        area_code=area_codes.code_of(number.e164, number.country),
        locality=number.locality, region=number.region,
        capabilities=sorted(number.capabilities), address_requirement=number.address_requirement,
        monthly_price=price.amount, provider_monthly_price=price.provider_amount,
        currency=price.currency, due_at=now + hung_up_after(),
    )  # fmt: skip


def _refuse_if_owned(workspace: Workspace, numbers: list[str]) -> None:
    """Asked after the lines have taken their place: an order for the same number that was
    under way until then has been seen through, and what it bought is seen here.
    """
    owned = Number.objects.owned().filter(e164__in=numbers).values_list("e164", "workspace_id")
    for e164, owner in owned:
        if owner == workspace.pk:
            raise AlreadyYours(e164, workspace)
        raise NumberJustTaken(e164)


def _violated(error: IntegrityError) -> str | None:
    """The name of the constraint, as the database tells it."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
