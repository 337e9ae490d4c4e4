"""What the people who run the platform must see before anybody calls them."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from smtplib import SMTPException

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db.models import Count, Sum
from django.urls import reverse
from django.utils import timezone

from lib import money
from numbers.models import Number, OrderLine
from numbers.sync_models import BalanceSample, Difference, DifferenceQuerySet, SyncRun
from telephony import provider
from telephony.errors import NotConfigured, ProviderError, ProviderUnavailable

log = logging.getLogger(__name__)

HEARTBEAT = "watch:heartbeat"
TOLD = "watch:low-balance-told"
TOLD_LOST = "watch:too-many-lost-told"
BURN_OVER = timedelta(days=7)
KEEP_SAMPLES = timedelta(days=90)
VANISHED_SHOWN = timedelta(days=90)
MOST_IN_A_MAIL = 100


@dataclass(frozen=True, slots=True)
class Funds:
    """The provider's balance. ``burn`` is a day's use, ``days_left`` at that rate; both are
    None while too little is known.
    """

    amount: Decimal
    currency: str
    at: datetime
    burn: Decimal | None
    days_left: int | None

    def __str__(self) -> str:
        return money.show(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class PaidByNobody:
    """Numbers that the provider bills and no workspace pays for. ``costs`` is what they cost a
    month in each currency; those of no known price are in ``unpriced`` and in no cost.
    """

    count: int
    costs: Mapping[str, Decimal]
    unpriced: int

    def __str__(self) -> str:
        """``$3.15 and €2.00``; empty where nothing is known."""
        return " and ".join(money.show(cost, currency) for currency, cost in self.costs.items())


def beat() -> None:
    """Beat sent this and a worker ran it, so both are alive."""
    cache.set(HEARTBEAT, timezone.now(), None)


def last_beat() -> datetime | None:
    return cache.get(HEARTBEAT)


def sample_balance() -> None:
    """Note what the provider's account has, and mail the operators before it runs out: at
    zero Twilio stops every number, inbound too.
    """
    now = timezone.now()
    balance = provider.balance()
    BalanceSample.objects.create(at=now, amount=balance.amount, currency=balance.currency)
    BalanceSample.objects.filter(at__lt=now - KEEP_SAMPLES).delete()
    funds = provider_funds()
    if funds is not None and _is_low(funds):
        _tell_operators(funds)
    else:
        cache.delete(TOLD)


def provider_funds() -> Funds | None:
    """The newest sample, and the burn over the last week. Asks nobody."""
    newest = BalanceSample.objects.order_by("-at").first()
    if newest is None:
        return None
    week = BalanceSample.objects.filter(at__gte=newest.at - BURN_OVER).order_by("at")
    burn = _burn(list(week.values_list("at", "amount")))
    days_left = int(max(newest.amount, Decimal(0)) / burn) if burn else None
    return Funds(newest.amount, newest.currency, newest.at, burn, days_left)


def _burn(samples: list[tuple[datetime, Decimal]]) -> Decimal | None:
    """What went out a day. Steps upwards are payments into the account, and no use."""
    if len(samples) < 2:
        return None
    days = Decimal((samples[-1][0] - samples[0][0]).total_seconds()) / 86400
    pairs = pairwise(samples)
    spent = sum((max(a - b, Decimal(0)) for (_, a), (_, b) in pairs), Decimal(0))
    return spent / days if spent and days > Decimal("0.5") else None


def _is_low(funds: Funds) -> bool:
    if funds.days_left is not None:
        return funds.days_left < settings.PROVIDER_BALANCE_DAYS
    return funds.amount < settings.PROVIDER_BALANCE_LEAST


def _tell_operators(funds: Funds) -> None:
    """Once a day as long as it is so."""
    left = f", about {funds.days_left} days" if funds.days_left is not None else ""
    mail_once_a_day(
        TOLD,
        f"Twilio's balance is {funds}{left}",
        f"The Twilio account behind {settings.PUBLIC_BASE_URL} has {funds}{left} at the present "
        "use. When it is empty, Twilio stops every number of every workspace, for incoming calls "
        "and messages too. Add funds in Twilio's console.\n",
    )


def tell_too_many_lost(words: str) -> None:
    """Once a day: the comparison stops there each time, and notices nothing else either."""
    mail_once_a_day(
        TOLD_LOST,
        "Most numbers are not in the Twilio account",
        f"The comparison with Twilio behind {settings.PUBLIC_BASE_URL} stopped. {words}\n\nAs "
        "long as it is so, numbers that are gone are not noticed. Where they are really gone, "
        "comparing one of them on its own page believes it.\n",
    )


def mail_once_a_day(key: str, subject: str, body: str) -> None:
    """``key`` in the cache keeps that it was sent; what could not be sent is tried again."""
    if cache.add(key, "1", 86400) and not mail_operators(subject, body):
        cache.delete(key)


def tell_of_vanished(differences: DifferenceQuerySet) -> None:
    """Mail the operators which of them are numbers that have vanished: their workspaces were
    told that support looks into a refund.
    """
    vanished = list(differences.vanished().select_related("workspace")[: MOST_IN_A_MAIL + 1])
    if not vanished:
        return
    lines = [
        f"{row.e164} of {row.workspace}: {settings.PUBLIC_BASE_URL}"
        f"{reverse('admin:numbers_difference_decide', args=[row.pk])}"
        for row in vanished[:MOST_IN_A_MAIL]
    ]
    more = ["and more: see the platform page"] if len(vanished) > MOST_IN_A_MAIL else []
    mail_operators(
        "Numbers are not at the carrier any more",
        "The carrier does not have them any more. They are inactive, and their workspaces "
        "were told that support looks into a refund:\n\n" + "\n".join(lines + more) + "\n",
    )


def mail_operators(subject: str, body: str) -> bool:
    """Whether it was sent. One that cannot be is logged and stops nothing: the platform page
    tells the same.
    """
    if not settings.OPERATOR_EMAILS:
        return False
    try:
        EmailMessage(subject, body, to=settings.OPERATOR_EMAILS).send()
    except (OSError, SMTPException):
        log.exception("the operators could not be told: %s", subject)
        return False
    return True


def vanished_lately() -> list[Difference]:
    """Numbers that vanished and are still gone, the newest first: is a refund due?"""
    since = timezone.now() - VANISHED_SHOWN
    rows = Difference.objects.vanished().filter(ended_at__gte=since)
    return list(rows.select_related("workspace").order_by("-ended_at")[:MOST_IN_A_MAIL])


def credentials_work() -> str:
    """Empty when they do, else what is wrong; asks the provider."""
    try:
        account = provider.account()
    except NotConfigured as error:
        return f"The credentials do not work: {error.reason}."
    except ProviderUnavailable:
        return "The provider does not answer."
    except ProviderError as error:
        return f"The provider refuses to tell ({error.codes})."
    return "" if account.status == "active" else f"The provider's account is {account.status}."


def open_differences() -> list[tuple[Difference.Kind, int]]:
    """How many of each kind are open."""
    counted = Difference.objects.troubling().values("kind").annotate(n=Count("pk")).order_by("kind")
    return [(Difference.Kind(row["kind"]), row["n"]) for row in counted]


def unsettled_orders() -> int:
    return OrderLine.objects.unsettled().count()


def paid_by_nobody() -> PaidByNobody:
    """Nobody's numbers, and those whose rent is overdue, at the provider's prices."""
    nobodys = Difference.objects.open().filter(kind=Difference.Kind.NOBODYS)
    theirs = list(nobodys.values_list("theirs", flat=True))
    unpaid = Number.objects.owned().filter(suspended_at__isnull=False)
    by_currency = unpaid.values_list("currency").annotate(
        Count("pk"), Sum("provider_monthly_price")
    )
    costs: defaultdict[str, Decimal] = defaultdict(Decimal)
    count = len(theirs)
    for currency, numbers, cost in by_currency.order_by("currency"):
        count += numbers
        costs[currency] += cost
    amount, currency = Difference.COST
    for told in theirs:
        if amount in told:
            costs[told[currency]] += Decimal(told[amount])
    return PaidByNobody(count, dict(sorted(costs.items())), sum(amount not in t for t in theirs))


def last_run() -> SyncRun | None:
    return SyncRun.objects.order_by("-pk").first()


def compared_at() -> datetime | None:
    """When a comparison last came to its end: until then nothing missing is noticed."""
    whole = SyncRun.objects.filter(complete=True, dry_run=False).order_by("-pk")
    return whole.values_list("ended_at", flat=True).first()
