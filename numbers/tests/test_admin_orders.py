"""Support staff see what happened to an order, and change nothing by looking."""

import pytest
from django.test import Client

from conftest import signed_in
from numbers.models import NumberOrder
from numbers.order_log import OrderStep
from numbers.purchase import purchase_number

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = "/admin/numbers/numberorder/"


@pytest.fixture
def as_staff(staff) -> Client:
    return signed_in(staff)


@pytest.fixture
def checked(acme, owner, quote, simulator) -> NumberOrder:
    """An order whose outcome is not known yet."""
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    return purchase_number(workspace=acme, by=owner, quote=quote)


def test_an_order_tells_every_step_with_its_time_and_cause(as_staff, checked):
    page = as_staff.get(f"{ORDERS}{checked.pk}/change/").text
    for step in OrderStep.objects.all():
        told = f"{step.at:%Y-%m-%d %H:%M:%S} · {checked.lines.get().e164} · {step.to_state}"
        assert f"{told} ({step.cause}): {step.text}" in page
    assert "checking (no_answer): The carrier gave no clear answer." in page


@pytest.mark.parametrize("words", ["reference", "number", "workspace", "person"])
def test_an_order_is_found_by_what_support_is_told(as_staff, checked, words):
    asked = {"reference": checked.reference, "number": checked.lines.get().e164,
             "workspace": "acme", "person": "owner@acme.test"}  # fmt: skip
    assert checked.reference in as_staff.get(ORDERS, {"q": asked[words]}).text
    assert checked.reference not in as_staff.get(ORDERS, {"q": "something else"}).text


def test_the_steps_of_all_orders_are_a_list_by_cause(as_staff, checked):
    page = as_staff.get("/admin/numbers/orderstep/", {"cause": "no_answer"}).text
    assert "The carrier gave no clear answer." in page
    assert "Asked the carrier for it." not in page


@pytest.mark.parametrize("what", ["change", "delete"])
def test_nothing_is_changed_here(as_staff, checked, what):
    answer = as_staff.post(f"{ORDERS}{checked.pk}/{what}/", {"post": "yes", "search": "x"})
    assert answer.status_code == 403
    assert NumberOrder.objects.get().search == checked.search


def test_the_log_is_not_for_those_who_are_no_staff(as_owner, checked):
    assert as_owner.get(f"{ORDERS}{checked.pk}/change/").status_code == 302
