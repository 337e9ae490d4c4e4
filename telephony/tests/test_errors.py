"""What goes wrong at the provider becomes one of our errors, whatever was being done.

The point of it all: after a purchase without an answer, ``outcome_unknown`` is true exactly
when the number may have been bought.
"""

import logging

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from urllib3.exceptions import MaxRetryError, NewConnectionError

from telephony import errors, provider
from telephony.client import client
from telephony.errors import (
    InvalidNumber,
    NotConfigured,
    NotFound,
    NumberTaken,
    ProviderError,
    ProviderUnavailable,
    RegionRefused,
    TypeNotOffered,
)
from telephony.tests.contract_cases import NEW_YORK, NOBODYS, list_owned
from telephony.values import NumberQuery, NumberType, Webhooks

READS = {
    "countries": lambda: provider.countries(),
    "search": lambda: provider.search(NumberQuery(country="US", number_type=NumberType.LOCAL)),
    "prices": lambda: provider.prices(country="US"),
    "find": lambda: provider.find(e164=NEW_YORK),
    "fetch": lambda: provider.fetch(sid=NOBODYS),
    "list": lambda: list(list_owned()),
    "account": lambda: provider.account(),
    "balance": lambda: provider.balance(),
}
WRITES = {
    "buy": lambda: provider.buy(e164=NEW_YORK, friendly_name="", webhooks=Webhooks()),
    "configure": lambda: provider.configure(sid=NOBODYS, friendly_name="Desk"),
    "release": lambda: provider.release(sid=NOBODYS),
}
EVERYTHING = READS | WRITES

every_call = pytest.mark.parametrize("call", EVERYTHING.values(), ids=EVERYTHING)
every_read = pytest.mark.parametrize("call", READS.values(), ids=READS)
every_write = pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)


def error_of(call) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        call()
    return raised.value


