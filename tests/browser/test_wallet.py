"""Money in a real browser: adding it by each kind of card, the statement, the recharge."""

import re
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.audit import audit
from wallet import ledger, stripe_client, tasks
from wallet.models import AutoRecharge, Entry, Kind, TopUp, Wallet
from wallet.stripe_simulator import payments
from wallet.stripe_simulator.__main__ import Quiet, Server, simulated
from wallet.stripe_simulator.state import State
from wallet.top_up_models import StripeEvent

WALLET = "/w/acme/wallet/"


@pytest.fixture
def stripe_pages(live_server, settings, monkeypatch) -> Iterator[str]:
    """The simulated Stripe on a port of its own, which sends its webhooks to the live server."""
    monkeypatch.setattr(payments, "SLOW_SECONDS", 3.0)
    server = Server(("127.0.0.1", 0), Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    settings.PUBLIC_BASE_URL = live_server.url
    settings.STRIPE_API_BASE = settings.STRIPE_CHECKOUT_ORIGIN = address
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test", "whsec_test"
    server.set_app(
        simulated(state=State(), api_key="sk_test", secret="whsec_test",
                  webhook=f"{live_server.url}/webhooks/stripe/")
    )  # fmt: skip
    stripe_client._client.cache_clear()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()
    stripe_client._client.cache_clear()


def go_and_pay(page: Page, card: str, amount: str = "30") -> None:
    """From the wallet to the payment page, and pay there with this card."""
    page.get_by_role("link", name="Add funds").click()
    page.get_by_label("Amount in USD").fill(amount)
    page.get_by_role("button", name="Go to the payment page").click()
    choose(page, card, "Pay")


def choose(page: Page, card: str, button: str) -> None:
    page.locator(f"input[value={card}]").check()
    page.get_by_role("button", name=button).click()


def balance(workspace) -> Decimal:
    return Wallet.objects.get(workspace=workspace).balance


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("card", ["succeeds", "doubled", "lost", "slow"])
def test_funds_are_added_whatever_the_card_does(browse, owner, acme, stripe_pages, card, script):
    page = browse(owner, WALLET, java_script_enabled=script)
    go_and_pay(page, card)
    if card == "slow":
        expect(page.get_by_role("heading", name="We are waiting for the payment")).to_be_visible()
        if script:
            audit(page)
    expect(page.get_by_role("heading", name="$30.00 was added")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", name="We are waiting for the payment")).to_have_count(0)
    assert balance(acme) == 80
    if script:
        audit(page)
    page.get_by_role("link", name="Wallet").first.click()
    expect(page.locator(".balance")).to_have_text("$80.00")


def test_declined_card_adds_nothing_and_another_can_be_tried(browse, owner, acme, stripe_pages):
    page = browse(owner, WALLET)
    go_and_pay(page, "declined")
    expect(page.get_by_role("alert")).to_have_text("Your card was declined. Try another one.")
    page.get_by_role("link", name="Go back without paying").click()
    expect(page.get_by_role("heading", name="Not paid yet")).to_be_visible()
    audit(page)
    page.get_by_role("button", name="Go to the payment page").click()
    choose(page, "succeeds", "Pay")
    expect(page.get_by_role("heading", name="$30.00 was added")).to_be_visible()
    assert (balance(acme), TopUp.objects.count()) == (80, 1)


def test_cancelled_payment_says_so(browse, owner, acme, stripe_pages):
    page = browse(owner, WALLET)
    page.get_by_role("link", name="Add funds").click()
    audit(page)
    page.get_by_label("Amount in USD").fill("1")
    page.get_by_role("button", name="Go to the payment page").click()
    expect(page.get_by_text("Choose an amount from $5.00 to $1,000.00.")).to_be_visible()
    audit(page)
    page.get_by_label("Amount in USD").fill("12.50")
    page.get_by_role("button", name="Go to the payment page").click()
    page.get_by_role("link", name="Go back without paying").click()
    page.get_by_role("button", name="Cancel this payment").click()
    expect(page.get_by_role("heading", name="The payment was cancelled")).to_be_visible()
    audit(page)
    assert balance(acme) == 50


@pytest.fixture
def movements(acme) -> Wallet:
    wallet = Wallet.objects.get(workspace=acme)
    for n in range(60):
        ledger.charge(
            wallet=wallet, kind=Kind.USAGE, amount=Decimal("0.05"), key=f"u{n}",
            text=f"Call to +1 212-555-{n:04d}, 2 minutes",
        )  # fmt: skip
    ledger.hold(wallet=wallet, amount=Decimal(3), currency="USD", key="h", text="Buying a number",
                reference="ORD-22222222")  # fmt: skip
    return wallet


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_statement_is_filtered_and_paged(browse, owner, movements, script):
    page = browse(owner, WALLET, java_script_enabled=script)
    rows = page.locator("#statement tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(rows).to_have_count(11)
    page.goto(WALLET)
    page.get_by_label("Number, text or reference").fill("(212) 555-0007")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=(%28|\()212"))
    page.get_by_label("Number, text or reference").fill("")
    page.get_by_label("Kind").select_option(label="Funds added")
    page.get_by_label("From", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    expect(page.get_by_text("Balance at the end")).to_be_visible()
    page.get_by_label("To", exact=True).fill("2019-01-01")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("The end is before the beginning.")).to_be_visible()
    if script:
        audit(page)


def test_wallet_page_reads_well_and_the_chart_is_a_table_too(browse, owner, movements):
    page = browse(owner, WALLET)
    expect(page.get_by_role("img", name=re.compile("Balance of the last 30 days"))).to_be_visible()
    page.get_by_text("The same as a table").click()
    table = page.get_by_role("table", name="Balance day by day")
    expect(table.get_by_role("row")).to_have_count(32)
    expect(table.get_by_role("row").nth(1)).to_contain_text("$47.00")
    audit(page)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_recharge_is_set_up_runs_and_stops(browse, owner, acme, stripe_pages, script):
    page = browse(owner, WALLET, java_script_enabled=script)
    page.get_by_role("link", name="Automatic recharge").click()
    page.get_by_label("Recharge automatically").check()
    page.get_by_role("button", name="Keep these settings").click()
    expect(page.get_by_text("Save a card first")).to_be_visible()
    page.get_by_role("button", name="Save a card").click()
    choose(page, "declined", "Save card")
    expect(page.get_by_text("Visa ending in 0341")).to_be_visible(timeout=30_000)
    page.get_by_label("Recharge automatically").check()
    page.get_by_label("When less than this is available").fill("60")
    page.get_by_role("button", name="Keep these settings").click()
    expect(page.get_by_text("Kept. The automatic recharge is on.")).to_be_visible()
    if script:
        audit(page)
    tasks.recharge_low_wallets()
    page.goto(WALLET)
    expect(page.get_by_role("heading", name="The automatic recharge has stopped")).to_be_visible()
    page.get_by_role("link", name="See to it").click()
    expect(page.get_by_text("The card has not enough money on it.")).to_be_visible()
    if script:
        audit(page)
    page.get_by_role("button", name="Save another card").click()
    choose(page, "succeeds", "Save card")
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible(timeout=30_000)
    page.get_by_label("Recharge automatically").check()
    page.get_by_role("button", name="Keep these settings").click()
    expect(page.get_by_role("heading", name="Nothing is added at the moment")).to_be_visible()
    AutoRecharge.objects.update(declined_at=None)  # the hour is over
    tasks.recharge_low_wallets()
    page.reload()
    expect(page.get_by_text("$25.00 was added by itself this month.")).to_be_visible()
    assert Entry.objects.filter(contra="stripe").count() == 1
    page.get_by_role("button", name="Remove the card").click()
    expect(page.get_by_text("No card is saved.")).to_be_visible()
    assert StripeEvent.objects.exists(), "the webhooks came over the wire"


def test_alerts_and_reserve_are_kept(browse, owner, acme):
    page = browse(owner, WALLET)
    page.get_by_role("link", name="Alerts and reserve").click()
    audit(page)
    page.get_by_label("Mail when less than this is available").fill("-1")
    page.get_by_role("button", name="Keep these settings").click()
    expect(page.get_by_text("Type an amount of zero or more.")).to_be_visible()
    audit(page)
    page.get_by_label("Mail when less than this is available").fill("15")
    page.get_by_label("Days of rent to keep").fill("7")
    page.get_by_role("button", name="Keep these settings").click()
    expect(page.get_by_text("is kept now, for 7 days")).to_be_visible()
