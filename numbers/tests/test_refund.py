"""Support gives money back: once, with a reason, and never more than was charged."""

from decimal import Decimal

import pytest

from conftest import signed_in
from numbers.models import OrderLine
from numbers.purchase import purchase_number
from numbers.refund import NothingToRefund, ReasonMissing, refund_line
from wallet import ledger
from wallet.models import Entry, Kind
from workspaces.models import AuditEvent, Notice, User

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY = Decimal(50)


@pytest.fixture
def staff(db) -> User:
    return User.objects.create_superuser("staff@example.test", "numbers-demo")


@pytest.fixture
def line(acme, owner, quote) -> OrderLine:
    return purchase_number(workspace=acme, by=owner, quote=quote).lines.get()


def refund(line: OrderLine, by: User, reason: str = "Bought by mistake") -> OrderLine:
    return refund_line(line=line, by=by, reason=reason)


def test_a_refund_gives_the_money_back_and_leaves_the_number(acme, line, staff, money):
    assert refund(line, staff).state == OrderLine.State.REFUNDED
    assert money(acme) == (FIFTY, 0)
    entry = Entry.objects.get(kind=Kind.REFUND)
    assert (entry.amount, entry.by, entry.reason) == (Decimal("1.38"), staff, "Bought by mistake")
    line.refresh_from_db()
    assert line.number.status == "active"


def test_a_refund_twice_is_one(acme, line, staff, money):
    refund(line, staff)
    refund(line, staff)
    assert money(acme) == (FIFTY, 0)
    assert line.steps.filter(to_state="refunded").count() == 1


def test_a_refund_is_audited_and_the_buyer_is_told(acme, line, staff, owner):
    refund(line, staff)
    event = AuditEvent.objects.get(action="order.refunded")
    assert (event.by, event.details["reason"]) == (staff, "Bought by mistake")
    notice = Notice.objects.get()
    assert notice.recipient == owner
    assert "$1.38" in notice.subject


def test_what_was_not_charged_is_not_refunded(acme, owner, quote, staff, simulator, money):
    simulator.fault("taken", method="POST", path_contains="IncomingPhoneNumbers")
    line = purchase_number(workspace=acme, by=owner, quote=quote).lines.get()
    with pytest.raises(NothingToRefund, match="its line is refused"):
        refund(line, staff)
    assert money(acme) == (FIFTY, 0)


def test_a_refund_needs_a_reason(line, staff):
    with pytest.raises(ReasonMissing):
        refund(line, staff, reason="  ")


def test_never_more_than_was_charged_is_given_back(acme, line, staff, money):
    charge = Entry.objects.select_related("wallet").get(kind=Kind.PURCHASE)
    ledger.refund(
        wallet=charge.wallet, entry=charge, amount=Decimal("1.00"), key="by-hand", text="Goodwill"
    )
    with pytest.raises(ledger.InvalidAmount, match=r"Only \$0\.38"):
        refund(line, staff)
    line.refresh_from_db()
    assert (line.state, money(acme)) == ("done", (FIFTY - Decimal("0.38"), 0))


def test_staff_refund_from_the_order_in_the_admin(acme, line, staff, money):
    browser = signed_in(staff)
    page = browser.get(f"/admin/numbers/numberorder/{line.order_id}/change/").content.decode()
    address = f"/admin/numbers/numberorder/refund/{line.pk}/"
    assert address in page
    assert "The carrier confirmed it." in page
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"reason": ""}).status_code == 422
    assert money(acme)[0] < FIFTY
    assert browser.post(address, {"reason": "A mistake"}).status_code == 302
    assert money(acme) == (FIFTY, 0)


def test_only_staff_with_the_permission_refund(acme, line, money, owner):
    address = f"/admin/numbers/numberorder/refund/{line.pk}/"
    helper = User.objects.create_user("helper@example.test", "numbers-demo", is_staff=True)
    assert signed_in(helper).post(address, {"reason": "x"}).status_code == 403
    assert signed_in(owner).post(address, {"reason": "x"}).status_code == 302  # to the login
    assert money(acme)[0] < FIFTY


def test_the_order_shows_the_refund_and_its_log(acme, line, staff, as_owner):
    refund(line, staff)
    page = as_owner.get(f"/w/acme/numbers/orders/{line.order.reference}/").content.decode()
    assert "$1.38 was given back" in page
    for text in ("Ordered by Olivia.", "The carrier confirmed it.", "Bought by mistake"):
        assert text in page
