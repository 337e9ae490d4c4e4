"""Adding funds: credited exactly once, whatever comes first, twice or never."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from conftest import make_member, signed_in
from wallet import ledger, stripe_events, tasks
from wallet.models import Entry, Kind, StripeEvent, TopUp, Wallet
from wallet.settle import settle
from wallet.stripe_client import PaymentsDown
from wallet.stripe_simulator import webhooks
from wallet.stripe_simulator.fixtures import SECRET
from wallet.tests.test_ledger_races import at_once
from wallet.top_up import TopUpOutOfBounds, cancel, open_checkout, start_top_up
from workspaces.models import AuditEvent, Membership
from workspaces.permissions import Role


def begin(workspace, by, amount="20.00", **kwargs) -> TopUp:
    top_up = start_top_up(workspace=workspace, by=by, amount=Decimal(amount), key=uuid4(), **kwargs)
    open_checkout(top_up)
    top_up.refresh_from_db()
    return top_up


def balance(workspace) -> Decimal:
    return Wallet.objects.get(workspace=workspace).balance


def card_credits(workspace) -> int:
    return Entry.objects.filter(wallet_id=workspace.pk, kind=Kind.TOP_UP, contra="stripe").count()


def sweep_later() -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        tasks.settle_open_top_ups()


@pytest.mark.parametrize("card", ["succeeds", "doubled"])
def test_paid_is_credited_once_by_the_webhook(acme, owner, stripe, card):
    top_up = begin(acme, owner)
    assert stripe.payments.pay(top_up.session_id, card)
    assert set(stripe.deliver()) == {200}

    top_up.refresh_from_db()
    assert (top_up.state, balance(acme), card_credits(acme)) == ("paid", Decimal("70"), 1)
    entry = Entry.objects.get(wallet_id=acme.pk, contra="stripe")
    assert (entry.reference, entry.key) == (top_up.reference, f"top-up:{top_up.reference}")
    assert AuditEvent.objects.get(action="wallet.topped_up").by == owner


def test_lost_webhook_is_made_good_by_the_sweep(acme, owner, stripe):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "lost")
    assert stripe.deliver() == []
    assert balance(acme) == 50

    sweep_later()
    assert (balance(acme), card_credits(acme)) == (70, 1)


def test_webhook_sweep_and_return_together_credit_once(acme, owner, stripe, as_owner):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "doubled")
    as_owner.get(f"{top_up.get_absolute_url()}?returned=1")
    sweep_later()
    stripe.deliver()
    assert (balance(acme), card_credits(acme)) == (70, 1)


def test_slow_payment_waits_and_is_credited_when_it_arrives(acme, owner, stripe):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "slow")
    stripe.deliver()
    top_up.refresh_from_db()
    assert (top_up.state, balance(acme)) == ("processing", 50)

    stripe.later.pop()()
    stripe.deliver()
    top_up.refresh_from_db()
    assert (top_up.state, balance(acme)) == ("paid", 70)


def test_slow_payment_that_fails_adds_nothing(acme, owner, stripe):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "slow")
    stripe.deliver()
    stripe.payments.finish(top_up.session_id, paid=False)
    stripe.events.clear()  # the webhook is lost: the sweep finds out
    sweep_later()
    top_up.refresh_from_db()
    assert (top_up.state, balance(acme)) == ("failed", 50)


def test_declined_card_leaves_the_payment_open_for_another(acme, owner, stripe):
    top_up = begin(acme, owner)
    assert not stripe.payments.pay(top_up.session_id, "declined")
    sweep_later()
    assert balance(acme) == 50
    assert stripe.payments.pay(top_up.session_id, "succeeds")
    stripe.deliver()
    assert balance(acme) == 70


def test_unpaid_expires_and_is_said(acme, owner, stripe):
    top_up = begin(acme, owner)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        tasks.settle_open_top_ups()
    top_up.refresh_from_db()
    assert (top_up.state, balance(acme)) == ("expired", 50)


def test_never_opened_expires_without_asking(acme, owner, stripe):
    top_up = start_top_up(workspace=acme, by=owner, amount=Decimal(20), key=uuid4())
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        tasks.settle_open_top_ups()
    top_up.refresh_from_db()
    assert (top_up.state, stripe.app.log) == ("expired", [])


def test_cancelled_cannot_be_paid(acme, owner, stripe):
    top_up = cancel(top_up=begin(acme, owner), by=owner)
    assert top_up.state == "cancelled"
    assert not stripe.payments.pay(top_up.session_id, "succeeds")
    stripe.deliver()
    assert (balance(acme), TopUp.objects.get().state) == (50, "cancelled")


def test_cancelling_what_was_paid_meanwhile_finds_it_paid(acme, owner, stripe):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "lost")
    assert cancel(top_up=top_up, by=owner).state == "paid"
    assert balance(acme) == 70


def test_answer_lost_on_creating_asks_again_for_the_same_page(acme, owner, stripe):
    stripe.app.faults.append(("answer_lost", "checkout/sessions"))
    top_up = start_top_up(workspace=acme, by=owner, amount=Decimal(20), key=uuid4())
    with pytest.raises(PaymentsDown):
        open_checkout(top_up)
    address = open_checkout(top_up)
    [session] = stripe.state.newest("checkout.session")
    assert address == session["url"]


def test_stripe_down_leaves_it_for_the_next_round(acme, owner, stripe):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "lost")
    stripe.app.faults.append(("server_error", "checkout/sessions"))
    sweep_later()
    assert balance(acme) == 50
    settle(TopUp.objects.get())
    assert balance(acme) == 70


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", "t=1,v1=00", "old", "other secret"],
)
def test_forged_or_replayed_webhook_is_refused(acme, owner, stripe, header):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "succeeds")
    [body] = stripe.events
    old = int((timezone.now() - timedelta(minutes=6)).timestamp())
    header = {
        "old": webhooks.signature(body, SECRET, old),
        "other secret": webhooks.signature(body, "whsec_other"),
    }.get(header, header)
    assert stripe.post(body, header) == 403
    assert balance(acme) == 50
    assert not StripeEvent.objects.exists()
    assert stripe.post(body) == 200, "the very same bytes, signed, are taken"


def test_signed_event_with_another_amount_writes_nothing(acme, owner, stripe):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "succeeds")
    event = json.loads(stripe.events[0])
    event["data"]["object"]["amount_total"] = 999999
    assert stripe.post(json.dumps(event).encode()) == 400
    assert balance(acme) == 50
    event["data"]["object"] |= {"amount_total": 2000, "currency": "eur"}
    assert stripe.post(json.dumps(event).encode()) == 400
    assert balance(acme) == 50


def test_webhook_takes_posts_only_and_needs_no_csrf(client, stripe, db):
    assert client.get("/webhooks/stripe/").status_code == 405
    assert (
        client.post("/webhooks/stripe/", {}, headers={"Stripe-Signature": "t"}).status_code == 403
    )


def test_event_of_another_product_is_taken_and_left_alone(db, stripe):
    body = webhooks.event(
        stripe.state, "checkout.session.completed",
        {"id": "cs_1", "object": "checkout.session", "client_reference_id": "theirs",
         "payment_status": "paid", "status": "complete"},
    )  # fmt: skip
    assert stripe.post(body) == 200


def paid(acme, owner, stripe, amount="20.00") -> TopUp:
    top_up = begin(acme, owner, amount)
    stripe.payments.pay(top_up.session_id, "succeeds")
    stripe.deliver()
    top_up.refresh_from_db()
    return top_up


def test_who_may_not_see_the_wallet_reads_no_balance_where_funds_are_added(acme, owner, stripe):
    top_up = paid(acme, owner, stripe)
    admin = make_member(acme, Role.ADMIN, "ada@acme.test")
    browser = signed_in(admin)
    pages = (top_up.get_absolute_url(), "/w/acme/wallet/add/")
    assert all("$70.00" in browser.get(page).text for page in pages)
    Membership.objects.filter(user=admin).update(withdrawn=["wallet_view"])
    paid_page, adding_page = (browser.get(page) for page in pages)
    assert "It is in the wallet of Acme." in paid_page.text
    assert "Go to the payment page" in adding_page.text
    for page in (paid_page, adding_page):
        assert page.status_code == 200
        assert "70.00" not in page.text
        assert 'class="crumb"' not in page.text, "it would lead to a refusal"


def test_refunds_at_stripe_leave_the_wallet_once_in_any_order(acme, owner, stripe):
    top_up = paid(acme, owner, stripe)
    stripe.payments.refund(top_up.payment_intent_id, 500)
    stripe.payments.refund(top_up.payment_intent_id, 300)
    stripe.events.reverse()
    stripe.events *= 2
    stripe.deliver()
    assert balance(acme) == Decimal("62")
    top_up.refresh_from_db()
    assert top_up.given_back == 8


def test_refund_that_did_not_arrive_comes_back(acme, owner, stripe):
    top_up = paid(acme, owner, stripe)
    stripe.payments.refund(top_up.payment_intent_id)
    stripe.deliver()
    assert balance(acme) == 50
    stripe.payments.refund_fails(top_up.payment_intent_id, 2000)
    stripe.deliver()
    assert balance(acme) == 70


def test_refund_that_overtakes_the_news_of_the_payment(acme, owner, stripe):
    top_up = begin(acme, owner)
    stripe.payments.pay(top_up.session_id, "lost")
    intent = stripe.state.find(top_up.session_id)["payment_intent"]
    stripe.payments.refund(intent, 500)
    assert stripe.deliver() == [200]
    assert (balance(acme), card_credits(acme)) == (65, 1)


def test_dispute_takes_back_what_is_spent_already_and_tells_once(
    acme, owner, stripe, django_capture_on_commit_callbacks
):
    top_up = paid(acme, owner, stripe, "500.00")
    wallet = Wallet.objects.get(workspace=acme)
    ledger.charge(wallet=wallet, kind=Kind.USAGE, amount=Decimal(540), key="u", text="Calls")
    dispute = stripe.payments.dispute(top_up.payment_intent_id)
    stripe.events *= 2
    with django_capture_on_commit_callbacks(execute=True):
        assert set(stripe.deliver()) == {200}
    assert balance(acme) == Decimal("-490")
    told = [sent for sent in mail.outbox if "disputed" in sent.subject]
    assert [sent.to for sent in told] == [["owner@acme.test"]]

    stripe.payments.win(dispute)
    stripe.deliver()
    assert balance(acme) == Decimal("10")


def test_refunds_and_disputes_whose_webhooks_are_lost_are_asked_for(acme, owner, stripe, caplog):
    top_up = paid(acme, owner, stripe)
    stripe.payments.refund(top_up.payment_intent_id, 500)
    stripe.deliver()
    disputed = paid(acme, owner, stripe)
    stripe.payments.refund(top_up.payment_intent_id, 300)
    dispute = stripe.payments.dispute(disputed.payment_intent_id)
    lost, stripe.events = stripe.events, []
    for _ in range(2):
        tasks.ask_for_refunds_and_disputes()
    assert balance(acme) == Decimal("62")
    assert caplog.text.count("had not reached us") == 2
    stripe.events = lost  # they come after all
    stripe.payments.win(dispute)
    stripe.deliver()
    tasks.ask_for_refunds_and_disputes()
    assert balance(acme) == Decimal("82")


def test_many_lost_refunds_are_asked_for_page_by_page(acme, owner, stripe, monkeypatch):
    monkeypatch.setattr(stripe_events, "PAGE", 2)
    top_up = paid(acme, owner, stripe)
    for _ in range(5):
        stripe.payments.refund(top_up.payment_intent_id, 100)
    stripe.events.clear()
    tasks.ask_for_refunds_and_disputes()
    assert balance(acme) == Decimal("65")
    assert StripeEvent.objects.filter(kind="charge.refunded").count() == 5


@pytest.mark.parametrize("amount", ["4.99", "1000.01", "1e30"])
def test_outside_the_bounds_is_refused(acme, owner, amount):
    with pytest.raises((TopUpOutOfBounds, ValueError)):
        start_top_up(workspace=acme, by=owner, amount=Decimal(amount), key=uuid4())
    assert not TopUp.objects.exists()


def test_daily_limit_counts_what_is_open(acme, owner, stripe, settings):
    settings.TOP_UP_MOST_A_DAY = Decimal(50)
    begin(acme, owner, "30.00")
    with pytest.raises(TopUpOutOfBounds, match=r"\$20\.00 of it is left"):
        begin(acme, owner, "20.01")
    begin(acme, owner, "20.00")


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_do_not_pass_the_limit_of_the_day_together(acme, owner, settings):
    settings.TOP_UP_MOST_A_DAY = Decimal(50)

    def start(_: int) -> str:
        start_top_up(workspace=acme, by=owner, amount=Decimal(20), key=uuid4())
        return "begun"

    said = at_once(start)
    assert (said.count("begun"), said.count("TopUpOutOfBounds")) == (2, 6)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_they_do(acme):
    """The same on a bare table: add up, decide, write."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE race_control (amount numeric)")
    try:
        at_once(_add_naively)
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(amount) FROM race_control")
            assert cursor.fetchone()[0] > 50
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE race_control")