@pytest.mark.parametrize(
    ("kind", "error", "facts"),
    [
        ("taken", NumberTaken, {"provider_code": 21422, "http_status": 400}),
        ("address_required", RegionRefused, {"requirement": "address"}),
        ("local_address_required", RegionRefused, {"requirement": "local_address"}),
        ("bundle_required", RegionRefused, {"requirement": "bundle"}),
        ("trial", RegionRefused, {"requirement": "trial"}),
        ("unauthorized", NotConfigured, {"reason": "rejected", "http_status": 401}),
        ("suspended", NotConfigured, {"reason": "suspended", "http_status": 403}),
        ("rate_limited", ProviderUnavailable, {"outcome_unknown": False, "http_status": 429}),
        ("server_error", ProviderUnavailable, {"outcome_unknown": True, "http_status": 500}),
        ("unavailable", ProviderUnavailable, {"outcome_unknown": True, "http_status": 503}),
        ("error_after", ProviderUnavailable, {"outcome_unknown": True, "http_status": 500}),
        ("not_json", ProviderUnavailable, {"outcome_unknown": True, "http_status": 502}),
        ("answer_lost", ProviderUnavailable, {"outcome_unknown": True, "http_status": None}),
        ("timeout_before", ProviderUnavailable, {"outcome_unknown": True}),
        ("slow", ProviderUnavailable, {"outcome_unknown": True}),
    ],
)
def test_each_failure_of_a_purchase_has_its_own_error(kind, error, facts, simulator, exchanges):
    simulator.fault(kind)
    raised = error_of(WRITES["buy"])
    assert type(raised) is error
    assert {name: getattr(raised, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("kind", "is_bought"),
    [
        ("server_error", False), ("unavailable", False), ("not_json", False), ("slow", True),
        ("timeout_before", False), ("answer_lost", True), ("error_after", True),
        ("rate_limited", False), ("taken", False), ("unauthorized", False),
    ],
)  # fmt: skip
def test_whoever_may_have_bought_says_so(kind, is_bought, simulator):
    simulator.fault(kind)
    raised = error_of(WRITES["buy"])
    assert bool(simulator.owned()) == is_bought
    may_have = isinstance(raised, ProviderUnavailable) and raised.outcome_unknown
    assert may_have or not is_bought


@every_write
@pytest.mark.parametrize("kind", ["answer_lost", "timeout_before", "server_error", "not_json"])
def test_every_write_may_have_happened(call, kind, simulator):
    simulator.fault(kind)
    assert error_of(call).outcome_unknown is True


@every_read
@pytest.mark.parametrize(
    "kind", ["answer_lost", "timeout_before", "slow", "server_error", "unavailable", "not_json"]
)
def test_no_read_leaves_an_outcome_open(call, kind, simulator):
    simulator.fault(kind)
    raised = error_of(call)
    assert type(raised) is ProviderUnavailable
    assert raised.outcome_unknown is False


@every_call
def test_a_busy_provider_has_done_nothing(call, simulator):
    simulator.fault("rate_limited")
    raised = error_of(call)
    assert (type(raised), raised.outcome_unknown) == (ProviderUnavailable, False)
    assert (raised.http_status, raised.provider_code) == (429, 20429)


@every_call
@pytest.mark.parametrize(
    ("kind", "reason"), [("unauthorized", "rejected"), ("suspended", "suspended")]
)
def test_credentials_are_the_cause_wherever_they_are(call, kind, reason, simulator):
    simulator.fault(kind)
    raised = error_of(call)
    assert (type(raised), raised.reason) == (NotConfigured, reason)


NOT_CONNECTED = NewConnectionError(None, "refused")


@every_call
@pytest.mark.parametrize(
    "cause",
    [
        requests.exceptions.ConnectTimeout("too slow"),
        requests.exceptions.ConnectionError(MaxRetryError(None, "/", NOT_CONNECTED)),
    ],
    ids=["connect timeout", "refused"],
)
def test_a_connection_that_was_never_made_carried_nothing(call, cause, edge):
    edge(raises=cause)
    raised = error_of(call)
    assert (type(raised), raised.outcome_unknown) == (ProviderUnavailable, False)


@every_write
@pytest.mark.parametrize(
    "cause",
    [
        requests.exceptions.ReadTimeout("no answer"),
        requests.exceptions.ConnectionError("reset by peer"),
        requests.exceptions.ChunkedEncodingError("cut off"),
    ],
    ids=["read timeout", "reset", "cut off"],
)
def test_a_connection_that_broke_may_have_carried_a_write(call, cause, edge):
    edge(raises=cause)
    assert error_of(call).outcome_unknown is True


@pytest.mark.parametrize("text", ['{"sid": "PN', "<html>", "", "{}", '{"sid": null}'])
def test_a_success_that_cannot_be_read_may_have_bought(text, edge):
    edge(status=201, text=text)
    assert error_of(WRITES["buy"]).outcome_unknown is True
    edge(status=200, text=text)
    assert error_of(READS["fetch"]).outcome_unknown is False


@pytest.mark.parametrize("text", ['{"incoming_phone_num', "<html>", "", "{}"])
def test_a_list_that_cannot_be_read_is_not_an_empty_one(text, edge):
    edge(status=200, text=text)
    for call in (READS["find"], READS["list"], READS["search"], READS["countries"]):
        raised = error_of(call)
        assert (type(raised), raised.outcome_unknown) == (ProviderUnavailable, False)


@pytest.mark.parametrize("text", ["[]", '"no"', "", "<html>", '{"code": 20500}'])
def test_an_error_in_odd_words_is_still_one(text, edge):
    edge(status=500, text=text)
    for call in (WRITES["buy"], READS["find"], READS["fetch"]):
        assert type(error_of(call)) is ProviderUnavailable


def test_the_form_of_newer_apis_is_understood(edge):
    edge(
        status=503,
        text='{"type": "https://www.twilio.com/docs/errors/20503", "title": "Out of service", '
        '"status": 503, "code": 20503}',
    )
    raised = error_of(WRITES["buy"])
    assert (raised.http_status, raised.provider_code) == (503, 20503)
    assert raised.outcome_unknown is True
    assert "Out of service" in str(raised)


def test_lists_fail_in_the_sdk_without_a_code_and_are_read_all_the_same(simulator, exchanges):
    simulator.fault("suspended")
    with pytest.raises(TwilioException) as bare:
        client().incoming_phone_numbers.list()
    assert not isinstance(bare.value, TwilioRestException)
    simulator.fault("suspended")
    raised = error_of(READS["list"])
    assert (raised.provider_code, raised.reason) == (20005, "suspended")
    assert raised.request_id.startswith("RQ")


@pytest.mark.parametrize(
    ("code", "error", "facts"),
    [
        (21421, InvalidNumber, {}),
        (21451, NumberTaken, {}),
        (21452, NumberTaken, {}),
        (21650, RegionRefused, {"requirement": "identity"}),
        (21651, RegionRefused, {"requirement": "identity"}),
        (20403, NotConfigured, {"reason": "suspended"}),
        (90010, NotConfigured, {"reason": "suspended"}),
        (20008, NotConfigured, {"reason": "test_credentials"}),
        (20409, ProviderError, {}),
        (21405, ProviderError, {}),
    ],
)
def test_each_code_has_its_own_error(code, error, facts, edge):
    status = {"20409": 409, "20403": 403, "20008": 403, "90010": 403}.get(str(code), 400)
    edge(status=status, text=f'{{"code": {code}, "message": "No.", "status": {status}}}')
    for call in (WRITES["buy"], READS["find"]):
        raised = error_of(call)
        assert type(raised) is error
        assert raised.provider_code == code
        assert {name: getattr(raised, name) for name in facts} == facts


@pytest.mark.parametrize("status", [204, 302, 307])
def test_neither_yes_nor_no_may_have_bought(status, edge):
    edge(status=status, text="")
    assert error_of(WRITES["buy"]).outcome_unknown is True


def test_what_is_not_there_is_not_found(exchanges):
    for call in (READS["fetch"], WRITES["configure"]):
        assert type(error_of(call)) is NotFound


def test_a_type_not_offered_is_told_apart_from_nothing_found(exchanges):
    query = NumberQuery(country="US", number_type=NumberType.MOBILE)
    assert type(error_of(lambda: provider.search(query))) is TypeNotOffered


def test_an_error_tells_the_log_what_happened_and_a_page_nothing(simulator):
    simulator.fault("server_error")
    said = str(error_of(READS["find"]))
    assert "HTTP 500, code 20500, RQ" in said
    assert str(ProviderUnavailable("ReadTimeout", outcome_unknown=True)).endswith("(no answer)")


def test_an_error_that_is_none_of_the_providers_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        errors.from_sdk(ZeroDivisionError())


def test_a_provider_error_stays_what_it_is():
    error = NumberTaken("gone")
    assert errors.from_sdk(error) is error


def test_nothing_that_is_secret_goes_to_the_log(simulator, caplog):
    with caplog.at_level(logging.DEBUG):
        WRITES["buy"]()
        simulator.fault("server_error")
        error_of(READS["account"])
    assert simulator.app.credentials.token not in caplog.text
    assert "/IncomingPhoneNumbers.json 201 RQ" in caplog.text
