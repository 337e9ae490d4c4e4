"""Each endpoint and each error of the simulator, by hand, held against the contract."""

import ast
import re
from pathlib import Path

import pytest
import requests

from telephony import simulator as package
from telephony.simulator.faults import KINDS
from telephony.tests.contract_cases import CASES, LIVE, ME, MINE, NEW_YORK, WITHOUT_ANSWER, Case
from telephony.tests.test_test_credentials import CASES as TEST_CREDENTIAL_CASES
from telephony.tests.test_test_credentials import REFUSED
from telephony.tests.wire_shapes import differences

NUMBERED = "0" * 32
SAMPLE_SIDS = [f"{letters}{NUMBERED}" for letters in ("PN", "SM", "MM", "CA", "RE", "NO")]
SAMPLE_SIDS += [f"MM{NUMBERED}/Media/ME{NUMBERED}", f"MG{NUMBERED}"]
SAMPLE_SIDS += [f"MG{NUMBERED}/PhoneNumbers/PN{NUMBERED}"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_is_the_contracts(case: Case, simulator, ask, hold_against_contract):
    sid = case.before(simulator)
    if case.fault:
        simulator.fault(case.fault)
    path, fields = case.about(sid)
    exchange = ask(case.method, path, fields, pair=case.pair, host=case.host)
    assert (exchange.status, (exchange.body or {}).get("code", 0)) == (case.status, case.code)
    hold_against_contract(exchange)


def test_every_endpoint_has_a_case_that_succeeds(simulator):
    without = [
        f"{method} {pattern.pattern}"
        for method, host, pattern, _ in simulator.app.routes
        if not any(
            (case.method, case.host) == (method, host)
            and case.status < 300
            and any(pattern.fullmatch(case.about(sid)[0]) for sid in SAMPLE_SIDS)
            for case in CASES
        )
    ]
    assert without == []


def test_every_error_code_has_a_case():
    sources = sorted(Path(package.__file__).parent.glob("*.py"))
    codes = {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and type(node.value) is int and 20000 < node.value < 22000
    }
    assert len(codes) > 20, "no codes were found: the test would pass without looking"
    seen = {case.code for case in CASES} | {code for *_, code in TEST_CREDENTIAL_CASES} | {REFUSED}
    assert codes - seen == set()


def test_every_fault_has_a_case():
    assert {case.fault for case in CASES if case.fault} | WITHOUT_ANSWER == set(KINDS)


@pytest.mark.parametrize("kind", ["answer_lost", "timeout_before"])
def test_a_lost_connection_gives_no_answer_at_all(kind, simulator, ask):
    simulator.fault(kind)
    with pytest.raises(requests.exceptions.ConnectionError):
        ask("POST", f"{MINE}.json", {"PhoneNumber": NEW_YORK})
    assert len(simulator.owned()) == (kind == "answer_lost")


def test_a_gateway_answers_with_a_page_of_html(simulator, ask):
    simulator.fault("not_json")
    exchange = ask("GET", f"{ME}.json")
    assert (exchange.status, exchange.headers["Content-Type"]) == (502, "text/html")


def test_a_wrong_password_is_told_in_detail(ask):
    body = ask("GET", f"{ME}.json", pair=(LIVE[0], "wrong")).body
    assert body == {
        "code": 20003,
        "detail": "Your AccountSid or AuthToken was incorrect.",
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_every_answer_carries_a_request_id(ask):
    headers = ask("GET", f"{ME}.json").headers
    assert re.fullmatch(r"RQ[0-9a-f]{32}", headers["Twilio-Request-Id"])


def test_a_shape_notices_what_is_missing_what_is_too_much_and_what_is_wrong(ask):
    path, body = f"{ME}/Balance.json", ask("GET", f"{ME}/Balance.json").body
    assert differences("GET", path, 200, body) == []
    del body["currency"]
    assert differences("GET", path, 200, body) == ["balance lacks currency"]
    body |= {"currency": "USD", "extra": 1, "balance": 5}
    assert differences("GET", path, 200, body) == [
        "balance has extra too",
        "balance.balance is 5, not decimal text",
    ]
