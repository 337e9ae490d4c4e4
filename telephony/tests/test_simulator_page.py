"""The simulator's own side: a page for people, and the same as JSON for auditors."""

import pytest
import requests

from telephony import client, provider
from telephony.errors import NumberTaken
from telephony.simulator.faults import KINDS, Fault, Faults
from telephony.simulator.fixtures import BASE
from telephony.tests.contract_cases import NEW_YORK
from telephony.values import NumberQuery, NumberType, Webhooks


@pytest.fixture
def visitor(simulator) -> requests.Session:
    return client.open_session()


def buy() -> None:
    provider.buy(e164=NEW_YORK, friendly_name="Desk <1>", webhooks=Webhooks())


def test_the_page_shows_what_is_owned_safely(visitor):
    buy()
    page = visitor.get(f"{BASE}/").text
    assert "Owned numbers (1)" in page
    assert NEW_YORK in page
    assert "Desk &lt;1&gt;" in page


def test_the_page_shows_the_newest_numbers_of_very_many(simulator, visitor):
    simulator.seed_many(f"+1212{2000000 + n}" for n in range(200))
    page = visitor.get(f"{BASE}/").text
    assert "Owned numbers (200)" in page
    assert "+12122000199" in page
    assert "+12122000100" not in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_has_a_button(visitor, kind, simulator):
    assert f"value={kind}>" in visitor.get(f"{BASE}/").text
    answer = visitor.post(f"{BASE}/_simulator/faults", {"kind": kind}, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert [fault["kind"] for fault in visitor.get(f"{BASE}/_simulator/faults").json()] == [kind]


def test_a_button_makes_the_next_purchase_fail_and_nothing_else(visitor):
    visitor.post(f"{BASE}/_simulator/faults", {"kind": "taken"}, allow_redirects=False)
    provider.search(NumberQuery(country="US", number_type=NumberType.LOCAL))
    with pytest.raises(NumberTaken):
        buy()
    buy()


def test_faults_can_be_set_and_cleared_by_a_program(visitor):
    fault = {"kind": "rate_limited", "times": 3, "path_contains": "Balance"}
    assert visitor.post(f"{BASE}/_simulator/faults", json=fault).status_code == 200
    assert visitor.get(f"{BASE}/_simulator/faults").json()[0]["times"] == 3
    assert visitor.delete(f"{BASE}/_simulator/faults").status_code == 200
    assert visitor.get(f"{BASE}/_simulator/faults").json() == []


@pytest.mark.parametrize("body", [{"kind": "nonsense"}, {"kind": "taken", "colour": "red"}, []])
def test_a_fault_that_is_none_is_refused(visitor, body):
    assert visitor.post(f"{BASE}/_simulator/faults", json=body).status_code == 400


def test_an_auditor_is_told_everything(simulator, visitor):
    buy()
    told = visitor.get(f"{BASE}/_simulator/state").json()
    assert (told["account"], told["balance"]) == (simulator.account, "9998.85")
    assert [number["phone_number"] for number in told["owned"]] == [NEW_YORK]
    assert [purchase["e164"] for purchase in told["purchases"]] == [NEW_YORK]


def test_everything_can_be_forgotten(simulator, visitor):
    buy()
    simulator.fault("taken")
    visitor.post(f"{BASE}/_simulator/reset", allow_redirects=False)
    assert visitor.get(f"{BASE}/_simulator/state").json()["owned"] == []
    buy()


def test_there_is_nothing_else(visitor):
    assert visitor.get(f"{BASE}/elsewhere").status_code == 404


def test_a_fault_waits_for_the_request_it_fits_and_is_used_up():
    faults = Faults()
    faults.add(Fault("taken", method="POST", path_contains="Incoming", times=2))
    taken = [
        faults.take(method, path)
        for method, path in (
            ("GET", "/Incoming"), ("POST", "/Calls"), ("POST", "/Incoming"), ("POST", "/Incoming"),
            ("POST", "/Incoming"),
        )
    ]  # fmt: skip
    assert [bool(fault) for fault in taken] == [False, False, True, True, False]


def test_a_fault_without_end_stays_and_one_by_chance_strikes_sometimes():
    faults = Faults()
    faults.add(Fault("taken", times=-1, probability=0.5))
    struck = sum(faults.take("GET", "/") is not None for _ in range(200))
    assert 50 < struck < 150
    assert len(faults.waiting()) == 1
