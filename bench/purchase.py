"""A purchase: what is ours of it, with the time of the provider's answers taken off."""

import logging
import os
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.core.management import call_command
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from bench._by_hand import Hand
from bench._provider import simulated_provider
from bench.harness import Figures, alternate, benchmark
from numbers.models import Number, NumberOrder
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from numbers.quote import QuotedNumber, quote_of
from numbers.review import review_numbers
from numbers.search import find_one
from telephony import client, provider
from telephony.values import NumberQuery, NumberType
from telephony.webhook_urls import webhooks_for_numbers
from wallet import ledger
from wallet.models import Entry, Kind, Wallet
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import Role

PURCHASES = 10
ROUNDS = 9
AREAS = ("212", "213", "214", "305", "310", "312", "404", "415", "503", "602", "617", "702", "713")
QUOTE = re.compile(r'name="quote" value="([^"]+)"')
ONE_OF_EACH = {"GET AvailablePhoneNumbers": 1, "POST IncomingPhoneNumbers": 1}
NO_LIMITS = {
    "RATE_LIMITS": {"search": "1000000/m", "purchase": "1000000/m"},
    "PURCHASE_SPEND_PER_DAY": Decimal(1_000_000),
    "PURCHASE_NUMBERS_PER_DAY": 1_000_000,
}

Buy = Callable[[QuotedNumber], object]


@benchmark("purchase.own", unit="ms", goal=0.1, most=25)
def purchase_own() -> Figures:
    """Reviewing and buying, less the time until the provider has answered. What is called
    there is counted: one search and one purchase.

    The floor writes the same rows in the same three commits by SQL and calls nobody. The
    naive version is a newcomer's: the provider called inside one transaction; no order, no
    hold and no log. The two requests of a person, with session and page, are printed too.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(override_settings(**NO_LIMITS, STATIC_ROOT=folder))
        call_command("collectstatic", interactive=False, verbosity=0)  # pages name its files
        stack.enter_context(simulated_provider(Path(folder) / "simulator.sqlite3"))
        stack.enter_context(_log_unread())
        wire = Wire()
        client.client().http_client.session.mount("http://", wire)
        shop, offers = _open_shop(), _offers()
        rounds = [
            lambda buy=buy, calls=calls: _own_time(buy, offers, wire, calls)
            for buy, calls in (
                (_by_operations(shop), ONE_OF_EACH),
                (Hand(shop.workspace, shop.owner).buy, {}),
                (_by_newcomer(shop), ONE_OF_EACH),
                (_by_person(shop), ONE_OF_EACH),
            )
        ]
        *figures, requests = alternate(*rounds, times=ROUNDS)
        _check(shop)
    print(f"  as two requests, with session and page: {requests:.1f} ms")
    return Figures(*figures)


class Wire(HTTPAdapter):
    """The real network edge, with a clock and a list of what was asked."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=16)
        self.reset()

    def reset(self) -> None:
        self.seconds = 0.0
        self.calls: Counter[str] = Counter()

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        began = time.perf_counter()
        answer = super().send(request, *args, **options)
        self.seconds += time.perf_counter() - began
        resource = re.search(r"AvailablePhoneNumbers|IncomingPhoneNumbers", str(request.url))
        self.calls[f"{request.method} {resource.group() if resource else request.url}"] += 1
        return answer


def _own_time(buy: Buy, offers: Iterator[QuotedNumber], wire: Wire, calls: dict[str, int]) -> float:
    """The median of several purchases, in milliseconds."""
    times = []
    for _ in range(PURCHASES):
        offer = next(offers)
        wire.reset()
        began = time.perf_counter()
        buy(offer)
        times.append(1000 * (time.perf_counter() - began - wire.seconds))
        if wire.calls != calls:
            raise RuntimeError(f"the provider was asked for {dict(wire.calls)}, not {calls}")
    return statistics.median(times)


@dataclass(frozen=True, slots=True)
class Shop:
    """Somebody with money who may buy."""

    workspace: Workspace
    owner: User


