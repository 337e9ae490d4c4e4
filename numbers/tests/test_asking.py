"""Asking those who may buy: once, told to them, and decided once, whoever is quicker."""

from decimal import Decimal

import pytest
from django.core import mail

from conftest import make_member
from numbers import ask
from numbers.ask import AlreadyDecided
from numbers.models import CountryOffer, NumberOrder, PurchaseRequest
from numbers.tests.at_once import at_once
from workspaces import notices
from workspaces.models import AuditEvent, Membership
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY = Decimal(50)
PRICE = Decimal("1.38")
State = PurchaseRequest.State


@pytest.fixture
def asked(acme, member, owner, quoted) -> PurchaseRequest:
    """Max asks Olivia for two numbers."""
    return ask.ask_for(workspace=acme, by=member, quote=quoted(2), note="For the spring campaign")


def mails() -> list[tuple[list[str], str, str]]:
    notices.deliver_due()
    return [(message.to, message.subject, message.body) for message in mail.outbox]


def test_asking_costs_nothing_and_tells_those_who_may_buy(acme, asked, money, simulator):
    assert (money(acme), simulator.owned()) == ((FIFTY, 0), [])
    [(to, subject, body)] = mails()
    assert (to, subject) == (["owner@acme.test"], "Max asks for 2 numbers")
    for said in ("For the spring campaign", "$2.76 a month", f"/requests/{asked.reference}/"):
        assert said in body


def test_asking_twice_is_one_request(acme, member, quoted):
    quote = quoted()
    first = ask.ask_for(workspace=acme, by=member, quote=quote)
    assert ask.ask_for(workspace=acme, by=member, quote=quote) == first
    results = at_once(*[lambda: ask.ask_for(workspace=acme, by=member, quote=quote)] * 4)
    assert set(results) == {first}
    assert AuditEvent.objects.filter(action="request.asked").count() == 1


def test_approving_buys_what_was_asked_for_and_tells_who_asked(acme, owner, asked, money):
    order = ask.approve(request=asked, by=owner, quote=ask.reviewed(asked))
    asked.refresh_from_db()
    assert (asked.state, asked.order, asked.decided_by) == (State.APPROVED, order, owner)
    assert {line.state for line in order.lines.all()} == {"done"}
    assert money(acme) == (FIFTY - 2 * PRICE, 0)
    to, subject, body = mails()[-1]
    assert (to, subject) == (["member@acme.test"], "Olivia approved your request for 2 numbers")
    assert order.reference in body


def test_approving_twice_is_one_order(acme, owner, asked, money):
    quote = ask.reviewed(asked)
    first = ask.approve(request=asked, by=owner, quote=quote)
    assert ask.approve(request=asked, by=owner, quote=quote) == first
    assert money(acme) == (FIFTY - 2 * PRICE, 0)


def test_two_who_approve_at_once_make_one_order(acme, owner, asked, money, simulator):
    other = make_member(acme, Role.ADMIN, "admin@acme.test", "Ada")
    quote = ask.reviewed(asked)
    results = at_once(
        lambda: ask.approve(request=asked, by=owner, quote=quote),
        lambda: ask.approve(request=asked, by=other, quote=quote),
    )
    assert set(results) == {NumberOrder.objects.get()}
    assert (money(acme), len(simulator.owned())) == ((FIFTY - 2 * PRICE, 0), 2)
    assert sum("approved" in subject for _, subject, _ in mails()) == 1


def test_approving_and_declining_at_once_is_one_of_both(acme, owner, asked, money, simulator):
    quote = ask.reviewed(asked)
    approved, declined = at_once(
        lambda: ask.approve(request=asked, by=owner, quote=quote),
        lambda: ask.decline(request=asked, by=owner, reason="Too dear"),
    )
    asked.refresh_from_db()
    if asked.state == State.APPROVED:
        assert isinstance(declined, AlreadyDecided)
        assert len(simulator.owned()) == 2
    else:
        assert isinstance(approved, AlreadyDecided)
        assert (money(acme), simulator.owned()) == ((FIFTY, 0), [])
        assert not NumberOrder.objects.exists()


def test_a_declined_request_cannot_be_approved(acme, owner, asked, money):
    ask.decline(request=asked, by=owner, reason="We have enough")
    with pytest.raises(AlreadyDecided, match="Olivia has declined it"):
        ask.approve(request=asked, by=owner, quote=ask.reviewed(asked))
    assert money(acme) == (FIFTY, 0)
    to, subject, body = mails()[-1]
    assert (to, subject) == (["member@acme.test"], "Olivia declined your request for 2 numbers")
    assert "We have enough" in body


def test_a_request_that_cannot_be_paid_goes_on_waiting(globex, outsider, quoted, money):
    asker = make_member(globex, Role.MEMBER, "member@globex.test", "Mia")
    request = ask.ask_for(workspace=globex, by=asker, quote=quoted(2))
    with pytest.raises(Exception, match="is available and this costs"):
        ask.approve(request=request, by=outsider, quote=ask.reviewed(request))
    request.refresh_from_db()
    assert (request.state, money(globex)) == (State.WAITING, (Decimal(2), 0))


def test_who_asked_takes_it_back(acme, member, owner, asked):
    ask.withdraw(request=asked, by=member)
    with pytest.raises(AlreadyDecided, match="Max has withdrawn it"):
        ask.approve(request=asked, by=owner, quote=ask.reviewed(asked))


# --- The pages ----------------------------------------------------------------------------


