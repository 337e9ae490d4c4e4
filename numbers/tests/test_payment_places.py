"""The order of the list by the next payment: it follows what rent does, and nothing falls out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from numbers import payment_places, rent
from numbers.models import Number, PaymentPlace, RentDue

pytestmark = pytest.mark.django_db(transaction=True)

SORTED = "/w/acme/numbers/?sort=payment"


def listed(client, address: str = SORTED) -> list[str]:
    return [row.number.e164 for row in client.get(address).context["rows"]]


def is_true(number: Number) -> bool:
    place = PaymentPlace.objects.get(number=number)
    return place.due_at == RentDue.objects.get(number=number).due_at


def test_a_new_number_has_its_place(acme):
    number = Number.objects.create(
        workspace=acme, e164="+12125550123", country="US", number_type="local",
        capabilities=["voice"], monthly_price=1, provider_monthly_price=1, currency="USD",
        provider_sid="PN1", created_at=timezone.now(),
    )  # fmt: skip
    assert is_true(number)


def test_a_number_that_was_paid_goes_to_its_new_place(as_owner, acme, make_number):
    now = timezone.now()
    paid = make_number(acme, "+12125550001", paid_until=now - timedelta(minutes=5))
    make_number(acme, "+12125550002", paid_until=now + timedelta(hours=5))
    assert listed(as_owner) == ["+12125550001", "+12125550002"]
    rent.collect_due()
    assert not is_true(paid)
    assert payment_places.follow_payments() == 1
    assert payment_places.follow_payments() == 0
    assert is_true(paid)
    assert listed(as_owner) == ["+12125550002", "+12125550001"]


def test_a_number_that_was_not_paid_stays_at_the_head(as_owner, acme, make_number):
    due = timezone.now() - timedelta(days=2)
    make_number(acme, "+12125550001", monthly_price=500, paid_until=due)
    make_number(acme, "+12125550002")
    rent.collect_due()
    assert payment_places.follow_payments() == 0
    assert listed(as_owner)[0] == "+12125550001"


def test_a_due_date_that_was_moved_by_hand_is_followed_too(acme, make_number):
    number = make_number(acme)
    RentDue.objects.update(due_at=timezone.now() + timedelta(days=1))
    assert payment_places.follow_payments() == 0
    assert payment_places.follow_everything() == 1
    assert is_true(number)


def test_a_number_given_back_leaves_the_order_but_not_the_record(as_owner, acme, make_number):
    number = make_number(acme, "+12125550001")
    make_number(acme, "+12125550002")
    Number.objects.filter(pk=number.pk).update(released_at=timezone.now())
    assert not PaymentPlace.objects.filter(number=number).exists()
    assert listed(as_owner) == ["+12125550002"]
    assert listed(as_owner, f"{SORTED}&status=released") == ["+12125550001"]


def test_numbers_of_another_workspace_are_not_among_them(as_owner, acme, globex, make_number):
    make_number(globex, "+12125550001")
    make_number(acme, "+12125550002")
    assert listed(as_owner) == ["+12125550002"]
