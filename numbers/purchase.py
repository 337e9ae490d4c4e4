"""Buying: intent committed, provider called with no transaction open, outcome committed.

Think of the process dying on each line. Before the first commit nothing has happened.
After it, a row says what was intended, and ``settle`` finds out what became of it.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from lib import area_codes
from lib import e164 as formats
from lib.errors import Refusal
from numbers.models import Number, NumberOrder, OrderLine, new_reference
from numbers.pricing import price_of
from numbers.quote import Quote
from numbers.refusals import AlreadyYours, NumberJustTaken, PriceChanged, refusal_for
from numbers.rent_periods import period_start
from telephony import provider
from telephony.errors import NumberTaken, ProviderError, ProviderUnavailable
from telephony.values import NumberType, OwnedNumber
from telephony.webhook_urls import webhooks_for_numbers
from wallet import ledger
from wallet.models import Kind, Wallet
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)


def purchase_number(*, workspace: Workspace, by: User, quote: Quote) -> NumberOrder:
    """Order the quoted number and buy it; the same quote again returns the same order.

    Raises a ``Refusal`` when the order cannot be placed (money, price, taken): then nothing
    was called and nothing is kept. An order that is returned may be done, refused by the
    provider (its hold is given back) or still being checked.
    """
    order = NumberOrder.objects.for_workspace(workspace).filter(key=quote.key).first()
    if order is None:
        order = place_order(workspace=workspace, by=by, quote=quote)
    for line in order.lines.filter(state=OrderLine.State.PLACED):
        buy_line(line)
    return order


def place_order(*, workspace: Workspace, by: User, quote: Quote) -> NumberOrder:
    """Commit the intent and hold the money. Calls nobody."""
    number, price = quote.number, quote.price
    now = price_of(number.country, number.number_type)
    if now.amount != price.amount or now.currency != price.currency:
        raise PriceChanged(old=price.amount, new=now.amount, currency=now.currency)
    try:
        with transaction.atomic():
            return _write_order(workspace, by, quote)
    except IntegrityError as error:
        order = NumberOrder.objects.for_workspace(workspace).filter(key=quote.key).first()
        if order is not None:  # the same form, sent twice at once
            return order
        raise NumberJustTaken(number.e164) from error  # another order for it is under way


def _write_order(workspace: Workspace, by: User, quote: Quote) -> NumberOrder:
    number, price = quote.number, quote.price
    owner = Number.objects.owned().filter(e164=number.e164).first()
    if owner is not None:
        if owner.workspace_id == workspace.pk:
            raise AlreadyYours(number.e164, workspace)
        raise NumberJustTaken(number.e164)
    reference = new_reference()
    hold = ledger.hold(
        wallet=Wallet.objects.get(workspace=workspace),
        amount=price.amount,
        currency=price.currency,
        key=f"order:{reference}",
        text=f"Buying {formats.international(number.e164)}",
        reference=reference,
    )
    order = NumberOrder.objects.create(
        workspace=workspace, reference=reference, key=quote.key, placed_by=by, hold=hold,
        currency=price.currency, search=quote.search, placed_at=timezone.now(),
    )  # fmt: skip
    OrderLine.objects.create(
        workspace=workspace, order=order, position=1, e164=number.e164, country=number.country,
        number_type=number.number_type, area_code=area_codes.code_of(number.e164, number.country),
        locality=number.locality, region=number.region,
        capabilities=sorted(number.capabilities), address_requirement=number.address_requirement,
        monthly_price=price.amount, provider_monthly_price=price.provider_amount,
        currency=price.currency,
    )  # fmt: skip
    return order


def buy_line(line: OrderLine) -> None:
    """Call the provider for a placed line, once, and commit what it answered.

    Whoever moves the line from placed to buying calls; anybody else finds it moved.
    """
    claimed = OrderLine.objects.filter(pk=line.pk, state=OrderLine.State.PLACED).update(
        state=OrderLine.State.BUYING, called_at=timezone.now()
    )
    if not claimed:
        return
    try:
        bought = provider.buy(
            e164=line.e164,
            friendly_name=formats.international(line.e164),
            webhooks=webhooks_for_numbers(line.capabilities),
            address_sid=settings.TWILIO_ADDRESS_SIDS.get(line.country, ""),
            bundle_sid=settings.TWILIO_BUNDLE_SIDS.get(f"{line.country}:{line.number_type}", ""),
        )
    except ProviderUnavailable as error:
        if error.outcome_unknown:
            log.warning("order %s: outcome unknown: %s", line.order.reference, error)
            _move(line, to=OrderLine.State.CHECKING)
        else:
            refuse_line(line, refusal_of(line, error))
    except ProviderError as error:
        _answered_no(line, error)
    else:
        finish_line(line, bought)


def settle_line(line: OrderLine) -> None:
    """Find out what became of a line whose outcome is unknown, and commit it.

    There: adopt it. Not there: give it up, but only after the quiet time, since a purchase
    may still be carried out after its caller has hung up. Raises ``ProviderError`` when the
    provider does not answer; the line stays as it was.
    """
    if line.state == OrderLine.State.PLACED:
        buy_line(line)
        return
    bought = provider.find(e164=line.e164)
    if bought is not None:
        finish_line(line, bought)
    elif _is_quiet(line):
        refuse_line(line, NumberJustTaken(line.e164))


def finish_line(line: OrderLine, bought: OwnedNumber) -> None:
    """The number is ours: write it, capture the money, in one commit, once."""
    now = timezone.now()
    webhooks_set = bought.webhooks == webhooks_for_numbers(bought.capabilities)
    with transaction.atomic():
        line = OrderLine.objects.select_for_update().get(pk=line.pk)
        if line.state not in OrderLine.UNSETTLED:
            return
        number = Number.objects.create(
            workspace_id=line.workspace_id, e164=line.e164, country=line.country,
            number_type=line.number_type, area_code=line.area_code, locality=line.locality,
            region=line.region, capabilities=sorted(bought.capabilities),
            address_requirement=line.address_requirement, monthly_price=line.monthly_price,
            provider_monthly_price=line.provider_monthly_price, currency=line.currency,
            friendly_name=bought.friendly_name, provider_sid=bought.sid,
            webhooks_set_at=now if webhooks_set else None,
            created_at=now, paid_until=period_start(now, 1),
        )  # fmt: skip
        ledger.capture(
            hold=line.order.hold,
            amount=line.monthly_price,
            kind=Kind.PURCHASE,
            key=line.entry_key,
            text=f"{formats.international(line.e164)}, first month",
            reference=line.order.reference,
        )
        line.state, line.number, line.settled_at = OrderLine.State.DONE, number, now
        line.save(update_fields=["state", "number", "settled_at"])


def refuse_line(line: OrderLine, refusal: Refusal) -> None:
    """The number is not ours: give the money back and keep the cause, once."""
    with transaction.atomic():
        line = OrderLine.objects.select_for_update().get(pk=line.pk)
        if line.state not in OrderLine.UNSETTLED:
            return
        ledger.void(hold=line.order.hold)
        line.state, line.settled_at = OrderLine.State.REFUSED, timezone.now()
        line.refusal_code, line.refusal_sentence = refusal.code, refusal.sentence
        line.save(update_fields=["state", "settled_at", "refusal_code", "refusal_sentence"])
    log.info("order %s refused: %s", line.order.reference, refusal.code)


def refusal_of(line: OrderLine, error: ProviderError) -> Refusal:
    return refusal_for(
        error, country=line.country, number_type=NumberType(line.number_type), e164=line.e164
    )


def _answered_no(line: OrderLine, error: ProviderError) -> None:
    log.info("order %s: the provider refused: %s", line.order.reference, error)
    if isinstance(error, NumberTaken):
        # "Taken" can also mean that it is ours already: look before believing it.
        try:
            owned = provider.find(e164=line.e164)
        except ProviderError:
            _move(line, to=OrderLine.State.CHECKING)
            return
        if owned is not None:
            finish_line(line, owned)
            return
    refuse_line(line, refusal_of(line, error))


def _move(line: OrderLine, *, to: OrderLine.State) -> None:
    OrderLine.objects.filter(pk=line.pk, state=OrderLine.State.BUYING).update(state=to)


def _is_quiet(line: OrderLine) -> bool:
    quiet = timedelta(seconds=settings.PURCHASE_QUIET_SECONDS)
    return line.called_at is not None and timezone.now() - line.called_at > quiet