def address(request: PurchaseRequest, what: str = "") -> str:
    return f"/w/acme/numbers/requests/{request.reference}/{what}"


def form_in(page) -> dict[str, str]:
    """The signed quote of the form that approves."""
    text = page.content.decode()
    return {"quote": text.split('name="quote" value="')[1].split('"')[0]}


def review_page(client, one) -> object:
    return client.get(
        "/w/acme/numbers/buy/review/",
        {"country": "US", "area_code": "212", "number": one.number.e164, "number_type": "local"},
    )


def test_a_member_asks_from_the_review_page(acme, as_member, owner, offers):
    page = review_page(as_member, offers[0])
    assert "Ask for this number" in page.content.decode()
    answer = as_member.post(
        "/w/acme/numbers/requests/ask/", {**form_in(page), "note": "Please"}, follow=True
    )
    assert "It waits for a decision" in answer.content.decode()
    assert PurchaseRequest.objects.get().note == "Please"


def test_a_viewer_asks_too_and_an_outsider_does_not(acme, as_viewer, as_outsider, offers):
    form = form_in(review_page(as_viewer, offers[0]))
    assert as_outsider.post("/w/acme/numbers/requests/ask/", form).status_code == 404
    assert as_viewer.post("/w/acme/numbers/requests/ask/", form).status_code == 302


def test_who_may_buy_is_shown_todays_price(acme, as_owner, asked):
    CountryOffer.objects.update(provider_price=Decimal("1.25"))
    page = as_owner.get(address(asked))
    text = page.content.decode()
    assert "cost $1.38 a month when it was asked for and costs $1.50 now" in text
    assert "Approve and buy for $3.00" in text
    assert as_owner.post(address(asked, "approve/"), form_in(page)).status_code == 302
    assert {line.monthly_price for line in NumberOrder.objects.get().lines.all()} == {
        Decimal("1.50")
    }


def test_a_price_that_changes_after_the_page_is_told(acme, as_owner, asked, money):
    form = form_in(as_owner.get(address(asked)))
    CountryOffer.objects.update(provider_price=Decimal("1.25"))
    answer = as_owner.post(address(asked, "approve/"), form)
    assert answer.status_code == 422
    assert "The price has changed" in answer.content.decode()
    assert money(acme) == (FIFTY, 0)
    assert as_owner.post(address(asked, "approve/"), form_in(answer)).status_code == 302


def test_what_is_gone_is_left_out_and_told(acme, as_owner, asked, simulator):
    gone = ask.reviewed(asked).numbers[0].number.e164
    simulator.seed(gone, account="AC" + "9" * 32)
    page = as_owner.get(address(asked))
    text = page.content.decode()
    assert "One number is left out" in text
    assert "Approve and buy for $1.38" in text
    as_owner.post(address(asked, "approve/"), form_in(page))
    assert NumberOrder.objects.get().lines.count() == 1


def test_what_is_all_gone_can_only_be_declined(acme, as_owner, asked, simulator):
    for one in ask.reviewed(asked).numbers:
        simulator.seed(one.number.e164, account="AC" + "9" * 32)
    text = as_owner.get(address(asked)).content.decode()
    assert "None of this can be bought any more" in text
    assert "Approve and buy" not in text
    assert as_owner.post(address(asked, "decline/"), {"reason": "Gone"}).status_code == 302


def test_declining_needs_a_reason(as_owner, asked):
    page = as_owner.post(address(asked, "decline/"), {"reason": " "})
    assert page.status_code == 422
    assert "Say why" in page.content.decode()
    asked.refresh_from_db()
    assert asked.state == State.WAITING


def test_members_see_their_own_requests_and_decide_nothing(acme, asked, as_member, as_viewer):
    assert "2 numbers" in as_member.get("/w/acme/numbers/requests/").content.decode()
    assert "2 numbers" not in as_viewer.get("/w/acme/numbers/requests/").content.decode()
    assert as_member.get(address(asked)).status_code == 200
    assert as_viewer.get(address(asked)).status_code == 404
    for what in ("approve/", "decline/"):
        assert as_member.post(address(asked, what), {"reason": "x"}).status_code == 403
    assert as_viewer.post(address(asked, "withdraw/")).status_code == 404
    assert as_member.post(address(asked, "withdraw/")).status_code == 302


def test_a_request_of_another_workspace_does_not_exist(asked, as_outsider, outsider, globex):
    assert as_outsider.get(address(asked)).status_code == 404
    there = f"/w/globex/numbers/requests/{asked.reference}/"
    assert as_outsider.get(there).status_code == 404
    assert as_outsider.post(there + "approve/").status_code == 404


def test_a_quote_of_something_else_does_not_approve(acme, as_owner, asked, owner, offers, money):
    form = form_in(review_page(as_owner, offers[5]))
    assert as_owner.post(address(asked, "approve/"), form).status_code == 422
    assert money(acme) == (FIFTY, 0)


def test_who_asked_and_may_buy_by_now_decides(acme, asked, member, as_member):
    Membership.objects.filter(user=member).update(role=Role.ADMIN)
    page = as_member.get(address(asked))
    assert as_member.post(address(asked, "approve/"), form_in(page)).status_code == 302


def test_the_list_does_not_ask_more_with_more_requests(
    acme, member, as_owner, quoted, django_assert_max_num_queries
):
    for _ in range(5):
        ask.ask_for(workspace=acme, by=member, quote=quoted())
    as_owner.get("/w/acme/numbers/requests/")
    with django_assert_max_num_queries(8):
        as_owner.get("/w/acme/numbers/requests/")
