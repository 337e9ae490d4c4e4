"""Buying, finding, configuring and releasing through the adapter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice

import pytest

from telephony import provider
from telephony.errors import (
    NotFound,
    NumberTaken,
    ProviderError,
    ProviderUnavailable,
    RegionRefused,
    ReleaseRefused,
)
from telephony.tests.contract_cases import (
    ADDRESS,
    BERLIN,
    BUNDLE,
    NEW_YORK,
    NOBODYS,
    TALLINN,
    TOLL_FREE,
    list_owned,
)
from telephony.values import AddressRequirement, Capability, NumberType, Overrides, Webhooks
from telephony.webhook_urls import webhooks_for_numbers

HOOKS = webhooks_for_numbers(list(Capability))


def buy(e164: str = NEW_YORK, **more):
    return provider.buy(e164=e164, **{"friendly_name": "Front desk", "webhooks": HOOKS} | more)


def test_a_bought_number_is_read_in_full(exchanges):
    bought = buy()
    assert (bought.e164, bought.friendly_name) == (NEW_YORK, "Front desk")
    assert (bought.number_type, bought.capabilities) == (NumberType.LOCAL, set(Capability))
    assert bought.webhooks == HOOKS
    assert (bought.status, bought.origin) == ("in-use", "twilio")
    assert bought.address_requirement == AddressRequirement.NONE
    assert bought.overrides == Overrides()
    assert datetime.now(UTC) - bought.created_at < timedelta(minutes=1)


def test_it_is_bought_by_its_number_and_never_by_an_area_code(exchanges):
    buy()
    assert exchanges[0].fields["PhoneNumber"] == NEW_YORK
    assert "AreaCode" not in exchanges[0].fields


def test_webhooks_are_posted_to(exchanges):
    buy()
    sent = exchanges[0].fields
    assert {sent[name] for name in sent if name.endswith("Method")} == {"POST"}
    assert sent["StatusCallback"].endswith("/voice/status/#rc=3&rp=all")
    assert "VoiceReceiveMode" not in sent


def test_a_number_for_calls_only_is_bought_without_message_webhooks(exchanges):
    hooks = webhooks_for_numbers({Capability.VOICE})
    bought = buy(TALLINN, webhooks=hooks)
    assert bought.webhooks == hooks
    assert (hooks.message_url, hooks.message_fallback_url) == ("", "")
    assert not any(name.startswith("Sms") for name in exchanges[0].fields)


def test_message_webhooks_on_a_number_for_calls_only_are_refused(simulator, exchanges):
    with pytest.raises(ProviderError) as refused:
        buy(TALLINN)
    assert refused.value.provider_code == 21407
    assert simulator.owned() == []


def test_a_toll_free_number_is_one(exchanges):
    assert buy(TOLL_FREE).number_type == NumberType.TOLL_FREE


def test_buying_what_is_ours_again_is_the_same_number_and_costs_once(simulator, exchanges):
    once, again = buy(), buy(friendly_name="Reception")
    assert (again.sid, again.friendly_name) == (once.sid, "Reception")
    assert len(simulator.app.state.purchases()) == 1
    assert provider.balance().amount == Decimal("10000.00") - Decimal("1.15")


def test_buying_again_keeps_what_is_not_said(exchanges):
    buy()
    again = buy(webhooks=Webhooks())
    assert again.webhooks == HOOKS


def test_somebodys_number_is_taken(simulator, exchanges):
    simulator.seed(NEW_YORK, account="AC" + "5" * 32)
    with pytest.raises(NumberTaken):
        buy()


def test_a_country_that_asks_for_more_gets_it(exchanges):
    with pytest.raises(RegionRefused) as refused:
        buy(BERLIN)
    assert refused.value.requirement == "local_address"
    with pytest.raises(RegionRefused) as refused:
        buy(BERLIN, address_sid=ADDRESS)
    assert refused.value.requirement == "bundle"
    hooks = webhooks_for_numbers({Capability.VOICE})
    assert buy(BERLIN, address_sid=ADDRESS, bundle_sid=BUNDLE, webhooks=hooks).e164 == BERLIN


def test_a_number_is_found_by_its_digits_if_it_is_ours(simulator, exchanges):
    assert provider.find(e164=NEW_YORK) is None
    sid = buy().sid
    simulator.seed("+12125550199", account="AC" + "5" * 32)
    assert provider.find(e164=NEW_YORK).sid == sid
    assert provider.find(e164="+12125550199") is None


def test_a_longer_number_that_begins_alike_is_another(simulator, exchanges):
    simulator.seed("+4930123456789")
    assert provider.find(e164="+49301234567") is None


def test_a_number_is_fetched_by_its_sid(exchanges):
    bought = buy()
    assert provider.fetch(sid=bought.sid).e164 == NEW_YORK
    with pytest.raises(NotFound):
        provider.fetch(sid=NOBODYS)


def test_configuring_changes_what_is_given_and_nothing_else(exchanges):
    sid = buy().sid
    assert provider.configure(sid=sid, friendly_name="Night desk").webhooks == HOOKS
    bare = provider.configure(sid=sid, webhooks=Webhooks(voice_url="https://desk.example/"))
    assert bare.webhooks == Webhooks(voice_url="https://desk.example/")
    assert bare.friendly_name == "Night desk"


def test_configuring_a_number_that_is_gone_is_not_found(exchanges):
    with pytest.raises(NotFound):
        provider.configure(sid=NOBODYS, friendly_name="Nobody's")


def test_a_released_number_is_gone_and_cannot_be_bought_back(simulator, exchanges):
    sid = buy().sid
    provider.release(sid=sid)
    assert provider.find(e164=NEW_YORK) is None
    with pytest.raises(NumberTaken):
        buy()


def test_releasing_twice_is_fine(exchanges):
    sid = buy().sid
    provider.release(sid=sid)
    provider.release(sid=sid)
    assert [exchange.status for exchange in exchanges][1:] == [204, 404]


def test_all_numbers_are_listed_page_by_page(simulator, exchanges):
    known = [f"+1212{2000000 + n}" for n in range(120)]
    simulator.seed_many(known)
    assert [number.e164 for number in list_owned(page_size=50)] == known
    assert len(exchanges) == 3


def test_a_list_asks_for_a_page_only_when_it_gets_there(simulator, exchanges):
    simulator.seed_many(f"+1212{2000000 + n}" for n in range(120))
    numbers = list_owned(page_size=50)
    next(numbers)
    assert len(exchanges) == 1


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "answer_lost", "not_json"])
def test_a_list_that_breaks_in_the_middle_raises(kind, simulator, exchanges):
    simulator.seed_many(f"+1212{2000000 + n}" for n in range(120))
    numbers = list_owned(page_size=50)
    assert len(list(islice(numbers, 50))) == 50
    simulator.fault(kind)
    with pytest.raises(ProviderUnavailable) as broken:
        next(numbers)
    assert broken.value.outcome_unknown is False


def test_the_account_and_its_balance_are_told(simulator, exchanges):
    account, balance = provider.account(), provider.balance()
    assert (account.sid, account.status, account.kind) == (simulator.account, "active", "Full")
    assert (balance.amount, balance.currency) == (Decimal("10000.00"), "USD")


@pytest.mark.parametrize(
    ("fields", "fault", "reason"),
    [({"emergency_address_status": "registered"}, "", "held"), ({}, "porting_out", "porting")],
)
def test_a_number_that_is_held_is_not_released_and_why(simulator, fields, fault, reason):
    sid = simulator.seed(NEW_YORK, **fields)
    if fault:
        simulator.fault(fault, method="DELETE")
    with pytest.raises(ReleaseRefused) as refused:
        provider.release(sid=sid)
    assert refused.value.reason == reason
    assert provider.fetch(sid=sid).emergency_address_status == fields.get(
        "emergency_address_status", "unregistered"
    )
