"""Test credentials: each magic number of the provider's documentation, and nothing else."""

import pytest

from telephony import provider
from telephony.errors import InvalidNumber, NotConfigured, NumberTaken
from telephony.simulator.app import TEST_ACCOUNT, TEST_TOKEN
from telephony.values import Webhooks

PAIR = (TEST_ACCOUNT, TEST_TOKEN)
ME = f"/2010-04-01/Accounts/{TEST_ACCOUNT}"
NUMBERS, MESSAGES, CALLS = "IncomingPhoneNumbers", "Messages", "Calls"
GOOD = "+15005550006"
SOMEONE = "+12125550123"


def magic(last: int) -> str:
    return f"+1500555000{last}"


def text(**changes: str) -> dict[str, str]:
    return {"From": GOOD, "To": SOMEONE, "Body": "Hello", **changes}


def call(**changes: str) -> dict[str, str]:
    return {"From": GOOD, "To": SOMEONE, "Url": "https://desk.example/", **changes}


# endpoint, fields, HTTP status, code
CASES = [
    (NUMBERS, {"PhoneNumber": magic(0)}, 400, 21422),
    (NUMBERS, {"PhoneNumber": magic(1)}, 400, 21421),
    (NUMBERS, {"PhoneNumber": GOOD}, 201, 0),
    (NUMBERS, {"PhoneNumber": "33"}, 400, 21421),
    (NUMBERS, {"PhoneNumber": SOMEONE}, 400, 21421),
    (NUMBERS, {"AreaCode": "533"}, 400, 21452),
    (NUMBERS, {"AreaCode": "500"}, 201, 0),
    (MESSAGES, text(), 201, 0),
    (MESSAGES, text(From=magic(1)), 400, 21212),
    (MESSAGES, text(From=magic(7)), 400, 21606),
    (MESSAGES, text(From=magic(8)), 400, 21611),
    (MESSAGES, text(From=SOMEONE), 400, 21606),
    (MESSAGES, text(To=magic(1)), 400, 21211),
    (MESSAGES, text(To=magic(2)), 400, 21612),
    (MESSAGES, text(To=magic(3)), 400, 21408),
    (MESSAGES, text(To=magic(4)), 400, 21610),
    (MESSAGES, text(To=magic(9)), 400, 21614),
    (MESSAGES, text(Body=""), 400, 21602),
    (CALLS, call(), 201, 0),
    (CALLS, call(From=magic(1)), 400, 21212),
    (CALLS, call(From=SOMEONE), 400, 21210),
    (CALLS, call(To=magic(1)), 400, 21217),
    (CALLS, call(To=magic(2)), 400, 21214),
    (CALLS, call(To=magic(3)), 400, 21215),
    (CALLS, call(To=magic(4)), 400, 21216),
]
REFUSED = 20008
NOT_SUPPORTED = [
    ("GET", ".json", {}),
    ("GET", "/Balance.json", {}),
    ("GET", "/AvailablePhoneNumbers.json", {}),
    ("GET", "/AvailablePhoneNumbers/US/Local.json", {}),
    ("GET", "/IncomingPhoneNumbers.json", {}),
    ("GET", f"/IncomingPhoneNumbers/PN{'0' * 32}.json", {}),
    ("POST", f"/IncomingPhoneNumbers/PN{'0' * 32}.json", {}),
    ("DELETE", f"/IncomingPhoneNumbers/PN{'0' * 32}.json", {}),
    ("POST", "/Messages.json", {"MessagingServiceSid": "MG" + "1" * 32, "To": SOMEONE}),
]


@pytest.mark.parametrize(("endpoint", "fields", "status", "code"), CASES)
def test_a_magic_number_does_what_is_documented(
    endpoint, fields, status, code, ask, hold_against_contract
):
    exchange = ask("POST", f"{ME}/{endpoint}.json", fields, pair=PAIR)
    assert (exchange.status, exchange.body.get("code", 0) or 0) == (status, code)
    hold_against_contract(exchange)


@pytest.mark.parametrize(("method", "path", "fields"), NOT_SUPPORTED)
def test_anything_else_is_refused(method, path, fields, ask, hold_against_contract):
    exchange = ask(method, ME + path, fields, pair=PAIR)
    assert (exchange.status, exchange.body["code"]) == (403, REFUSED)
    hold_against_contract(exchange)


def test_prices_are_refused_too(ask):
    exchange = ask("GET", "/v1/PhoneNumbers/Countries/US", pair=PAIR, host="pricing.twilio.com")
    assert (exchange.status, exchange.body["code"]) == (403, REFUSED)


def test_what_was_sent_is_echoed_and_nothing_is_kept(ask, simulator):
    sent = {"PhoneNumber": GOOD, "FriendlyName": "Mine", "VoiceUrl": "https://desk.example/v"}
    body = ask("POST", f"{ME}/IncomingPhoneNumbers.json", sent, pair=PAIR).body
    assert (body["friendly_name"], body["voice_url"]) == ("Mine", "https://desk.example/v")
    assert simulator.owned() == []
    assert simulator.app.state.purchases() == []


def test_a_number_without_a_name_is_named_after_itself(ask):
    body = ask("POST", f"{ME}/IncomingPhoneNumbers.json", {"AreaCode": "500"}, pair=PAIR).body
    assert (body["phone_number"], body["friendly_name"]) == (GOOD, "(500) 555-0006")
    assert not any(body["capabilities"].values())


@pytest.fixture
def with_test_credentials(simulator, settings):
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = PAIR


def test_through_the_adapter_a_search_says_that_credentials_are_for_tests(with_test_credentials):
    with pytest.raises(NotConfigured) as refused:
        provider.countries()
    assert refused.value.reason == "test_credentials"


@pytest.mark.parametrize(("number", "error"), [(magic(0), NumberTaken), (magic(1), InvalidNumber)])
def test_through_the_adapter_a_magic_number_is_refused(with_test_credentials, number, error):
    with pytest.raises(error):
        provider.buy(e164=number, friendly_name="", webhooks=Webhooks())


def test_through_the_adapter_the_good_number_is_bought(with_test_credentials, exchanges):
    bought = provider.buy(e164=GOOD, friendly_name="Test", webhooks=Webhooks())
    assert (bought.e164, bought.friendly_name, bought.capabilities) == (GOOD, "Test", frozenset())