def _open_shop() -> Shop:
    name = f"bench-{uuid4().hex[:12]}"
    workspace = Workspace.objects.create(slug=name, name="Bench")
    wallet = Wallet.objects.create(workspace=workspace)
    ledger.credit(
        wallet=wallet, amount=Decimal(1_000_000), contra="bank", key="funds", text="Funds"
    )
    owner = User.objects.create_user(f"{name}@bench.test", first_name="Olivia")
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    return Shop(workspace, owner)


def _offers() -> Iterator[QuotedNumber]:
    """Numbers that nobody has bought yet, each once."""
    price = price_of("US", NumberType.LOCAL)
    for area in AREAS:
        query = NumberQuery(
            country="US", number_type=NumberType.LOCAL, area_code=area, limit=50
        )  # fmt: skip
        for number in provider.search(query):
            yield QuotedNumber(number, price)


def _by_operations(shop: Shop) -> Buy:
    def buy(offer: QuotedNumber) -> None:
        chosen = [(offer.number.e164, NumberType.LOCAL)]
        found = review_numbers(workspace=shop.workspace, country="US", chosen=chosen)
        quote = quote_of(found.numbers, "country=US")
        purchase_number(workspace=shop.workspace, by=shop.owner, quote=quote)

    return buy


def _by_person(shop: Shop) -> Buy:
    browser = Client()
    browser.force_login(shop.owner)
    home = f"/w/{shop.workspace.slug}/numbers"

    def buy(offer: QuotedNumber) -> None:
        chosen = {"country": "US", "number": offer.number.e164, "number_type": "local"}
        page = browser.get(f"{home}/buy/review/?{urlencode(chosen)}").content.decode()
        quote = QUOTE.search(page)
        if quote is None:
            raise RuntimeError(f"{offer.number.e164} cannot be bought")
        answer = browser.post(f"{home}/orders/", {"quote": quote[1]})
        if answer.status_code != 302:
            raise RuntimeError(f"buying was answered with {answer.status_code}")

    return buy


def _by_newcomer(shop: Shop) -> Buy:
    def buy(offer: QuotedNumber) -> None:
        number, price = offer.number, offer.price
        if find_one(country="US", number_type=NumberType.LOCAL, e164=number.e164) is None:
            raise RuntimeError(f"{number.e164} cannot be bought")
        with transaction.atomic():
            wallet = Wallet.objects.select_for_update().get(workspace=shop.workspace)
            if wallet.available < price.amount:
                raise RuntimeError("too little money")
            bought = provider.buy(
                e164=number.e164, friendly_name=number.friendly_name,
                webhooks=webhooks_for_numbers(number.capabilities),
            )  # fmt: skip
            now = timezone.now()
            Number.objects.create(
                workspace=shop.workspace, e164=number.e164, country="US",
                number_type=number.number_type, capabilities=sorted(number.capabilities),
                monthly_price=price.amount, provider_monthly_price=price.provider_amount,
                currency=price.currency, provider_sid=bought.sid, created_at=now,
            )  # fmt: skip
            wallet.balance -= price.amount
            wallet.last_seq += 1
            wallet.version += 1
            Entry.objects.create(
                wallet=wallet, seq=wallet.last_seq, kind=Kind.PURCHASE, amount=-price.amount,
                contra="revenue", balance_after=wallet.balance,
                available_after=wallet.available, key=f"number:{bought.sid}",
                text=number.e164, created_at=now,
            )  # fmt: skip
            wallet.save(update_fields=["balance", "last_seq", "version"])

    return buy


def _check(shop: Shop) -> None:
    """Every order is done, and each number has one charge."""
    orders = NumberOrder.objects.filter(workspace=shop.workspace).exclude(lines__state="done")
    numbers = Number.objects.filter(workspace=shop.workspace).count()
    charges = Entry.objects.filter(wallet_id=shop.workspace.pk, kind=Kind.PURCHASE).count()
    if orders.exists() or numbers != charges:
        raise RuntimeError(f"{orders.count()} orders open, {numbers} numbers, {charges} charges")


@contextmanager
def _log_unread() -> Iterator[None]:
    """The log is written as ever, and not to the terminal."""
    [handler] = logging.getLogger().handlers
    with Path(os.devnull).open("w") as nowhere:
        before = handler.setStream(nowhere)  # type: ignore[attr-defined]
        try:
            yield
        finally:
            handler.setStream(before)  # type: ignore[attr-defined]
