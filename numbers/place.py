"""Placing an order: who may, at what price, and the money held, in one commit. Calls nobody."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from lib import area_codes
from lib import e164 as formats
from numbers.models import Number, NumberOrder, OrderLine, new_reference
from numbers.order_log import first_steps
from numbers.pricing import price_of
from numbers.quote import Quote
from numbers.refusals import AlreadyYours, NumberJustTaken, PriceChanged
from wallet import ledger
from wallet.models import Hold, Wallet
from workspaces import audit
from workspaces.models import User, Workspace

UNDER_WAY = "order_line_number_under_way_once"


def place_order(*, workspace: Workspace, by: User, quote: Quote) -> NumberOrder:
    """Commit the intent and hold the money; the same quote again returns the same order.

    Raises a ``Refusal`` when the answer is no (money, price, taken): then nothing is kept.
    """
    order = placed_with(workspace, quote)
    if order is not None:
        return order
    now = price_of(quote.number.country, quote.number.number_type)
    if now.amount != quote.price.amount or now.currency != quote.price.currency:
        raise PriceChanged(old=quote.price.amount, new=now.amount, currency=now.currency)
    try:
        with transaction.atomic():
            return _write_order(workspace, by, quote)
    except IntegrityError as error:
        if _violated(error) != UNDER_WAY:
            raise
        raise NumberJustTaken(quote.number.e164) from error  # by an order that is under way


def placed_with(workspace: Workspace, quote: Quote) -> NumberOrder | None:
    return NumberOrder.objects.for_workspace(workspace).filter(key=quote.key).first()


def hung_up_after() -> timedelta:
    """How long after the start of a call nobody can be waiting for its answer any more."""
    return timedelta(seconds=1.2 * settings.TWILIO_TIMEOUT_SECONDS)


def _write_order(workspace: Workspace, by: User, quote: Quote) -> NumberOrder:
    # One order of a workspace at a time: what is looked up below stays true until the commit.
    wallet = Wallet.objects.select_for_update(no_key=True).get(workspace=workspace)
    same = placed_with(workspace, quote)
    if same is not None:  # the same form, sent twice at once
        return same
    now = timezone.now()
    reference = new_reference()
    order = NumberOrder.objects.create(
        workspace=workspace, reference=reference, key=quote.key, placed_by=by,
        hold=_hold(wallet, quote, reference), currency=quote.price.currency,
        search=quote.search, placed_at=now,
    )  # fmt: skip
    lines = OrderLine.objects.bulk_create([_line(order, quote, now)])
    first_steps(lines, at=now, text=f"Ordered by {by}.")
    _refuse_if_owned(workspace, quote.number.e164)
    audit.record(
        workspace=workspace, by=by, action="order.placed", subject=order, subject_id=reference,
        text=f"Ordered {formats.international(quote.number.e164)} for {quote.price} a month",
        details={"numbers": [line.e164 for line in lines], "price": str(quote.price.amount)},
    )  # fmt: skip
    return order


def _hold(wallet: Wallet, quote: Quote, reference: str) -> Hold:
    return ledger.hold(
        wallet=wallet,
        amount=quote.price.amount,
        currency=quote.price.currency,
        key=f"order:{reference}",
        text=f"Buying {formats.international(quote.number.e164)}",
        reference=reference,
    )


def _line(order: NumberOrder, quote: Quote, now: datetime) -> OrderLine:
    number, price = quote.number, quote.price
    return OrderLine(
        workspace=order.workspace, order=order, position=1, e164=number.e164,
        country=number.country, number_type=number.number_type,
        area_code=area_codes.code_of(number.e164, number.country),
        locality=number.locality, region=number.region,
        capabilities=sorted(number.capabilities), address_requirement=number.address_requirement,
        monthly_price=price.amount, provider_monthly_price=price.provider_amount,
        currency=price.currency, due_at=now + hung_up_after(),
    )  # fmt: skip


def _refuse_if_owned(workspace: Workspace, e164: str) -> None:
    """Asked after the line has taken its place: an order for the same number that was under
    way until then has been seen through, and what it bought is seen here.
    """
    owner = Number.objects.owned().filter(e164=e164).first()
    if owner is not None:
        if owner.workspace_id == workspace.pk:
            raise AlreadyYours(e164, workspace)
        raise NumberJustTaken(e164)


def _violated(error: IntegrityError) -> str | None:
    """The name of the constraint, as the database tells it."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
