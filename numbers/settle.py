"""Sweeps: what somebody began and did not finish, whoever died."""

import logging
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from numbers.models import Number, NumberOrder, OrderLine
from numbers.order_log import advance
from numbers.place import hung_up_after
from numbers.purchase import buy_line, finish_line, is_quiet, quiet_time, refuse_line
from numbers.quote import GOOD_FOR_SECONDS
from numbers.refusals import GaveUp, NotAskedInTime
from telephony import provider
from telephony.errors import NotConfigured, ProviderError, ProviderUnavailable
from telephony.webhook_urls import webhooks_for_numbers

log = logging.getLogger(__name__)

AT_MOST = 100
# How often one number is asked for before the order is given up.
MOST_CALLS = 3
LOOK_AGAIN = timedelta(seconds=5)
State = OrderLine.State


def due_lines(order: NumberOrder | None = None) -> QuerySet[OrderLine]:
    """Unsettled lines that anybody may take now, longest waiting first.

    A line is left alone as long as the process that called for it may still be waiting for
    the answer; after that, nobody but a sweep will ever touch it.
    """
    lines = OrderLine.objects.unsettled().filter(due_at__lte=timezone.now())
    if order is not None:
        lines = lines.filter(order=order)
    lines = lines.select_related("order__workspace", "order__hold", "order__placed_by")
    return lines.order_by("due_at", "pk")


def settle_due(order: NumberOrder | None = None) -> None:
    """Settle what is due, each line on its own: one that fails does not stop the others.

    Only a provider that answers nobody stops the round; the next one begins with the rest.
    """
    for line in due_lines(order)[:AT_MOST]:
        if not take(line):
            continue
        try:
            settle_line(line)
        except (ProviderUnavailable, NotConfigured) as error:
            log.warning("order %s stays unsettled, as do others: %s", line.order.reference, error)
            return
        except ProviderError as error:
            log.warning("order %s stays unsettled: %s", line.order.reference, error)
        except Exception:  # the sweep's outermost edge: the next line is someone else's money
            log.exception("order %s could not be settled", line.order.reference)


def take(line: OrderLine) -> bool:
    """Have the line to ourselves for as long as a call may take; whoever dies leaves it due."""
    until = timezone.now() + hung_up_after()
    taken = OrderLine.objects.filter(pk=line.pk, state=line.state, due_at=line.due_at).update(
        due_at=until
    )
    line.due_at = until
    return bool(taken)


def settle_line(line: OrderLine) -> None:
    """Find out what became of a line, and commit it.

    There: adopt it. Not there: ask again, since asking twice for the same number cannot buy
    it twice. Given up only after the quiet time, since a purchase may still be carried out
    after its caller has hung up. Raises ``ProviderError`` when the provider does not answer;
    the line stays as it was.
    """
    if line.state == State.PLACED:
        if _too_late(line):
            refuse_line(line, NotAskedInTime(line.e164))
        else:
            buy_line(line)
        return
    if line.state == State.BUYING and not advance(
        line, to=State.CHECKING, cause="caller_gone",
        text="Whoever asked the carrier was interrupted. Looking what became of it.",
    ):  # fmt: skip
        return
    called_at = line.called_at
    assert called_at is not None, "order_line_called_before_bought"
    bought = provider.find(e164=line.e164)
    if bought is not None:
        finish_line(line, bought, text="The carrier has it among our numbers.")
    elif line.calls < MOST_CALLS and _waited(called_at) > hung_up_after() and not _too_late(line):
        buy_line(line)
    elif is_quiet(called_at):
        refuse_line(line, GaveUp(line.e164))
    else:
        later = min(timezone.now() + LOOK_AGAIN, called_at + quiet_time())
        OrderLine.objects.filter(pk=line.pk, due_at=line.due_at).update(due_at=later)


def _waited(since: datetime) -> timedelta:
    return timezone.now() - since


def _too_late(line: OrderLine) -> bool:
    """What was agreed to half an hour ago is looked for, and not bought any more."""
    return _waited(line.order.placed_at) > timedelta(seconds=GOOD_FOR_SECONDS)


def repair_webhooks() -> None:
    """Point the webhooks of numbers at us where setting them failed.

    In no order, so that those which fail every time do not stand before the others.
    """
    unset = Number.objects.owned().filter(webhooks_set_at=None, vanished_at=None)
    for number in unset.order_by("?")[:AT_MOST]:
        try:
            webhooks = webhooks_for_numbers(number.capabilities)
            provider.configure(sid=number.provider_sid, webhooks=webhooks)
        except ProviderError as error:
            log.warning("webhooks of %s could not be set: %s", number.e164, error)
            continue
        Number.objects.filter(pk=number.pk).update(webhooks_set_at=timezone.now())
