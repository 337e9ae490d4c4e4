"""The automatic recharge: once for each cause, and never against the bank's no."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from wallet import cards, ledger, recharge, tasks
from wallet.models import AutoRecharge, Entry, Kind, SavedCard, TopUp, Wallet
from wallet.settle import settle
from wallet.tests.test_ledger_races import at_once
from wallet.top_up import TopUpOver, cancel, start_top_up
from workspaces.models import AuditEvent, Notice

PAGE = "/w/acme/wallet/recharge/"


def save_card(workspace, by, stripe, card="succeeds") -> SavedCard:
    saved = cards.start_saving(workspace=workspace, by=by)
    cards.open_setup(saved)
    saved.refresh_from_db()
    assert stripe.payments.save_card(saved.session_id, card)
    if not stripe.deliver():  # the webhook is lost: the sweep finds out
        later(tasks.settle_open_top_ups)
    saved.refresh_from_db()
    return saved


def switch_on(workspace, by, threshold="20", amount="25", cap="100") -> AutoRecharge:
    return recharge.set_recharge(
        workspace=workspace, by=by, is_on=True, threshold=Decimal(threshold),
        amount=Decimal(amount), monthly_cap=Decimal(cap),
    )  # fmt: skip


@pytest.fixture
def low(acme, owner, stripe):
    """``low(card)``: the recharge is on with a card that behaves so, and $10.00 is left."""

    def make(card="succeeds", **amounts) -> Wallet:
        save_card(acme, owner, stripe, card)
        switch_on(acme, owner, **amounts)
        return spend(acme, "40")

    return make


def spend(workspace, amount) -> Wallet:
    wallet = Wallet.objects.get(workspace=workspace)
    ledger.charge(
        wallet=wallet, kind=Kind.USAGE, amount=Decimal(amount), key=str(uuid4()), text="Calls"
    )
    return wallet


def later(work, **wait) -> None:
    with time_machine.travel(timezone.now() + timedelta(**wait or {"minutes": 2})):
        work()


def balance(workspace) -> Decimal:
    return Wallet.objects.get(workspace=workspace).balance


def states() -> list[str]:
    return list(TopUp.objects.order_by("pk").values_list("state", flat=True))


def charges_at(stripe) -> int:
    return len(stripe.state.newest("payment_intent"))


# --- The card -----------------------------------------------------------------------------


@pytest.mark.parametrize("card", ["succeeds", "lost", "doubled"])
def test_card_is_saved_once_whatever_the_webhook_does(acme, owner, stripe, card):
    saved = save_card(acme, owner, stripe, card)
    assert saved.state == "saved"
    assert AutoRecharge.objects.get().card == saved
    assert AuditEvent.objects.filter(action="wallet.card_saved").count() == 1
    assert not Entry.objects.filter(contra="stripe").exists()


def test_another_card_takes_its_place_and_stripe_forgets_the_first(acme, owner, stripe):
    first = save_card(acme, owner, stripe)
    second = save_card(acme, owner, stripe, "doubled")
    assert AutoRecharge.objects.get().card == second
    later(tasks.settle_open_top_ups)
    first.refresh_from_db()
    assert first.state == "removed"
    assert stripe.state.find(first.payment_method_id)["customer"] is None


def test_removed_card_switches_it_off(low, acme, owner, stripe):
    low()
    cards.remove_card(workspace=acme, by=owner)
    wanted = AutoRecharge.objects.get()
    assert (wanted.is_on, wanted.card) == (False, None)
    tasks.recharge_low_wallets()
    assert charges_at(stripe) == 0
    later(tasks.settle_open_top_ups)
    assert SavedCard.objects.get().state == "removed"


def test_card_that_nobody_saved_expires(acme, owner, stripe):
    saved = cards.start_saving(workspace=acme, by=owner)
    cards.open_setup(saved)
    later(tasks.settle_open_top_ups, minutes=61)
    saved.refresh_from_db()
    assert saved.state == "expired"


def test_without_a_card_it_cannot_be_switched_on(acme, owner):
    with pytest.raises(recharge.NoCard):
        switch_on(acme, owner)
    assert not AutoRecharge.objects.filter(is_on=True).exists()


# --- Recharging ---------------------------------------------------------------------------


@pytest.mark.parametrize("card", ["succeeds", "lost", "doubled"])
def test_low_wallet_is_recharged_once(low, acme, stripe, card):
    low(card)
    tasks.recharge_low_wallets()
    stripe.deliver()
    tasks.recharge_low_wallets()
    assert (balance(acme), states(), charges_at(stripe)) == (35, ["paid"], 1)
    entry = Entry.objects.get(contra="stripe")
    assert (entry.text, entry.by) == ("Funds added by automatic recharge", None)


def test_off_by_default_and_not_while_there_is_enough(acme, owner, stripe):
    save_card(acme, owner, stripe)
    spend(acme, "45")
    tasks.recharge_low_wallets()
    switch_on(acme, owner, threshold="5")
    tasks.recharge_low_wallets()
    assert charges_at(stripe) == 0


def test_money_set_aside_does_not_count(low, acme, stripe):
    wallet = low(threshold="8")
    tasks.recharge_low_wallets()
    assert states() == []
    ledger.hold(
        wallet=wallet, amount=Decimal(3), currency="USD", key="h", text="A number", reference="O"
    )
    tasks.recharge_low_wallets()
    assert states() == ["paid"]


def test_next_time_it_is_low_is_another_cause(low, acme, stripe):
    low()
    tasks.recharge_low_wallets()
    spend(acme, "20")
    tasks.recharge_low_wallets()
    assert states() == ["paid", "paid"]
    assert len(set(TopUp.objects.values_list("cause", flat=True))) == 2


def test_slow_card_is_waited_for_and_charged_once(low, acme, stripe):
    low("slow")
    tasks.recharge_low_wallets()
    stripe.deliver()
    later(tasks.recharge_low_wallets, seconds=5)
    assert (states(), balance(acme)) == (["processing"], 10)
    stripe.later.pop()()
    stripe.deliver()
    assert (states(), balance(acme), charges_at(stripe)) == (["paid"], 35, 1)


def test_slow_card_that_is_declined_in_the_end_stops_it(low, acme, stripe):
    low("slow")
    tasks.recharge_low_wallets()
    stripe.payments.finish_intent(TopUp.objects.get().payment_intent_id, paid=False)
    stripe.events.clear()
    later(tasks.settle_open_top_ups)
    assert (states(), balance(acme)) == (["failed"], 10)
    assert not AutoRecharge.objects.get().is_on


@pytest.mark.parametrize("fault", ["answer_lost", "server_error"])
def test_lost_answer_is_asked_for_with_the_same_key(low, acme, stripe, fault):
    low()
    stripe.app.faults.append((fault, "payment_intents"))
    tasks.recharge_low_wallets()
    assert (states(), balance(acme)) == (["open"], 10)
    tasks.recharge_low_wallets()  # one under way: nothing new
    later(tasks.settle_open_top_ups)
    assert (states(), balance(acme), charges_at(stripe)) == (["paid"], 35, 1)


def test_whoever_died_before_the_call_leaves_it_to_the_sweep(low, acme, stripe):
    low()
    recharge.begin(acme.pk)
    later(tasks.settle_open_top_ups)
    assert (states(), balance(acme), charges_at(stripe)) == (["paid"], 35, 1)


def test_after_a_day_stripe_is_looked_through_and_not_asked_again(low, acme, stripe):
    low()
    stripe.app.faults.append(("answer_lost", "payment_intents"))
    tasks.recharge_low_wallets()
    stripe.events.clear()
    stripe.state._db.execute("DELETE FROM reply")  # Stripe forgets keys after a day
    later(tasks.settle_open_top_ups, hours=24)
    assert (states(), balance(acme), charges_at(stripe)) == (["paid"], 35, 1)


def test_what_never_reached_stripe_is_given_up_after_a_day(low, acme, stripe):
    low()
    attempt = recharge.begin(acme.pk)
    later(lambda: settle(attempt), hours=24)
    assert (states(), charges_at(stripe)) == (["failed"], 0)
    assert AutoRecharge.objects.get().is_on, "it was no decline"


# --- The bank says no ---------------------------------------------------------------------


def test_decline_stops_it_and_is_told_once(low, acme, stripe):
    low("declined")
    for _ in range(3):
        tasks.recharge_low_wallets()
        stripe.deliver()
    assert (states(), balance(acme), charges_at(stripe)) == (["failed"], 10, 1)
    wanted = AutoRecharge.objects.get()
    assert (wanted.is_on, wanted.stopped_because) == (False, "The card has not enough money on it.")
    assert Notice.objects.filter(key__startswith="recharge-stopped:").count() == 1
    assert "has stopped" in Notice.objects.get(key__startswith="recharge-stopped:").subject


def test_decline_is_mailed_to_who_can_mend_it(low, member, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        low("declined")
        tasks.recharge_low_wallets()
    assert [sent.to for sent in mail.outbox if "stopped" in sent.subject] == [["owner@acme.test"]]


def test_at_most_one_attempt_an_hour_after_a_decline(low, acme, owner, stripe):
    low("declined")
    tasks.recharge_low_wallets()
    switch_on(acme, owner)
    later(tasks.recharge_low_wallets, minutes=59)
    assert (states(), charges_at(stripe)) == (["failed"], 1)
    later(tasks.recharge_low_wallets, minutes=61)
    assert (states(), charges_at(stripe)) == (["failed", "failed"], 2)


def test_card_that_stripe_does_not_know_any_more_stops_it(low, acme, stripe):
    low()
    stripe.payments.state.save(
        stripe.state.find(SavedCard.objects.get().payment_method_id) | {"customer": None}
    )
    tasks.recharge_low_wallets()
    assert states() == ["failed"]
    assert "Save it again" in AutoRecharge.objects.get().stopped_because


# --- The cap ------------------------------------------------------------------------------


def test_cap_of_the_month_holds_and_is_told_once(low, acme, stripe):
    low(cap="25")
    tasks.recharge_low_wallets()
    spend(acme, "20")
    for _ in range(2):
        tasks.recharge_low_wallets()
    assert states() == ["paid"]
    [told] = Notice.objects.filter(key__startswith="recharge-cap:")
    assert "cap of $25.00" in told.body


def test_cap_is_of_the_calendar_month_where_the_workspace_is(low, acme, stripe):
    zone = ZoneInfo("America/New_York")
    low(cap="25")
    with time_machine.travel(datetime(2031, 1, 31, 23, 0, tzinfo=zone), tick=False):
        tasks.recharge_low_wallets()
        spend(acme, "20")
        tasks.recharge_low_wallets()
    assert states() == ["paid"]
    with time_machine.travel(datetime(2031, 2, 1, 0, 5, tzinfo=zone), tick=False):
        tasks.recharge_low_wallets()
    assert states() == ["paid", "paid"]


def test_limit_of_the_day_holds_for_it_too(low, acme, owner, stripe, settings):
    low()
    settings.TOP_UP_MOST_A_DAY = Decimal(40)
    start_top_up(workspace=acme, by=owner, amount=Decimal(30), key=uuid4())
    tasks.recharge_low_wallets()
    assert charges_at(stripe) == 0


@pytest.mark.parametrize(
    ("amounts", "error"),
    [({"amount": "1"}, "Choose an amount"), ({"cap": "10"}, "cap"), ({"threshold": "-1"}, "zero")],
)
def test_amounts_that_make_no_sense_are_refused(acme, owner, stripe, amounts, error):
    save_card(acme, owner, stripe)
    with pytest.raises(ledger.Refusal, match=error):
        switch_on(acme, owner, **amounts)
    assert not AutoRecharge.objects.get().is_on


# --- The database -------------------------------------------------------------------------


def automatic(workspace, cause, **more) -> TopUp:
    now = timezone.now()
    return TopUp.objects.create(
        workspace=workspace, wallet_id=workspace.pk, amount=25, currency="USD", cause=cause,
        card=SavedCard.objects.get(), created_at=now, expires_at=now, **more,
    )  # fmt: skip


def test_database_refuses_a_cause_twice_and_two_under_way(low, acme, stripe):
    low()
    automatic(acme, "low-since:1", state="failed", settled_at=timezone.now())
    with pytest.raises(IntegrityError, match="top_up_cause_once"), transaction.atomic():
        automatic(acme, "low-since:1", state="failed", settled_at=timezone.now())
    automatic(acme, "low-since:2")
    with pytest.raises(IntegrityError, match="top_up_one_automatic"), transaction.atomic():
        automatic(acme, "low-since:3")


@pytest.mark.django_db(transaction=True)
def test_eight_sweeps_at_once_begin_one(acme, owner, stripe):
    save_card(acme, owner, stripe)
    switch_on(acme, owner)
    spend(acme, "40")
    said = at_once(lambda _: recharge.begin(acme.pk))
    assert said.count("None") == 7
    assert TopUp.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_database_all_eight_begin(acme, owner, stripe):
    """Read, decide, write: what begin() does without its lock, and without the constraints."""
    save_card(acme, owner, stripe)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE race_control AS SELECT cause FROM wallet_topup LIMIT 0")
    try:
        assert at_once(_begin_naively).count("begun") > 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE race_control")


def _begin_naively(_: int) -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM race_control")
        if cursor.fetchone():
            return "there"
        cursor.execute("SELECT pg_sleep(0.05)")
        cursor.execute("INSERT INTO race_control VALUES ('low-since:1')")
    return "begun"


# --- The pages ----------------------------------------------------------------------------


def test_page_saves_a_card_and_switches_on(as_owner, acme, owner, stripe):
    assert "No card is saved" in as_owner.get(PAGE).content.decode()
    to_stripe = as_owner.post(f"{PAGE}card/")
    saved = SavedCard.objects.get()
    assert to_stripe["Location"] == saved.setup_url
    stripe.payments.save_card(saved.session_id, "lost")
    with time_machine.travel(timezone.now() + timedelta(seconds=3)):
        page = as_owner.get(f"{PAGE}?card={saved.reference}").content.decode()
    assert "Visa ending in 1881" in page
    wanted = {"is_on": "on", "threshold": "15", "amount": "30", "monthly_cap": "90"}
    assert as_owner.post(PAGE, wanted).status_code == 302
    assert AutoRecharge.objects.get().is_on
    assert "Remove the card" in as_owner.get(PAGE).content.decode()


def test_page_waits_for_the_truth(as_owner, acme, owner, stripe):
    as_owner.post(f"{PAGE}card/")
    saved = SavedCard.objects.get()
    page = as_owner.get(f"{PAGE}?card={saved.reference}").content.decode()
    assert "every 2s" in page
    assert 'http-equiv="refresh"' in page


def test_page_says_why_it_has_stopped(low, as_owner, stripe):
    low("declined")
    tasks.recharge_low_wallets()
    page = as_owner.get(PAGE).content.decode()
    assert "The automatic recharge has stopped" in page
    assert "not enough money on it" in page
    attempt = TopUp.objects.get()
    assert "not enough money" in as_owner.get(attempt.get_absolute_url()).content.decode()
    assert "has stopped" in as_owner.get("/w/acme/wallet/").content.decode()


@pytest.mark.parametrize("name", ["threshold", "amount", "monthly_cap"])
@pytest.mark.parametrize("value", ["", "-1", "NaN", "1e30", "1.001", "\0", "x" * 10_000])
def test_bad_amounts_are_said_and_nothing_is_kept(as_owner, acme, owner, stripe, name, value):
    save_card(acme, owner, stripe)
    wanted = {"is_on": "on", "threshold": "15", "amount": "30", "monthly_cap": "90", name: value}
    response = as_owner.post(PAGE, wanted)
    assert response.status_code == 422
    assert 'class="problem"' in response.content.decode()
    assert not AutoRecharge.objects.get().is_on


@pytest.mark.parametrize(
    ("who", "status"), [("member", 403), ("viewer", 403), ("outsider", 404), ("nobody", 302)]
)
def test_who_may_not_set_it(request, client, acme, who, status, stripe):
    if who != "nobody":
        client.force_login(request.getfixturevalue(who))
    answers = [client.get(PAGE), client.post(PAGE), client.post(f"{PAGE}card/"),
               client.post(f"{PAGE}card/remove/")]  # fmt: skip
    assert {answer.status_code for answer in answers} == {status}
    assert not SavedCard.objects.exists()


def test_card_of_another_workspace_is_not_asked_about(as_owner, globex, outsider, stripe):
    theirs = cards.start_saving(workspace=globex, by=outsider)
    cards.open_setup(theirs)
    asked = len(stripe.app.log)
    assert as_owner.get(f"{PAGE}?card={theirs.reference}").status_code == 200
    assert len(stripe.app.log) == asked


def test_automatic_payment_has_no_page_to_pay_or_cancel(low, acme, owner, as_owner, stripe):
    low()
    attempt = recharge.begin(acme.pk)
    with pytest.raises(TopUpOver):
        cancel(top_up=attempt, by=owner)
    as_owner.post(f"{attempt.get_absolute_url()}pay/")
    attempt.refresh_from_db()
    assert attempt.state == "open"


def test_refund_of_a_recharge_leaves_the_wallet(low, acme, stripe):
    low()
    tasks.recharge_low_wallets()
    stripe.payments.refund(TopUp.objects.get().payment_intent_id, 500)
    stripe.deliver()
    assert balance(acme) == 30


def test_at_most_eight_queries(low, as_owner, stripe, django_assert_max_num_queries):
    low()
    tasks.recharge_low_wallets()
    as_owner.get(PAGE)
    with django_assert_max_num_queries(8):
        as_owner.get(PAGE)