def _add_naively(_: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(amount), 0) FROM race_control")
        [added] = cursor.fetchone()
        cursor.execute("SELECT pg_sleep(0.05)")
        if added + 20 <= 50:
            cursor.execute("INSERT INTO race_control VALUES (20)")


def test_limit_is_of_one_workspace(acme, globex, owner, outsider, settings):
    settings.TOP_UP_MOST_A_DAY = Decimal(50)
    for workspace, person in ((acme, owner), (globex, outsider)):
        start_top_up(workspace=workspace, by=person, amount=Decimal(50), key=uuid4())


def test_database_refuses_more_given_back_than_paid(acme, owner, stripe):
    top_up = paid(acme, owner, stripe)
    with pytest.raises(IntegrityError), transaction.atomic():
        TopUp.objects.filter(pk=top_up.pk).update(given_back=21)


# --- The pages --------------------------------------------------------------------------

ADD = "/w/acme/wallet/add/"


@pytest.mark.parametrize(
    ("query", "filled_in", "missing"),
    [
        ({"missing": "7.30"}, "7.30", "7.30"),
        ({"missing": "0.58"}, "5", "0.58"),  # less than can be added
        ({"missing": "7.30", "amount": "25"}, "25", "7.30"),
        ({"amount": "25"}, "25", None),
        ({"missing": "NaN"}, None, None),
        ({"missing": "-3", "amount": "1e9999"}, None, None),
    ],
)
def test_what_is_missing_is_filled_in_and_stays_what_it_is(as_owner, query, filled_in, missing):
    page = as_owner.get(ADD, {**query, "next": "/w/acme/numbers/buy/"})
    amount = page.context["form"].initial["amount"]
    assert (amount, page.context["missing"]) == (
        Decimal(filled_in) if filled_in else None, Decimal(missing) if missing else None,
    )  # fmt: skip
    for _, kept in page.context["presets"]:
        again = as_owner.get(f"{ADD}?{kept}")
        assert again.context["missing"] == page.context["missing"]
    wrong = {**page.context["form"].initial, "amount": "abc", "missing": query.get("missing", "")}
    assert as_owner.post(ADD, wrong).context["missing"] == page.context["missing"]


