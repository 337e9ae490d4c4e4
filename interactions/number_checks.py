"""What calls, messages and what they cost say when a number does not work as it should.

``settings.NUMBER_CHECKS`` names ``checks``.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from interactions import failures
from interactions.models import (
    ArrivedForNobody,
    Call,
    Direction,
    Message,
    RefusedWebhook,
    Usage,
)
from interactions.refused_webhooks import refused_lately
from lib import money
from lib.errors import Fix
from numbers.models import Number
from numbers.number_why import COSTS, INBOUND
from numbers.reports import Finding, Verdict
from telephony import alerts, conversations
from telephony.alerts import Alert
from telephony.errors import ProviderError
from workspaces.models import Membership
from workspaces.permissions import INBOX_VIEW, ROUTES_EDIT, WALLET_VIEW

LATELY = timedelta(days=30)
REPORTED_FOR = timedelta(days=7)


def checks(membership: Membership, number: Number, carrier_answers: bool) -> list[Finding]:
    """Six queries at most; the carrier is asked only where it has just answered."""
    number.workspace = membership.workspace
    last = last_signed(number)
    reported = _reported(number, last) if carrier_answers else _not_told()
    lines = [_signed(membership, number, last), reported, _forged(number, last),
             _turned_away(number), _test(membership, number)]  # fmt: skip
    return [*lines, *(_use(number) if membership.can(WALLET_VIEW) else [])]


def last_signed(number: Number) -> datetime | None:
    """When a genuine request about something incoming last reached this site for the number."""
    moments = [
        model.objects.for_workspace(number.workspace)
        .filter(conversation__number=number, direction=Direction.IN)
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
        for model in (Call, Message)
    ]
    return max((moment for moment in moments if moment), default=None)


def _signed(membership: Membership, number: Number, last: datetime | None) -> Finding:
    cause, title = "last_signed", "Last call or message that arrived"
    if last is None:
        return Finding(
            cause, title, Verdict.UNKNOWN, "No call or message has reached this site for it yet.",
            todo="Make a test call or send a test message.", group=INBOUND,
        )  # fmt: skip
    inbox = reverse("interactions:index", args=[number.workspace.slug])
    fix = Fix("See it in the inbox", f"{inbox}?number={number.public_id}")
    return Finding(
        cause, title, Verdict.OK, f"{_clock(number, last)}, with the carrier's right signature.",
        fix if membership.can(INBOX_VIEW) else None, group=INBOUND,
    )  # fmt: skip


REPORTED = "What the carrier could not deliver"


def _not_told() -> Finding:
    return Finding("carrier_alerts", REPORTED, Verdict.UNKNOWN,
                   "It shows once the carrier tells what it has.", group=INBOUND)  # fmt: skip


def _reported(number: Number, last: datetime | None) -> Finding:
    """The carrier's own alerts: those on calls and messages to this number."""
    try:
        failed = _failed_delivery(number)
    except ProviderError:
        return _not_told()
    cause, title = "carrier_alerts", REPORTED
    if failed is None:
        return Finding(cause, title, Verdict.OK, f"Nothing in the last {REPORTED_FOR.days} days.",
                       group=INBOUND)  # fmt: skip
    what, todo = failures.told(failed.code)
    words = (
        f"On {_clock(number, failed.at)} {what}, asking {failed.address} (the carrier's error "
        f"{failed.code})."
    )
    if last is not None and last > failed.at:
        return Finding(
            cause, title, Verdict.OK, f"{words} Others have arrived since.", group=INBOUND
        )
    return Finding(cause, title, Verdict.PROBLEM, words, _support(), todo=todo, group=INBOUND)


def _failed_delivery(number: Number) -> Alert | None:
    since = timezone.now() - REPORTED_FOR
    found = alerts.errors_since(since)
    if not found:
        return None
    sids = conversations.arrived(e164=number.e164, since=since)
    return next((alert for alert in found if alert.about in sids), None)


def _forged(number: Number, last: datetime | None) -> Finding:
    cause, title = "last_forged", "Requests with a wrong signature"
    refused = refused_lately(called=number.e164, since=timezone.now() - LATELY)
    if refused is None:
        return Finding(cause, title, Verdict.OK, "None for it in the last 30 days.", group=INBOUND)
    words = f"The last one came on {_clock(number, refused.last_at)} and was turned away."
    if last is not None and last > refused.last_at:
        return Finding(
            cause, title, Verdict.OK, f"{words} Genuine ones have arrived since.", group=INBOUND
        )
    advice = RefusedWebhook.ADVICE[RefusedWebhook.Because.FORGED]
    return Finding(cause, title, Verdict.PROBLEM, words, _support(), todo=advice, group=INBOUND)


