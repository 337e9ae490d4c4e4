"""Asking for a number without the permission to buy: the mail, the list, the yes and the no."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from conftest import make_member
from numbers.models import CountryOffer, Number, NumberOrder, PurchaseRequest
from tests.browser.audit import audit
from tests.browser.steps import FIRST_IN_NEW_YORK, NEW_YORK, REVIEW, tab_to
from wallet.models import Wallet
from workspaces.permissions import Role

REQUESTS = "/w/acme/numbers/requests/"
scripting = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])


def ask(page: Page, note: str = "") -> str:
    """Ask from the review page; returns where the request is."""
    page.get_by_label("A note for whoever decides").fill(note)
    page.get_by_role("button", name="Ask for this number").click()
    expect(page.get_by_role("heading", name="It waits for a decision")).to_be_visible()
    return PurchaseRequest.objects.get().get_absolute_url()


def costs_now(amount: str) -> None:
    CountryOffer.objects.filter(country="US", number_type="local").update(
        provider_price=Decimal(amount)
    )


def nothing_is_bought(workspace, simulator) -> bool:
    wallet = Wallet.objects.get(workspace=workspace)
    return (wallet.balance, wallet.held, simulator.owned()) == (50, 0, [])


@scripting
def test_what_is_asked_for_is_approved_at_todays_price(
    browse, owner, member, acme, simulator, mailoutbox, javascript
):
    asking = browse(member, NEW_YORK, java_script_enabled=javascript)
    asking.get_by_role("link", name=f"Review {FIRST_IN_NEW_YORK}").click()
    where = ask(asking, "For the spring campaign")
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == ([owner.email], f"Max asks for {FIRST_IN_NEW_YORK}")
    assert where in mail.body
    costs_now("1.25")
    deciding = browse(owner, "/", java_script_enabled=javascript)
    deciding.get_by_role("link", name="See the request").click()
    deciding.get_by_role("link", name=FIRST_IN_NEW_YORK).click()
    expect(deciding.get_by_text("For the spring campaign")).to_be_visible()
    expect(
        deciding.get_by_text("cost $1.38 a month when it was asked for and costs $1.50 now")
    ).to_be_visible()
    deciding.get_by_role("button", name="Approve and buy for $1.50").click()
    expect(deciding.get_by_role("heading", name=f"{FIRST_IN_NEW_YORK} is yours")).to_be_visible()
    assert Wallet.objects.get(workspace=acme).balance == Decimal("48.50")
    asking.reload()
    expect(asking.get_by_role("heading", name="Olivia approved it")).to_be_visible()
    asking.get_by_role("link", name="Order ORD-").click()
    expect(asking.get_by_role("heading", name=f"{FIRST_IN_NEW_YORK} is yours")).to_be_visible()
    assert (mailoutbox[-1].to, len(mailoutbox)) == ([member.email], 2)
    assert mailoutbox[-1].subject == f"Olivia approved your request for {FIRST_IN_NEW_YORK}"


@scripting
def test_what_is_declined_says_why(browse, owner, member, acme, simulator, mailoutbox, javascript):
    asking = browse(member, REVIEW, java_script_enabled=javascript)
    where = ask(asking)
    deciding = browse(owner, where, java_script_enabled=javascript)
    deciding.get_by_role("button", name="Decline").click()
    field = deciding.get_by_label("Reason, if you decline")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(deciding.get_by_text("Say why, so that it can be put right.")).to_be_visible()
    if javascript:
        audit(deciding)
    field.fill("We have one in New York already.")
    deciding.get_by_role("button", name="Decline").click()
    expect(deciding.get_by_role("heading", name="Olivia declined it")).to_be_visible()
    asking.goto(REQUESTS)
    expect(asking.locator(".order-lines > li")).to_contain_text("Declined")
    asking.get_by_role("link", name=FIRST_IN_NEW_YORK).click()
    expect(asking.get_by_text("We have one in New York already.")).to_be_visible()
    expect(asking.get_by_text("Nothing was charged.")).to_be_visible()
    assert "We have one in New York already." in mailoutbox[-1].body
    assert nothing_is_bought(acme, simulator)


def test_a_price_that_changes_after_the_page_is_asked_about_again(
    browse, owner, member, acme, simulator
):
    deciding = browse(owner, ask(browse(member, REVIEW)))
    costs_now("1.25")
    deciding.get_by_role("button", name="Approve and buy for $1.38").click()
    alert = deciding.get_by_role("alert")
    expect(alert.get_by_role("heading", name="The price has changed")).to_be_visible()
    expect(alert).to_contain_text("Nothing was charged.")
    audit(deciding)
    assert nothing_is_bought(acme, simulator)
    deciding.get_by_role("button", name="Approve and buy for $1.50").click()
    expect(deciding.get_by_role("heading", name="is yours")).to_be_visible()


def test_what_is_gone_by_then_can_only_be_declined(browse, owner, member, simulator):
    where = ask(browse(member, REVIEW))
    simulator.seed("+12127466496", account="AC" + "2" * 32)
    deciding = browse(owner, where)
    expect(deciding.get_by_text("None of this can be bought any more.")).to_be_visible()
    expect(deciding.get_by_role("button", name="Approve")).to_have_count(0)
    audit(deciding)


def test_of_two_who_decide_the_second_is_told(browse, owner, member, acme, simulator):
    where = ask(browse(member, REVIEW))
    late = browse(owner, where)
    soon = browse(owner, where)
    soon.get_by_label("Reason, if you decline").fill("Not now.")
    soon.get_by_role("button", name="Decline").click()
    expect(soon.get_by_role("heading", name="Olivia declined it")).to_be_visible()
    late.get_by_role("button", name="Approve and buy").click()
    alert = late.get_by_role("alert")
    expect(alert.get_by_role("heading", name="This request is decided already")).to_be_visible()
    audit(late)
    assert nothing_is_bought(acme, simulator)


def test_a_wallet_without_the_money_is_told_before_it_is_approved(browse, globex, outsider):
    mia = make_member(globex, Role.MEMBER, "mia@globex.test", "Mia")
    asking = browse(mia, "/w/globex/numbers/buy/?country=US&type=toll_free")
    asking.get_by_role("link", name="Review").first.click()
    deciding = browse(outsider, ask(asking))
    expect(deciding.get_by_role("heading", name="$0.58 is missing")).to_be_visible()
    expect(deciding.get_by_role("link", name="Add funds")).to_be_visible()
    expect(deciding.get_by_role("button", name="Approve")).to_have_count(0)
    audit(deciding)


def test_who_asked_takes_it_back(browse, owner, member, acme, simulator):
    asking = browse(member, REVIEW)
    where = ask(asking)
    asking.get_by_role("button", name="Take it back").click()
    expect(asking.get_by_role("heading", name="It was taken back")).to_be_visible()
    audit(asking)
    deciding = browse(owner, where)
    expect(deciding.get_by_role("button", name="Approve")).to_have_count(0)
    assert nothing_is_bought(acme, simulator)


def test_it_works_with_the_keyboard_alone(browse, owner, member, acme):
    asking = browse(member, REVIEW)
    tab_to(asking, asking.get_by_label("A note for whoever decides"))
    asking.keyboard.type("For the door")
    tab_to(asking, asking.get_by_role("button", name="Ask for this number"))
    asking.keyboard.press("Space")
    expect(asking.get_by_role("heading", name="It waits for a decision")).to_be_visible()
    deciding = browse(owner, REQUESTS)
    tab_to(deciding, deciding.get_by_role("link", name=FIRST_IN_NEW_YORK))
    deciding.keyboard.press("Enter")
    button = deciding.get_by_role("button", name="Approve and buy for $1.38")
    expect(button).to_be_visible()
    tab_to(deciding, button)
    deciding.keyboard.press("Space")
    expect(deciding.get_by_role("heading", name="is yours")).to_be_visible()
    assert NumberOrder.objects.count() == Number.objects.count() == 1


def test_approving_twice_buys_once(browse, owner, member, acme):
    deciding = browse(owner, ask(browse(member, REVIEW)))
    deciding.get_by_role("button", name="Approve and buy").dblclick()
    expect(deciding.get_by_role("heading", name="is yours")).to_be_visible()
    deciding.go_back()
    expect(deciding.get_by_role("heading", name="Olivia approved it")).to_be_visible()
    assert NumberOrder.objects.count() == Number.objects.count() == 1


def test_each_page_on_the_way_is_readable_for_all(browse, owner, member):
    asking = browse(member, REVIEW)
    audit(asking)
    where = ask(asking, "For the spring campaign")
    audit(asking)
    deciding = browse(owner, "/")
    expect(
        deciding.get_by_role("heading", name="1 request for numbers waits for your decision")
    ).to_be_visible()
    audit(deciding)
    deciding.goto(REQUESTS)
    audit(deciding)
    deciding.goto(where)
    audit(deciding)
    deciding.get_by_role("button", name="Approve and buy").click()
    expect(deciding.get_by_role("heading", name="is yours")).to_be_visible()
    for page, address in ((asking, where), (asking, REQUESTS), (deciding, where)):
        page.goto(address)
        audit(page)


def test_with_nothing_asked_for_the_list_says_how_one_asks(browse, owner, member):
    for person in (owner, member):
        page = browse(person, REQUESTS)
        expect(page.get_by_role("heading", name=re.compile("asked for"))).to_be_visible()
        audit(page)
