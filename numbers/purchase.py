"""Buying: intent committed, provider called with no transaction open, outcome committed.

Think of the process dying on each line. Before the first commit nothing has happened.
After it, a row says what was intended, and ``settle`` finds out what became of it.

Locks are always taken in the same order: the order, its line, the wallet.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from lib import e164 as formats
from lib.doorbell import ring
from lib.errors import Refusal
from numbers.compare import emergency_of
from numbers.models import Number, NumberOrder, OrderLine
from numbers.order_log import advance
from numbers.place import hung_up_after, place_order
from numbers.quote import Quote
from numbers.refusals import NumberJustTaken, refusal_for
from telephony import provider
from telephony.errors import NumberTaken, ProviderError, ProviderUnavailable
from telephony.values import NumberType, OwnedNumber
from telephony.webhook_urls import webhooks_for_numbers
from wallet import ledger
from wallet.models import Kind
from workspaces import audit
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)

# A request that the provider was too busy for was not carried out: it is made again at once.
BUSY_PAUSES = (0.2, 0.6)
State = OrderLine.State


def purchase_number(*, workspace: Workspace, by: User, quote: Quote) -> NumberOrder:
    """Order what was quoted and buy it; the same quote again returns the same order.

    Raises a ``Refusal`` when the order cannot be placed (money, price, taken): then nothing
    was called and nothing is kept. Of an order that is returned each line may be done,
    refused by the provider (its money is given back) or still being checked. Several numbers
    are bought by a worker, so that nobody waits for them.
    """
    order = place_order(workspace=workspace, by=by, quote=quote)
    begin(order)
    return order


def begin(order: NumberOrder) -> None:
    """Buy one line now; have a worker buy several."""
    from numbers.tasks import buy_order  # the task imports this module

    placed = list(order.lines.filter(state=State.PLACED))
    if len(placed) > 1:
        ring(buy_order, order.workspace_id, order.pk)
    else:
        buy_each(placed)


def buy_placed(order: NumberOrder) -> None:
    """Buy what nobody has begun to buy yet."""
    buy_each(order.lines.filter(state=State.PLACED))


def buy_each(lines: Iterable[OrderLine]) -> None:
    """The order stands: whatever fails, a sweep goes on."""
    for line in lines:
        try:
            buy_line(line)
        except Exception:  # whoever ordered must see their order, not an error page
            log.exception("order %s: buying was interrupted", line.order.reference)


def buy_line(line: OrderLine) -> None:
    """Ask the provider for it, once, and commit what it answered.

    Whoever moves the line to buying calls; anybody else finds it moved. Asking again for a
    line whose outcome is unknown is safe: for a number that we own by now the provider says
    yes and sells nothing.
    """
    unanswered = line.called_at
    now = timezone.now()
    if not advance(
        line, to=State.BUYING, cause="asked", called_at=now, calls=line.calls + 1,
        due_at=now + hung_up_after(),
        text="Asked the carrier again." if unanswered else "Asked the carrier for it.",
    ):  # fmt: skip
        return
    try:
        bought = _ask(line)
    except ProviderError as error:
        log.warning("order %s, %s: %s", line.order.reference, line.e164, error)
        if isinstance(error, ProviderUnavailable) and error.outcome_unknown:
            _check(line, "no_answer", "The carrier gave no clear answer.")
        else:
            _answered_no(line, error, unanswered)
    else:
        finish_line(line, bought, text="The carrier confirmed it.")


def _ask(line: OrderLine) -> OwnedNumber:
    for pause in (*BUSY_PAUSES, None):
        try:
            return provider.buy(
                e164=line.e164,
                friendly_name=formats.international(line.e164),
                webhooks=webhooks_for_numbers(line.capabilities),
                address_sid=settings.TWILIO_ADDRESS_SIDS.get(line.country, ""),
                bundle_sid=settings.TWILIO_BUNDLE_SIDS.get(
                    f"{line.country}:{line.number_type}", ""
                ),
            )
        except ProviderUnavailable as error:
            if error.http_status != 429 or pause is None:
                raise
            time.sleep(pause)
    raise AssertionError("the loop returns or raises")


def _answered_no(line: OrderLine, error: ProviderError, unanswered: datetime | None) -> None:
    """Refuse it, unless the no may be wrong: "taken" can also mean that it is ours already,
    and an earlier call without an answer may still be carried out.
    """
    if isinstance(error, NumberTaken):
        try:
            owned = provider.find(e164=line.e164)
        except ProviderError:
            _check(
                line, "taken_unsure", "The carrier says that it is taken. Looking whether by us."
            )
            return
        if owned is not None:
            finish_line(line, owned, text="The carrier has it among our numbers.")
            return
    if unanswered is not None and not is_quiet(unanswered):
        _check(
            line, "refused_unsure",
            "The carrier refused, but an earlier request may still go through.",
            called_at=unanswered, due_at=unanswered + quiet_time(),
        )  # fmt: skip
        return
    refuse_line(line, refusal_of(line, error))


def _check(line: OrderLine, cause: str, text: str, **facts: datetime) -> None:
    """The outcome is unknown: whoever comes next may look at once."""
    advance(line, to=State.CHECKING, cause=cause, text=text, **{"due_at": timezone.now(), **facts})


def finish_line(line: OrderLine, bought: OwnedNumber, *, text: str) -> None:
    """The number is ours: write it and capture the money, in one commit, once.

    A number that is a workspace's already is never handed to another one.
    """
    with transaction.atomic():
        line = locked_line(line)
        if line.state not in OrderLine.UNSETTLED:
            _bought_in_vain(line, bought)
            return
        if Number.objects.filter(
            Q(provider_sid=bought.sid) | Q(e164=line.e164, released_at=None)
        ).exists():
            log.error("order %s: %s has an owner here", line.order.reference, line.e164)
            _refuse(line, NumberJustTaken(line.e164))
            return
        _capture(line)
        number = _write_number(line, bought)
        _settle(line, to=State.DONE, cause="bought", text=text, number=number)
        audit.record(
            workspace=line.order.workspace, by=line.order.placed_by, action="number.bought",
            subject=number, text=f"Bought {number.international}",
            details={"order": line.order.reference, "price": str(line.monthly_price)},
        )  # fmt: skip


def locked_line(line: OrderLine) -> OrderLine:
    """The line as it is, while nobody else can settle a line of its order."""
    both = OrderLine.objects.select_related("order").select_for_update(
        no_key=True, of=("self", "order")
    )
    locked = both.get(pk=line.pk)
    locked.order = line.order  # what was read of it never changes
    return locked


def _capture(line: OrderLine) -> None:
    """Charge for it; with the last line of the order what is left of the hold is free again."""
    ledger.capture(
        hold=line.order.hold,
        amount=line.monthly_price,
        kind=Kind.PURCHASE,
        key=line.entry_key,
        text=f"{formats.international(line.e164)}, first month",
        reference=line.order.reference,
        final=_is_last(line),
    )


def _is_last(line: OrderLine) -> bool:
    return not line.order.lines.unsettled().exclude(pk=line.pk).exists()


def _write_number(line: OrderLine, bought: OwnedNumber) -> Number:
    now = timezone.now()
    is_connected = bought.webhooks == webhooks_for_numbers(bought.capabilities)
    return Number.objects.create(
        workspace_id=line.workspace_id, e164=line.e164, country=line.country,
        number_type=line.number_type, area_code=line.area_code, locality=line.locality,
        region=line.region, capabilities=sorted(bought.capabilities),
        address_requirement=line.address_requirement, monthly_price=line.monthly_price,
        provider_monthly_price=line.provider_monthly_price, currency=line.currency,
        friendly_name=bought.friendly_name, provider_sid=bought.sid,
        webhooks_set_at=now if is_connected else None, created_at=now,
        emergency_address_status=emergency_of(bought), bundle_sid=bought.bundle_sid,
    )  # fmt: skip  # the database begins its rent with it (docs/rent.md)


def _bought_in_vain(line: OrderLine, bought: OwnedNumber) -> None:
    """Somebody else has settled it. Where that was a refusal, the number is ours and nobody's."""
    if line.state == State.REFUSED and not Number.objects.filter(provider_sid=bought.sid).exists():
        log.error(
            "order %s was given up, and the provider carried it out after the quiet time: "
            "%s (%s) belongs to nobody", line.order.reference, line.e164, bought.sid,
        )  # fmt: skip
        audit.record(
            workspace=line.order.workspace, by=None, action="number.orphaned", subject=line.order,
            subject_id=line.order.reference, label=line.e164,
            text=f"{line.international} was bought after the order was given up",
            details={"provider_sid": bought.sid},
        )  # fmt: skip


