"""What the wallet's page learns from the numbers."""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from numbers.models import Number
from numbers.purchase import purchase_number
from numbers.rent import collect_due
from numbers.rent_models import RentArrears, RentDue
from numbers.tests.rent_book import at, buy
from numbers.upcoming import rent_due
from wallet import ledger
from wallet.models import Entry
from wallet.upcoming import upcoming_charges, upcoming_dates, upcoming_days

PAGE = "/w/acme/wallet/"


@pytest.fixture
def number(acme, owner, quote, simulator) -> Number:
    return purchase_number(workspace=acme, by=owner, quote=quote).lines.get().number


def test_wallet_page_shows_the_rent_ahead_with_its_date(as_owner, number):
    RentDue.objects.update(due_at=timezone.now() + timedelta(days=9))
    [due] = as_owner.get(PAGE).context["charges"]
    assert (due.text, due.amount) == (number.international, number.monthly_price)


def test_line_of_a_purchase_opens_its_order(as_owner, number):
    [address] = [
        url for entry, url in as_owner.get(PAGE).context["entries"] if entry.kind == "purchase"
    ]
    assert number.international in as_owner.get(address).content.decode()


@pytest.mark.parametrize("fact", ["released_at", "parked_at", "vanished_at"])
def test_no_rent_is_ahead_for_what_is_given_back(acme, number, fact):
    now = timezone.now()
    RentDue.objects.update(due_at=now)
    Number.objects.update(**({fact: now} | ({"parked_at": now} if fact == "released_at" else {})))
    assert nothing_ahead(acme)


def test_rent_of_others_is_not_shown(number, globex):
    assert nothing_ahead(globex)


def nothing_ahead(workspace) -> bool:
    now = timezone.now()
    until = now + timedelta(days=99)
    return not (
        upcoming_charges(workspace, until=until, most=9)
        or upcoming_days(workspace, now=now, days=99, most=9) != ([], [])
        or upcoming_dates(workspace, until=until)
        or rent_due(until=until, workspace=workspace)
    )


def test_overdue_and_coming_rent_is_summed_by_day_and_by_date(acme, number):
    now = timezone.now()
    price = number.monthly_price
    for days, ahead in ((-3, 0), (0.5, 0), (4.5, 4)):
        due_at = now + timedelta(days=days)
        RentDue.objects.update(due_at=due_at)
        [day], [first] = upcoming_days(acme, now=now, days=30, most=9)
        assert (first.due_at, first.amount, first.number) == (due_at, price, number.e164)
        assert (day.ahead, day.amount, day.count, day.cheapest) == (ahead, price, 1, price)
        local = due_at.astimezone(ZoneInfo(acme.time_zone)).date()
        assert upcoming_dates(acme, until=now + timedelta(days=30)) == [(local, price)]
    assert upcoming_days(acme, now=now, days=4) == ([], [])
    assert rent_due(until=now + timedelta(days=5)) == {acme.pk: price}


def test_many_that_the_money_does_not_reach_are_named_in_few_queries(
    as_owner, acme, make_number, django_assert_max_num_queries
):
    for index in range(30):
        make_number(acme, f"+1212555{index:04d}")
    now = timezone.now()
    RentDue.objects.update(due_at=now - timedelta(hours=1), price=Decimal(5), billed=True)
    RentArrears.objects.create(
        workspace=acme, since=now, tried_at=now, tried_version=acme.wallet.version
    )
    as_owner.get(PAGE)
    with django_assert_max_num_queries(8):
        page = as_owner.get(PAGE)
    # 50.00 pays ten of the thirty.
    assert (len(page.context["uncovered"]), page.context["more_uncovered"]) == (20, 0)
    assert page.context["more_charges"] == 10
    assert "overdue" in page.content.decode()


@pytest.fixture
def paid_together(acme) -> list[Number]:
    """Two numbers whose month was paid by one entry, and nothing of it names them."""
    both = [buy(acme, "2023-01-10", e164=e164) for e164 in ("+12125550171", "+12125550182")]
    collect_due(at("2023-02-11"))
    return both


def test_a_number_finds_the_payments_of_its_rent(as_owner, as_outsider, acme, paid_together):
    for asked in ("0171", "+1 (212) 555-0182", "2125550171"):
        [(entry, address)] = as_owner.get(PAGE, {"q": asked}).context["entries"]
        assert (entry.text, address) == (
            "Monthly fees, 2 payments", f"/w/acme/numbers/rent/{entry.seq}/",
        )  # fmt: skip
        file = b"".join(as_owner.get(f"{PAGE}statement.csv", {"q": asked})).decode()
        assert file.count("Monthly fees, 2 payments") == 1
    assert as_owner.get(PAGE, {"q": "0199"}).context["entries"] == []
    assert as_outsider.get("/w/globex/wallet/", {"q": "0171"}).context["entries"] == []


def test_a_refund_of_rent_opens_the_payment_that_it_gives_back(as_owner, acme, paid_together):
    payment = Entry.objects.get(kind="rent")
    ledger.refund(
        wallet=acme.wallet, entry=payment, amount=Decimal(1), key="back", text="Given back"
    )
    addresses = {entry.text: where for entry, where in as_owner.get(PAGE).context["entries"]}
    assert addresses["Given back"] == addresses["Monthly fees, 2 payments"] != ""


def test_holds_that_are_not_named_are_counted(as_owner, acme):
    for n in range(23):
        ledger.hold(
            wallet=acme.wallet, amount=Decimal(1), currency="USD", key=f"h{n}", text="A number",
            reference=f"ORD-{n}",
        )  # fmt: skip
    page = as_owner.get(PAGE)
    assert (len(page.context["holds"]), page.context["more_holds"]) == (20, 3)
    assert "and 3 more" in page.content.decode()