def post(client, amount="20", key=None, **more):
    return client.post(ADD, {"amount": amount, "key": str(key or uuid4()), **more})


def test_form_leads_to_the_payment_page(as_owner, acme, stripe):
    response = post(as_owner)
    assert response.status_code == 302
    assert response["Location"] == TopUp.objects.get().checkout_url
    page = urlsplit(response["Location"])
    assert (page.hostname, page.path.startswith("/pay/")) == ("stripe.test", True)


def test_form_sent_twice_is_one_payment(as_owner, acme, stripe):
    key = uuid4()
    assert post(as_owner, key=key)["Location"] == post(as_owner, key=key)["Location"]
    assert TopUp.objects.count() == 1


@pytest.mark.parametrize(
    "amount",
    ["", "0", "-5", "NaN", "Infinity", "1e30", "20.001", "10\0", "😀", "x" * 10_000, "4", "5000"],
)
def test_bad_amount_is_422_with_the_input_kept(as_owner, acme, stripe, amount):
    response = post(as_owner, amount)
    assert response.status_code == 422
    assert not TopUp.objects.exists()
    assert 'class="problem"' in response.content.decode()
    if amount == "20.001":
        assert 'value="20.001"' in response.content.decode()


def test_purchase_presets_what_is_missing_and_gets_one_back(as_owner, acme, stripe):
    back = "/w/acme/numbers/buy/review/?country=US"
    page = as_owner.get(ADD, {"missing": "7.30", "next": back}).content.decode()
    assert 'value="7.30"' in page
    assert "Missing for the purchase" in page
    post(as_owner, "7.30", next=back)
    top_up = TopUp.objects.get()
    stripe.payments.pay(top_up.session_id, "succeeds")
    stripe.deliver()
    response = as_owner.get(f"{top_up.get_absolute_url()}?returned=1")
    assert (response.status_code, response["Location"]) == (302, back)
    assert as_owner.get(top_up.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    "back",
    ["https://evil.test/", "//evil.test", "/w/globex/wallet/", "javascript:alert(1)", "/w/acme/\0"],
)
def test_way_back_leads_nowhere_else(as_owner, acme, stripe, back):
    page = as_owner.get(ADD, {"next": back})
    assert page.status_code == 200
    assert page.context["back"] == ""
    post(as_owner, next=back)
    assert TopUp.objects.filter(return_to="").count() == TopUp.objects.count()


