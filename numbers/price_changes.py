"""New prices for numbers that are owned: announced first, in force from a later month."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from lib import money
from numbers.models import CountryOffer, PriceChange
from numbers.pricing import PriceList
from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.notices import notify
from workspaces.permissions import WALLET_VIEW

NUMBERS = 1000  # in a transaction
NAMED = 20  # numbers in a mail

# The price that a number has now or has been told of, where it differs from the list's. The
# first month of the new price begins after the notice, and is none that has begun already.
ANNOUNCE = """
WITH other AS (
    SELECT d.number_id FROM numbers_rentdue d
    JOIN numbers_number n ON n.id = d.number_id
    WHERE n.country = %(country)s AND n.number_type = %(number_type)s
        AND n.currency = %(currency)s AND n.released_at IS NULL AND n.giving_back_at IS NULL
        AND coalesce(d.next_price, d.price) <> %(price)s
        -- One that has begun stands until it is paid.
        AND (d.next_price_from IS NULL
            OR d.next_price_from > numbers_last_period(d.bought_at, %(now)s))
    ORDER BY d.number_id LIMIT %(limit)s FOR NO KEY UPDATE OF d SKIP LOCKED
), changed AS (
    UPDATE numbers_rentdue d SET
        next_price = nullif(%(price)s, d.price),
        next_price_from = CASE WHEN d.price <> %(price)s THEN greatest(
            d.next_period, numbers_last_period(d.bought_at, %(after)s) + 1) END
    FROM other WHERE d.number_id = other.number_id
    RETURNING d.number_id, d.workspace_id, d.price, d.bought_at,
        coalesce(d.next_price_from, d.next_period) AS from_period
)
INSERT INTO numbers_pricechange
    (workspace_id, number_id, old_price, new_price, from_period, starts_at, announced_at, by_id)
SELECT workspace_id, number_id, price, %(price)s, from_period,
    numbers_period_start(bought_at, from_period), %(now)s, %(by)s
FROM changed RETURNING id
"""


def follow_price_list(now: datetime | None = None) -> int:
    """Announce today's list prices to every owned number that pays another one.

    Does nothing where ``RENT_FOLLOWS_PRICE_LIST`` is off. Returns how many were told.
    """
    if not settings.RENT_FOLLOWS_PRICE_LIST:
        return 0
    offers = CountryOffer.objects.exclude(provider_price=None)
    return sum(announce(offer, now=now) for offer in offers)


def announce(offer: CountryOffer, *, by: User | None = None, now: datetime | None = None) -> int:
    """Announce the list price to the numbers of this country and type that pay another one.

    A number keeps its price until its first month that begins after the notice. A later
    announcement replaces an earlier one; one of the present price takes it back.
    """
    price = PriceList().price(offer)
    if price is None:
        return 0
    now = now or timezone.now()
    values: dict[str, Any] = {
        "country": offer.country, "number_type": offer.number_type, "currency": price.currency,
        "price": price.amount, "now": now, "by": by and by.pk, "limit": NUMBERS,
        "after": now + timedelta(days=settings.RENT_PRICE_NOTICE_DAYS),
    }  # fmt: skip
    told = 0
    while changed := _announce_some(values, by):
        told += changed
    tell()
    return told


@transaction.atomic
def _announce_some(values: dict[str, Any], by: User | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(ANNOUNCE, values)
        ids = [row[0] for row in cursor.fetchall()]
    changes = PriceChange.objects.filter(pk__in=ids).select_related("number", "workspace")
    audit.record_many(
        by=by, action="number.price_announced", subject_kind="number",
        events=[
            (change.workspace_id, change.number.public_id, change.number.e164, _words(change))
            for change in changes
        ],
    )  # fmt: skip
    return len(ids)


def _words(change: PriceChange) -> str:
    """In the history of the number. Nothing is added there when the price begins to count."""
    old, new = (
        money.show(price, change.number.currency) for price in (change.old_price, change.new_price)
    )
    if change.is_taken_back:
        return f"Keeps its price of {old} a month"
    starts = change.starts_at.astimezone(ZoneInfo(change.workspace.time_zone))
    return f"Will cost {new} a month from {starts:%-d %b %Y}, {old} until then"


def tell() -> None:
    """One mail per workspace for all changes that it was not told of yet."""
    untold = PriceChange.objects.filter(told_at=None)
    for workspace in Workspace.objects.filter(pk__in=untold.values("workspace")):
        _tell(workspace)


@transaction.atomic
def _tell(workspace: Workspace) -> None:
    now = timezone.now()
    mine = PriceChange.objects.for_workspace(workspace)
    if not mine.filter(told_at=None).update(told_at=now):
        return
    told = mine.filter(told_at=now)
    count = told.count()
    context = {
        "workspace": workspace,
        "count": count,
        "changes": told.select_related("number").order_by("pk")[:NAMED],
        "more": max(count - NAMED, 0),
        "costs_page": settings.PUBLIC_BASE_URL + reverse("numbers:costs", args=[workspace.slug]),
    }
    mail = render_to_string("numbers/mail/price_change.txt", context)
    subject, _, body = mail.strip().partition("\n")
    notify(
        workspace=workspace, key=f"price_change:{told.aggregate(last=Max('pk'))['last']}",
        permission=WALLET_VIEW, subject=subject, body=body.lstrip(),
    )  # fmt: skip
