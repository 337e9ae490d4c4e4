"""Buying: the outcome, each refusal, the repeat, and a provider that fails before or after."""

from dataclasses import replace
from decimal import Decimal

import pytest

from numbers import quote as quotes
from numbers.models import CountryOffer, Number, NumberOrder, OrderLine
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from numbers.refusals import AlreadyYours, NumberJustTaken, PriceChanged
from telephony import provider
from telephony.values import NumberQuery, NumberType
from wallet.ledger import InsufficientFunds
from wallet.models import Entry, Kind

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY = Decimal(50)
PRICE = Decimal("1.38")


@pytest.fixture
def purchase(acme, owner, quote):
    return lambda **changes: purchase_number(
        workspace=changes.get("workspace", acme), by=owner, quote=changes.get("quote", quote)
    )


def line_of(order: NumberOrder) -> OrderLine:
    return order.lines.get()


def test_a_purchase_makes_the_number_and_one_charge(acme, purchase, quote, money, simulator):
    order = purchase()
    number = line_of(order).number
    assert (number.e164, number.workspace, number.status) == (quote.number.e164, acme, "active")
    assert money(acme) == (FIFTY - PRICE, 0)
    entry = Entry.objects.get(kind=Kind.PURCHASE)
    assert (entry.amount, entry.reference) == (-PRICE, order.reference)
    [owned] = simulator.owned()
    assert owned["phone_number"] == number.e164
    assert owned["voice_url"].endswith("/webhooks/twilio/voice/")


def test_it_is_bought_by_its_digits_and_never_by_area_code(purchase, quote, simulator):
    purchase()
    [bought] = [request for request in simulator.requests if request["method"] == "POST"]
    assert bought["fields"]["PhoneNumber"] == quote.number.e164
    assert "AreaCode" not in bought["fields"]


def test_it_is_paid_until_a_month_later_and_keeps_its_price(purchase, quote):
    number = line_of(purchase()).number
    assert 28 <= (number.paid_until - number.created_at).days <= 31
    assert (number.monthly_price, number.currency) == (PRICE, "USD")
    assert number.provider_monthly_price == Decimal("1.15")


def test_webhooks_are_known_to_be_set(purchase):
    assert line_of(purchase()).number.webhooks_set_at is not None


def test_a_number_for_calls_only_is_bought_without_message_webhooks(purchase, simulator):
    estonia = NumberQuery(country="EE", number_type=NumberType.LOCAL, limit=1)
    [number] = provider.search(estonia)
    line = line_of(purchase(quote=quotes.new_quote(number, price_of("EE", NumberType.LOCAL), "")))
    assert (line.state, line.number.capabilities) == (OrderLine.State.DONE, ["voice"])
    assert line.number.webhooks_set_at is not None
    assert simulator.owned()[0]["sms_url"] == ""


def test_the_same_quote_twice_is_one_order(acme, purchase, money, simulator):
    assert purchase() == purchase()
    assert money(acme) == (FIFTY - PRICE, 0)
    assert len(simulator.owned()) == 1


def test_too_little_money_is_refused_and_nobody_is_called(globex, outsider, quote, simulator):
    CountryOffer.objects.filter(country="US", number_type="local").update(
        provider_price=Decimal("2.15")
    )
    expensive = quotes.new_quote(quote.number, price_of("US", NumberType.LOCAL), "")
    with pytest.raises(InsufficientFunds) as refused:
        purchase_number(workspace=globex, by=outsider, quote=expensive)
    assert "$2.00 is available and this costs $2.58. Add $0.58 or more." in str(refused.value)
    assert not NumberOrder.objects.exists()
    assert simulator.owned() == []


def test_a_changed_price_is_refused(acme, purchase, money, simulator):
    CountryOffer.objects.filter(country="US", number_type="local").update(
        provider_price=Decimal("1.25")
    )
    with pytest.raises(PriceChanged, match=r"It was \$1\.38 a month .* is \$1\.50 now"):
        purchase()
    assert money(acme) == (FIFTY, 0)
    assert simulator.owned() == []


def test_a_price_that_fell_is_what_is_paid(acme, purchase, money, simulator):
    CountryOffer.objects.filter(country="US", number_type="local").update(
        provider_price=Decimal("1.00")
    )
    assert line_of(purchase()).monthly_price == Decimal("1.20")
    assert money(acme) == (FIFTY - Decimal("1.20"), 0)


def test_a_number_just_taken_is_refused_and_the_hold_given_back(acme, purchase, money, simulator):
    simulator.fault("taken", method="POST", path_contains="IncomingPhoneNumbers")
    line = line_of(purchase())
    assert (line.state, line.refusal_code) == ("refused", "number_taken")
    assert money(acme) == (FIFTY, 0)


def test_a_country_that_asks_for_an_address_is_refused(acme, purchase, money, simulator):
    simulator.fault("address_required", method="POST", path_contains="IncomingPhoneNumbers")
    line = line_of(purchase())
    assert line.refusal_code == "region_restricted"
    assert "need a registered address" in line.refusal_sentence
    assert money(acme) == (FIFTY, 0)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unauthorized", "provider_not_configured"),
        ("rate_limited", "provider_down"),
        ("bundle_required", "region_restricted"),
    ],
)
def test_a_refusal_of_the_provider_costs_nothing(acme, purchase, money, simulator, fault, code):
    simulator.fault(fault, method="POST", path_contains="IncomingPhoneNumbers", times=-1)
    assert line_of(purchase()).refusal_code == code
    assert money(acme) == (FIFTY, 0)


def test_a_lost_answer_leaves_the_order_checking_with_its_hold(acme, purchase, money, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    line = line_of(purchase())
    assert line.state == OrderLine.State.CHECKING
    assert money(acme) == (FIFTY, PRICE)
    assert not Number.objects.exists()


def test_two_workspaces_cannot_both_get_a_number(acme, owner, globex, outsider, quote, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    purchase_number(workspace=acme, by=owner, quote=quote)
    other = replace(quote, key=quotes.new_quote(quote.number, quote.price, "").key)
    with pytest.raises(NumberJustTaken):
        purchase_number(workspace=globex, by=outsider, quote=other)
    assert NumberOrder.objects.count() == 1


def test_a_number_that_is_yours_is_not_sold_again(purchase, quote):
    purchase()
    again = replace(quote, key=quotes.new_quote(quote.number, quote.price, "").key)
    with pytest.raises(AlreadyYours):
        purchase(quote=again)


def test_the_provider_saying_taken_is_not_believed_if_the_number_is_ours(
    acme, purchase, quote, money, simulator
):
    simulator.seed(quote.number.e164)
    simulator.fault("taken", method="POST", path_contains="IncomingPhoneNumbers")
    assert line_of(purchase()).state == OrderLine.State.DONE
    assert money(acme) == (FIFTY - PRICE, 0)