def test_return_page_asks_stripe_itself(as_owner, owner, acme, stripe):
    top_up = begin(acme, owner)
    waiting = as_owner.get(f"{top_up.get_absolute_url()}?returned=1").content.decode()
    assert "every 2s" in waiting
    assert 'http-equiv="refresh"' in waiting
    stripe.payments.pay(top_up.session_id, "lost")
    with time_machine.travel(timezone.now() + timedelta(seconds=3)):
        page = as_owner.get(f"{top_up.get_absolute_url()}?returned=1").content.decode()
    assert "$20.00 was added" in page
    assert "every 2s" not in page


def test_back_without_paying_offers_to_pay_or_to_cancel(as_owner, owner, acme, stripe):
    top_up = begin(acme, owner)
    page = as_owner.get(top_up.get_absolute_url()).content.decode()
    assert "Nothing was charged" in page
    assert as_owner.post(f"{top_up.get_absolute_url()}pay/")["Location"] == top_up.checkout_url
    as_owner.post(f"{top_up.get_absolute_url()}cancel/")
    assert "cancelled" in as_owner.get(top_up.get_absolute_url()).content.decode()


def test_form_may_lead_to_stripe_and_nothing_else_may(as_owner, acme, settings, stripe):
    settings.STRIPE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"
    policy = as_owner.get(ADD)["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com" in policy
    assert "stripe" not in as_owner.get("/w/acme/wallet/")["Content-Security-Policy"]


def test_stripe_down_is_said_and_the_input_kept(as_owner, acme, stripe):
    stripe.app.faults.append(("server_error", "checkout"))
    response = post(as_owner, "33")
    assert response.status_code == 503
    assert "does not answer" in response.content.decode()
    assert 'value="33"' in response.content.decode()


def test_without_keys_support_is_named(as_owner, acme, settings):
    settings.STRIPE_API_KEY = ""
    response = post(as_owner)
    assert response.status_code == 503
    assert settings.SUPPORT_EMAIL in response.content.decode()


@pytest.mark.parametrize("address", ["", "pay/", "cancel/"])
def test_top_up_of_another_workspace_is_not_found(as_owner, stripe, outsider, globex, address):
    theirs = begin(globex, outsider)
    url = f"{ADD}{theirs.reference}/{address}"
    response = as_owner.post(url) if address else as_owner.get(url)
    assert response.status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == "open"


@pytest.mark.parametrize(
    ("who", "status"), [("member", 403), ("viewer", 403), ("outsider", 404), ("nobody", 302)]
)
def test_who_may_not_add_funds(who, status, acme, member, viewer, outsider, owner, stripe, client):
    top_up = begin(acme, owner)
    person = {"member": member, "viewer": viewer, "outsider": outsider}.get(who)
    if person:
        client.force_login(person)
    mine = top_up.get_absolute_url()
    answers = [client.get(ADD), post(client), client.get(mine), client.post(f"{mine}cancel/")]
    assert {answer.status_code for answer in answers} == {status}
    assert TopUp.objects.count() == 1


@pytest.mark.parametrize("address", [ADD, f"{ADD}TOP-22222222/"])
@pytest.mark.parametrize("value", ["\0", "😀", "x" * 10_000, "-1", "NaN"])
def test_hostile_parameters_give_a_page(as_owner, acme, owner, address, value, stripe):
    TopUp.objects.filter(pk=begin(acme, owner).pk).update(reference="TOP-22222222")
    for name in ("amount", "next", "returned"):
        assert as_owner.get(address, {name: value}).status_code == 200


def test_at_most_eight_queries(as_owner, owner, acme, stripe, django_assert_max_num_queries):
    for _ in range(3):
        top_up = begin(acme, owner)
    as_owner.get(ADD)
    with django_assert_max_num_queries(8):
        as_owner.get(ADD)
    cancel(top_up=top_up, by=owner)  # a task that rings is not part of the page
    with django_assert_max_num_queries(8):
        as_owner.get(top_up.get_absolute_url())


def test_production_refuses_simulated_payments():
    env = os.environ | {
        "DEMO_MODE": "false", "TWILIO_API_BASE": "", "STRIPE_API_BASE": "http://stripe.test",
    }  # fmt: skip
    found = subprocess.run(
        [sys.executable, "-c", "import numbers_project.settings"], env=env, capture_output=True,
        text=True,
    )  # fmt: skip
    assert found.returncode == 1
    assert "STRIPE_API_BASE" in found.stderr