def refuse_line(line: OrderLine, refusal: Refusal) -> None:
    """The number is not ours: give the money back and keep the cause, once.

    Nothing happens if somebody has asked the provider again, or settled it, in the meantime.
    """
    with transaction.atomic():
        locked = locked_line(line)
        if (locked.state, locked.called_at) == (line.state, line.called_at):
            _refuse(locked, refusal)


def _refuse(line: OrderLine, refusal: Refusal) -> None:
    if _is_last(line):
        ledger.void(hold=line.order.hold)
    _settle(
        line, to=State.REFUSED, cause=refusal.code, text=refusal.sentence,
        refusal_code=refusal.code, refusal_sentence=refusal.sentence,
    )  # fmt: skip
    audit.record(
        workspace=line.order.workspace, by=line.order.placed_by, action="order.refused",
        subject=line.order, subject_id=line.order.reference,
        text=f"{line.international} was not bought: {refusal.sentence}",
        details={"number": line.e164, "cause": refusal.code},
    )  # fmt: skip


def _settle(line: OrderLine, **move: Any) -> None:
    moved = advance(line, settled_at=timezone.now(), due_at=None, **move)
    assert moved, "the line is locked, so it is still as it was read"


def refusal_of(line: OrderLine, error: ProviderError) -> Refusal:
    return refusal_for(
        error, country=line.country, number_type=NumberType(line.number_type), e164=line.e164
    )


def quiet_time() -> timedelta:
    """After this long a call without an answer cannot be carried out any more."""
    return timedelta(seconds=settings.PURCHASE_QUIET_SECONDS)


def is_quiet(called_at: datetime) -> bool:
    return timezone.now() - called_at > quiet_time()