def _turned_away(number: Number) -> Finding:
    cause, title = "turned_away", "Arrived and turned away"
    strays = ArrivedForNobody.objects.filter(number=number, at__gte=timezone.now() - LATELY)
    stray = strays.order_by("-at", "-pk").first()
    if stray is None:
        return Finding(cause, title, Verdict.OK, "Nothing in the last 30 days.", group=INBOUND)
    because = stray.get_because_display()
    words = f"On {_clock(number, stray.at)}: {because[:1].lower()}{because[1:]}."
    still = _still_so(number, stray.because)
    if not still:
        return Finding(cause, title, Verdict.OK, f"{words} That is over.", group=INBOUND)
    page = reverse("numbers:detail", args=[number.workspace.slug, number.public_id])
    return Finding(
        cause, title, Verdict.PROBLEM, words, Fix("Open the number", page),
        todo="It goes on until that is changed.", group=INBOUND,
    )  # fmt: skip


def _still_so(number: Number, because: str) -> bool:
    facts = {
        "deactivated": number.deactivated_at, "suspended": number.suspended_at,
        "parked": number.parked_at, "vanished": number.vanished_at,
    }  # fmt: skip
    return bool(facts.get(because))


def _test(membership: Membership, number: Number) -> Finding:
    cause, title = "test", "Test the number"
    words = "A test call or message goes the whole way, and each step of it is shown."
    if not membership.can(ROUTES_EDIT) or number.released_at:
        return Finding(cause, title, Verdict.OK, "Call it, or send it a message, from a phone of "
                       "yours.", group=INBOUND)  # fmt: skip
    address = reverse("interactions:test", args=[number.workspace.slug, number.public_id])
    return Finding(cause, title, Verdict.OK, words, Fix("Test it", address), group=INBOUND)


def _use(number: Number) -> list[Finding]:
    """What its calls and its messages cost this month; one query."""
    now = timezone.now().astimezone(ZoneInfo(number.workspace.time_zone))
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    used = (
        Usage.objects.for_workspace(number.workspace)
        .filter(Q(call__number=number) | Q(message__number=number))
        .filter(state=Usage.State.CHARGED, at__gte=first)
        .aggregate(
            calls=Count("call", distinct=True), messages=Count("message", distinct=True),
            for_calls=Sum("amount", filter=Q(call__isnull=False)),
            for_messages=Sum("amount", filter=Q(message__isnull=False)),
        )
    )  # fmt: skip
    costs = reverse("numbers:number_costs", args=[number.workspace.slug, number.public_id])
    rates = reverse("interactions:rates", args=[number.workspace.slug])

    def charged(what: str, count: int, amount: Decimal | None) -> str:
        shown = money.show(amount or Decimal(0), number.currency)
        return f"{shown} this month for {count} {what}{'' if count == 1 else 's'}."

    return [
        Finding(
            "per_minute", "Charges per minute", Verdict.OK,
            f"Calls are charged per minute: {charged('call', used['calls'], used['for_calls'])}",
            Fix("See what it cost, month by month", costs),
            todo="Watch how many calls there are and how long they last.", group=COSTS,
        ),
        Finding(
            "per_message", "Charges per message", Verdict.OK,
            "Messages are charged per segment and picture: "
            f"{charged('message', used['messages'], used['for_messages'])}",
            Fix("See the price of a message", rates),
            todo="A large campaign adds up: see the price before it begins.", group=COSTS,
        ),
        Finding(
            "international", "International rates", Verdict.OK,
            f"Its own fee is {money.show(number.monthly_price, number.currency)} a month. Calls "
            "and messages to other countries have prices of their own.",
            Fix("Look prices up", rates), todo="Look the price up before you call or write abroad.",
            group=COSTS,
        ),
    ]  # fmt: skip


def _support() -> Fix:
    from django.conf import settings

    return Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}")


def _clock(number: Number, moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo(number.workspace.time_zone))
    return date_format(local, "j M Y, H:i")
