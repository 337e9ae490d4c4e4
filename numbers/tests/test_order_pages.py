"""Placing an order, POST /w/<workspace>/numbers/orders/, and looking at it afterwards."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from conftest import make_member, signed_in
from numbers import quote as quotes
from numbers import settle
from numbers.models import CountryOffer, Number, NumberOrder, OrderLine
from numbers.order_log import OrderStep
from numbers.pricing import price_of
from telephony import provider
from telephony.values import NumberQuery, NumberType
from wallet.models import Entry, Kind
from workspaces.models import Membership
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = "/w/acme/numbers/orders/"
PURCHASES = {"method": "POST", "path_contains": "IncomingPhoneNumbers"}


def nothing_happened(simulator) -> bool:
    return (
        not NumberOrder.objects.exists()
        and not Entry.objects.exclude(kind=Kind.TOP_UP).exists()
        and simulator.owned() == []
    )


def test_confirming_buys_and_leads_to_the_order(as_owner, signed, simulator):
    answer = as_owner.post(ORDERS, signed)
    order = NumberOrder.objects.get()
    assert (answer.status_code, answer.url) == (302, f"{ORDERS}{order.reference}/")
    page = as_owner.get(answer.url)
    for words in ("+1 212-746-6496", "is yours", order.reference, "Next steps", "$1.38", "$48.62"):
        assert words in page.text


def test_confirming_twice_is_one_order(as_owner, signed, simulator):
    first, second = (as_owner.post(ORDERS, signed) for _ in range(2))
    assert first.url == second.url
    assert (Number.objects.count(), len(simulator.owned())) == (1, 1)


def altered(text: str) -> str:
    return text[:-1] + ("A" if text[-1] != "A" else "B")


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: "",
        lambda text: "\0",
        lambda text: "😀" * 20,
        lambda text: "x" * 10_000,
        lambda text: text + "\0",
        altered,
        lambda text: ".eJw" + text,
    ],
    ids=["empty", "nul", "emoji", "10 kB", "nul at the end", "one character", "prefix"],
)
def test_a_quote_that_is_not_ours_buys_nothing(as_owner, signed, simulator, forge):
    page = as_owner.post(ORDERS, {"quote": forge(signed["quote"])})
    assert page.status_code == 422
    assert "Nothing was charged." in page.text
    assert nothing_happened(simulator)


def test_a_form_without_a_quote_buys_nothing(as_owner, simulator):
    assert as_owner.post(ORDERS).status_code == 422
    assert nothing_happened(simulator)


def test_the_quote_of_another_person_buys_nothing(acme, signed, simulator):
    ada = make_member(acme, Role.ADMIN, "ada@acme.test")
    assert signed_in(ada).post(ORDERS, signed).status_code == 422
    assert nothing_happened(simulator)


def test_the_quote_of_another_workspace_buys_nothing(as_owner, owner, globex, signed, simulator):
    Membership.objects.create(workspace=globex, user=owner, role=Role.OWNER)
    answer = as_owner.post(ORDERS.replace("acme", "globex"), signed)
    assert answer.status_code == 422
    assert nothing_happened(simulator)


def test_a_quote_is_good_for_half_an_hour(as_owner, signed, simulator):
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        page = as_owner.post(ORDERS, signed)
    assert page.status_code == 422
    assert "This page has been open for too long" in page.text
    assert nothing_happened(simulator)
    with time_machine.travel(timezone.now() + timedelta(minutes=29)):
        assert as_owner.post(ORDERS, signed).status_code == 302


@pytest.mark.parametrize("client_of", ["as_member", "as_viewer"])
def test_without_the_permission_nothing_is_bought(request, owner, signed, simulator, client_of):
    page = request.getfixturevalue(client_of).post(ORDERS, signed)
    assert page.status_code == 403
    assert "numbers_create" in page.text
    assert 'href="mailto:owner@acme.test">Olivia</a>' in page.text
    assert "nothing was charged" in page.text
    assert nothing_happened(simulator)


def test_an_outsider_finds_nothing_there(as_outsider, signed, simulator):
    assert as_outsider.post(ORDERS, signed).status_code == 404
    assert nothing_happened(simulator)


def test_whoever_was_signed_out_comes_back_to_the_review(client, signed, simulator):
    review = "http://testserver/w/acme/numbers/buy/review/?country=US&number=%2B1"
    answer = client.post(ORDERS, signed, headers={"referer": review})
    assert answer.status_code == 302
    assert answer.url == (
        "/accounts/login/?next=/w/acme/numbers/buy/review/%3Fcountry%3DUS%26number%3D%252B1"
    )
    assert nothing_happened(simulator)


def test_whoever_was_signed_out_is_not_led_to_another_site(client, signed, simulator):
    answer = client.post(ORDERS, signed, headers={"referer": "http://evil.test/w/acme/"})
    assert answer.url == "/accounts/login/?next=/"


def test_a_form_without_its_token_is_refused_with_words(owner, signed, simulator):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    page = client.post(ORDERS, signed)
    assert page.status_code == 403
    assert "nothing was charged" in page.text
    assert nothing_happened(simulator)


def test_the_address_of_the_form_cannot_be_opened(as_owner):
    page = as_owner.get(ORDERS)
    assert (page.status_code, page.headers["Allow"]) == (405, "POST")
    assert "This address only takes forms" in page.text


def test_too_little_money_is_refused_with_a_way_to_add_it(outsider, as_outsider, globex, simulator):
    query = NumberQuery(country="US", number_type=NumberType.TOLL_FREE, limit=1)
    [number] = provider.search(query)
    quote = quotes.new_quote(number, price_of("US", NumberType.TOLL_FREE), "country=US")
    form = {"quote": quotes.sign(quote, workspace=globex, by=outsider)}
    page = as_outsider.post(ORDERS.replace("acme", "globex"), form)
    assert page.status_code == 422
    assert "Not enough money in the wallet" in page.text
    assert "Nothing was charged." in page.text
    assert "missing=0.58" in page.text
    assert nothing_happened(simulator)


def test_a_changed_price_is_asked_about_again(as_owner, quote, signed, simulator):
    CountryOffer.objects.filter(country="US", number_type="local").update(
        provider_price=Decimal("1.25")
    )
    page = as_owner.post(ORDERS, signed)
    assert page.status_code == 422
    assert "It was $1.38 a month when you looked and is $1.50 now." in page.text
    assert "Nothing was charged." in page.text
    assert nothing_happened(simulator)
    again = as_owner.post(ORDERS, {"quote": page.context["signed_quote"]})
    assert again.status_code == 302
    assert Number.objects.get().monthly_price == Decimal("1.50")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("taken", "was available a moment ago and is not any more"),
        ("address_required", "need a registered address"),
        ("bundle_required", "need approved identity documents"),
        ("trial", "trial accounts cannot buy it"),
        ("unauthorized", "The Twilio credentials of this site are missing or wrong"),
        ("suspended", "has suspended the account"),
        ("rate_limited", "The carrier has a problem or is busy"),
    ],
)
def test_each_refusal_of_the_provider_has_its_own_sentence(
    as_owner, signed, money, acme, simulator, fault, words
):
    simulator.fault(fault, times=-1, **PURCHASES)
    page = as_owner.post(ORDERS, signed, follow=True)
    assert words in page.text
    assert "Nothing was charged" in page.text
    assert 'href="/w/acme/numbers/buy/?country=US&amp;area_code=212">Search again' in page.text
    assert money(acme) == (50, 0)


def test_an_order_under_way_says_that_nothing_is_charged_twice(as_owner, signed, simulator):
    simulator.fault("answer_lost", **PURCHASES)
    page = as_owner.post(ORDERS, signed, follow=True)
    assert "We are checking with the carrier" in page.text
    words = " ".join(page.text.split())
    assert "$1.38 is set aside and not charged; you will not be charged twice" in words
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert 'hx-trigger="every 2s"' in page.text


def test_every_step_is_told_with_its_time(as_owner, signed, simulator):
    page = as_owner.post(ORDERS, signed, follow=True).text
    texts = ("Ordered by Olivia.", "Asked the carrier for it.", "The carrier confirmed it.")
    steps = OrderStep.objects.order_by("pk")
    for text, step in zip(texts, steps, strict=True):
        assert text in page
        assert f'<time datetime="{step.at.isoformat()}"' in page


def test_a_number_that_is_not_connected_yet_says_so_on_both_pages(as_owner, signed, simulator):
    address = as_owner.post(ORDERS, signed).url
    Number.objects.update(webhooks_set_at=None)
    page = " ".join(as_owner.get(address).text.split())
    assert "is yours" in page
    assert "Calls and messages do not reach it yet. It is being connected" in page
    assert "Active, connecting" in as_owner.get("/w/acme/numbers/").text
    settle.repair_webhooks()
    assert "Active, connecting" not in as_owner.get("/w/acme/numbers/").text
    assert "It is being connected" not in as_owner.get(address).text


def test_a_settled_order_does_not_ask_again(as_owner, signed, simulator):
    page = as_owner.post(ORDERS, signed, follow=True)
    assert "http-equiv" not in page.text
    assert "hx-trigger" not in page.text


def test_looking_at_an_order_rings_for_it_once_its_caller_has_hung_up(as_owner, signed, simulator):
    simulator.fault("answer_lost", **PURCHASES)
    address = as_owner.post(ORDERS, signed).url
    OrderLine.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    as_owner.get(address)
    assert OrderLine.objects.get().state == OrderLine.State.CHECKING
    OrderLine.objects.update(due_at=timezone.now())
    as_owner.get(address)
    assert OrderLine.objects.get().state == OrderLine.State.DONE


def test_htmx_gets_the_order_alone_and_the_balance_with_it(as_owner, signed, simulator):
    address = as_owner.post(ORDERS, signed).url
    fragment = as_owner.get(address, headers={"HX-Request": "true", "HX-Target": "order"})
    assert fragment.text.startswith('<div id="order"')
    assert 'id="header-balance" class="amount" hx-swap-oob="true">$48.62' in fragment.text
    assert "hx-swap-oob" not in as_owner.get(address).text


def test_a_viewer_gets_no_balance_with_the_order(as_owner, as_viewer, signed, simulator):
    address = as_owner.post(ORDERS, signed).url
    fragment = as_viewer.get(address, headers={"HX-Request": "true", "HX-Target": "order"})
    assert fragment.status_code == 200
    assert "header-balance" not in fragment.text


@pytest.mark.parametrize("client_of", ["as_member", "as_viewer"])
def test_everybody_in_the_workspace_may_look_at_an_order(
    request, as_owner, signed, simulator, client_of
):
    address = as_owner.post(ORDERS, signed).url
    assert request.getfixturevalue(client_of).get(address).status_code == 200


def test_an_order_is_not_seen_from_another_workspace(
    as_owner, as_outsider, outsider, signed, simulator
):
    address = as_owner.post(ORDERS, signed).url
    assert as_outsider.get(address).status_code == 404
    assert as_outsider.get(address.replace("acme", "globex")).status_code == 404


@pytest.mark.parametrize("reference", ["ORD-NONE", "x" * 300, "ord%00", "%F0%9F%98%80"])
def test_an_order_that_is_none_is_not_found(as_owner, reference):
    assert as_owner.get(f"{ORDERS}{reference}/").status_code == 404


def test_an_order_is_only_for_reading(as_owner, signed, simulator):
    address = as_owner.post(ORDERS, signed).url
    assert as_owner.post(address).status_code == 405


def test_whoever_is_not_signed_in_is_led_to_the_login(client):
    assert client.get(f"{ORDERS}ORD-NONE/").url.startswith("/accounts/login/")


def test_the_queries_are_few(as_owner, signed, simulator, django_assert_max_num_queries):
    address = as_owner.post(ORDERS, signed).url
    with django_assert_max_num_queries(8):
        as_owner.get(address)


def test_the_queries_are_few_while_it_is_checked(
    as_owner, signed, simulator, django_assert_max_num_queries
):
    simulator.fault("answer_lost", **PURCHASES)
    address = as_owner.post(ORDERS, signed).url
    OrderLine.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    with django_assert_max_num_queries(8):
        as_owner.get(address)


def test_a_quote_keeps_its_price_and_number_whatever_else_the_form_says(
    as_owner, quote, signed, simulator
):
    as_owner.post(ORDERS, signed | {"price": "0.01", "number": "+12125550100"})
    number = Number.objects.get()
    assert (number.e164, number.monthly_price) == (quote.number.e164, quote.price.amount)
    assert replace(quote.price, amount=number.monthly_price) == quote.price
