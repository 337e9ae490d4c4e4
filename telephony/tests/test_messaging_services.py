"""A messaging service takes the messages of the numbers in its pool: read, left and joined."""

import pytest

from telephony import messaging_services
from telephony.errors import ProviderError, ProviderUnavailable
from telephony.messaging_services import MessagingService
from telephony.tests.contract_cases import HOOK, NEW_YORK

ELSEWHERE = "https://elsewhere.example.com/sms"


def test_only_those_that_keep_messages_from_us_are_named(simulator, exchanges):
    takes = simulator.service(inbound_request_url=ELSEWHERE, us_app_to_person_registered=True)
    drops = simulator.service(friendly_name="Silent")
    simulator.service(use_inbound_webhook_on_number=True, inbound_request_url=ELSEWHERE)
    simulator.service(inbound_request_url=HOOK)
    assert messaging_services.taking_messages_from(HOOK) == [
        MessagingService(takes, "Marketing", ELSEWHERE, registered=True),
        MessagingService(drops, "Silent", "", registered=False),
    ]


def test_services_on_several_pages_are_all_read(simulator, exchanges, monkeypatch):
    monkeypatch.setattr(messaging_services, "PAGE_SIZE", 2)
    for _ in range(5):
        simulator.service()
    assert len(messaging_services.taking_messages_from(HOOK)) == 5
    assert len(exchanges) == 3


def test_more_than_are_read_are_not_taken_for_all(simulator, monkeypatch):
    monkeypatch.setattr(messaging_services, "MOST_SERVICES", 1)
    simulator.service()
    simulator.service()
    with pytest.raises(messaging_services.TooMany):
        messaging_services.taking_messages_from(HOOK)


def test_a_pool_is_read_page_by_page(simulator, exchanges, monkeypatch):
    monkeypatch.setattr(messaging_services, "PAGE_SIZE", 2)
    sids = [simulator.seed(f"+1212555012{digit}") for digit in range(5)]
    service = simulator.service(*sids)
    assert list(messaging_services.sender_pages(service)) == [sids[:2], sids[2:4], sids[4:]]


def test_a_pool_that_breaks_off_is_no_whole_pool(simulator, monkeypatch):
    monkeypatch.setattr(messaging_services, "PAGE_SIZE", 1)
    service = simulator.service(simulator.seed("+12125550121"), simulator.seed("+12125550122"))
    simulator.fault("rate_limited", path_contains="PhoneNumbers", skip=1)
    with pytest.raises(ProviderUnavailable):
        list(messaging_services.sender_pages(service))


def test_a_number_leaves_a_pool_and_joins_it_again(simulator, exchanges):
    sid = simulator.seed(NEW_YORK)
    service = simulator.service(sid)
    for _ in range(2):  # what is done already is done
        messaging_services.remove_sender(service, sid)
        assert not messaging_services.has_sender(service, sid)
    for _ in range(2):
        messaging_services.add_sender(service, sid)
        assert messaging_services.has_sender(service, sid)


def test_a_number_of_another_pool_is_refused(simulator):
    sid = simulator.seed(NEW_YORK)
    simulator.service(sid)
    with pytest.raises(ProviderError) as refused:
        messaging_services.add_sender(simulator.service(), sid)
    assert refused.value.provider_code == 21712


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, []),
        ({"inbound_request_url": "https://desk.test/service"}, ["https://desk.test/service"]),
        ({"use_inbound_webhook_on_number": True}, ["https://desk.test/number"]),
    ],
)
def test_the_simulator_sends_messages_as_the_pool_asks(simulator, db, fields, asked):
    sid = simulator.seed(NEW_YORK, sms_url="https://desk.test/number")
    service = simulator.service(sid, **fields)
    simulator.text(sender="+14155550123", recipient=NEW_YORK, body="Hello")
    simulator.run()
    assert [attempt.address for attempt in simulator.webhooks] == asked
    assert {attempt.fields["MessagingServiceSid"] for attempt in simulator.webhooks} <= {service}


def test_a_number_given_back_is_in_no_pool_any_more(simulator):
    sid = simulator.seed(NEW_YORK)
    service = simulator.service(sid)
    simulator.app.state.release(simulator.account, sid)
    assert list(messaging_services.sender_pages(service)) == [[]]
