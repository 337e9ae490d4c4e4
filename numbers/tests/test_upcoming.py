"""What the wallet's page learns from the numbers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from numbers.models import Number
from numbers.purchase import purchase_number
from numbers.rent_models import RentDue
from numbers.upcoming import upcoming_charges

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
    assert upcoming_charges(acme, until=now + timedelta(days=30)) == []


def test_rent_of_others_is_not_shown(number, globex):
    assert upcoming_charges(globex, until=timezone.now() + timedelta(days=99)) == []
