"""Webhooks as the simulated provider sends them: signed as the SDK checks, retried as asked."""

import pytest
from twilio.request_validator import RequestValidator

from telephony.simulator.faults import Fault, Faults
from telephony.simulator.postman import NoAnswer, NoConnection, Postman, Reply, sign
from telephony.simulator.schedule import Schedule

FIELDS = {"To": "+12125550123", "Body": "café 😀", "Empty": "", "A b": "c&d"}


class Site:
    """Answers as told, one answer a request, and keeps the headers."""

    def __init__(self, *answers) -> None:
        self.answers, self.headers = list(answers), []

    def __call__(self, address, body, headers, seconds):
        self.headers.append(headers)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, type):
            raise answer
        return Reply(answer, "text/xml", b"<Response/>")


def postman(site: Site, *faults: Fault) -> Postman:
    waiting = Faults()
    for fault in faults:
        waiting.add(fault)
    return Postman("token", waiting, site, Schedule())


@pytest.mark.parametrize(
    "address",
    ["https://desk.test/voice/?a=1&b=2", "http://127.0.0.1:8160/message/",
     "https://desk.test:8443/voice/"],
)  # fmt: skip
def test_the_sdk_finds_the_signature_right(address):
    assert RequestValidator("token").validate(address, FIELDS, sign("token", address, FIELDS))


@pytest.mark.parametrize(
    ("fragment", "answers", "attempts"),
    [
        ("", [NoConnection, NoConnection, NoConnection], 2),
        ("", [500], 1),
        ("", [NoAnswer], 1),
        ("#rc=3&rp=all", [500, NoAnswer, 404], 4),
        ("#rc=3&rp=5xx", [500, 404], 2),
        ("#rc=0", [NoConnection], 1),
        ("#rc=5&rp=all", [200], 1),
    ],
)
def test_it_is_tried_again_as_the_address_asks(fragment, answers, attempts):
    site = Site(*answers)
    postman(site).post(f"https://desk.test/x/{fragment}", FIELDS)
    assert len(site.headers) == attempts


def test_attempts_of_one_webhook_share_a_token():
    site = Site(500, 200)
    postman(site).post("https://desk.test/x/#rc=1&rp=all", FIELDS)
    assert len({headers["I-Twilio-Idempotency-Token"] for headers in site.headers}) == 1


def test_faults_lose_double_and_forge():
    site = Site()
    match = {"method": "WEBHOOK"}
    post = postman(
        site, Fault("webhook_lost", **match), Fault("webhook_twice", **match),
        Fault("webhook_forged", **match),
    ).post  # fmt: skip
    post("https://desk.test/x/", FIELDS)
    assert site.headers == []
    post("https://desk.test/x/", FIELDS)
    assert len(site.headers) == 2
    post("https://desk.test/x/", FIELDS)
    right = sign("token", "https://desk.test/x/", FIELDS)
    assert [headers["X-Twilio-Signature"] == right for headers in site.headers] == [
        True, True, False, True,
    ]  # fmt: skip


def test_a_late_one_is_overtaken():
    site, waiting = Site(), Faults()
    waiting.add(Fault("webhook_late", method="WEBHOOK", seconds=5))
    schedule = Schedule()
    sender = Postman("token", waiting, site, schedule)
    sender.post("https://desk.test/first/", FIELDS)
    sender.post("https://desk.test/second/", FIELDS)
    schedule.run()
    assert [attempt.address[-7:] for attempt in sender.sent] == ["second/", "/first/"]
