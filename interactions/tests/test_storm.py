"""Ten thousand webhooks, lost, doubled, shuffled and forged, from several sides at once."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone
from twilio.request_validator import RequestValidator

from interactions.models import Call, Conversation, Message, RefusedWebhook
from interactions.tests.conftest import make_number

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

SENT = 10_000
EACH = 900  # calls, messages in, messages out
FORGED = 2000
SENDERS = 4
# Twilio's own order of what becomes of a call and a message; none may go back to the left.
ORDER = {
    "call": ["ringing", "in-progress", "completed"],
    "message": ["queued", "sending", "sent", "delivered"],
}
AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Webhook:
    path: str
    fields: tuple[tuple[str, str], ...]
    forged: str = ""

    @property
    def sid(self) -> str:
        said = dict(self.fields)
        return said.get("CallSid") or said["MessageSid"]


@pytest.fixture
def steps(db) -> Iterator[None]:
    """Has the database note each change of a status, whoever makes it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE storm_step (what text, before text, after text)")
        cursor.execute(
            "CREATE FUNCTION storm_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO storm_step VALUES (TG_ARGV[0], OLD.status, NEW.status); RETURN NEW; END $$"
        )
        for what in ORDER:
            cursor.execute(
                f"CREATE TRIGGER storm AFTER UPDATE OF status ON interactions_{what} "
                f"FOR EACH ROW EXECUTE FUNCTION storm_note('{what}')"
            )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION storm_note() CASCADE")
        cursor.execute("DROP TABLE storm_step")


@pytest.fixture
def numbers(acme, globex):
    """Two workspaces, each with one number; the same people call and text both."""
    return [make_number(acme, "+12125550123"), make_number(globex, "+13105550199")]


def events(numbers) -> list[Webhook]:
    """Everything that happened, once each and in order."""
    happened = []
    for n in range(EACH):
        number, other = numbers[n % 2].e164, f"+1415555{n % 300:04d}"
        inward = {"From": other, "To": number}
        call = {"CallSid": f"CA{n:032x}", "Direction": "inbound", **inward}
        happened += [
            hook("voice/", call, CallStatus="ringing"),
            hook("voice/status/", call, CallStatus="in-progress"),
            hook("voice/status/", call, CallStatus="completed", CallDuration="61"),
            hook("message/", {"MessageSid": f"SM{n:032x}", **inward}, Body=f"text {n}",
                 NumMedia="0", NumSegments="1", SmsStatus="received"),
        ]  # fmt: skip
        sent = {"MessageSid": out_sid(n), "From": number, "To": other}
        happened += [hook("message/status/", sent, MessageStatus=status)
                     for status in ORDER["message"][1:]]  # fmt: skip
    return happened


def hook(path: str, fields: dict[str, str], **more: str) -> Webhook:
    return Webhook(f"/webhooks/twilio/{path}", tuple((fields | more).items()))


def out_sid(n: int) -> str:
    return f"SMf{n:031x}"


def storm(numbers, chance: random.Random) -> list[Webhook]:
    """What arrives of it: a tenth is lost, some comes again, others pretend, and no order."""
    happened = events(numbers)
    arrived = [webhook for webhook in happened if chance.random() > 0.1]
    forged = [forge(chance.choice(happened), chance) for _ in range(FORGED)]
    doubles = chance.choices(arrived, k=SENT - len(arrived) - len(forged))
    sent = arrived + doubles + forged
    chance.shuffle(sent)
    return sent


def forge(webhook: Webhook, chance: random.Random) -> Webhook:
    """As somebody would who has seen genuine ones, or made up their own."""
    how = chance.choice(["unsigned", "made up", "other token", "other field", "other path"])
    worst = {"CallStatus": "failed", "MessageStatus": "failed", "Body": "evil"}
    fields = tuple((name, worst.get(name, value)) for name, value in webhook.fields)
    return replace(webhook, fields=fields, forged=how)


class Sender:
    """Posts to the whole of Django, past the test client, which takes longer than the view."""

    def __init__(self, base: str, token: str) -> None:
        self.base, self.token, self.django = base, token, WSGIHandler()
        self.factory = RequestFactory()

    def post(self, webhook: Webhook) -> int:
        fields = dict(webhook.fields)
        body = urlencode(fields).encode()
        request = self.factory.generic(
            "POST", webhook.path, body, "application/x-www-form-urlencoded", **self.sign(webhook)
        )
        answer = self.django.get_response(request)
        answer.close()
        return answer.status_code

    def sign(self, webhook: Webhook) -> dict[str, str]:
        address, fields = self.base + webhook.path, dict(webhook.fields)
        token = self.token
        match webhook.forged:
            case "unsigned":
                return {}
            case "made up":
                return {"HTTP_X_TWILIO_SIGNATURE": "L/OH5YylLD5NRKLltdqwSvS0BnU="}
            case "other token":
                token = "another-token"
            case "other field":
                fields["Extra"] = "1"
            case "other path":
                address += "x/"
        signature = RequestValidator(token).compute_signature(address, fields)
        return {"HTTP_X_TWILIO_SIGNATURE": signature}


@pytest.fixture
def weather(numbers, simulator, settings, steps) -> tuple[list[Webhook], list[int]]:
    """The storm, and what each webhook was answered with. Bells ring and nobody hears them."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    chance = random.Random(7)
    write_outgoing(numbers)
    sent = storm(numbers, chance)
    assert len(sent) == SENT
    sender = Sender(settings.PUBLIC_BASE_URL, settings.TWILIO_AUTH_TOKEN)
    with time_machine.travel(AT, tick=True):
        parts = [sent[first::SENDERS] for first in range(SENDERS)]
        with ThreadPoolExecutor(SENDERS) as threads:
            answers = list(threads.map(partial(post_all, sender), parts))
        with time_machine.travel(AT.replace(minute=30), tick=True):
            flush(sender)
    return [one for part in parts for one in part], [code for part in answers for code in part]


def post_all(sender: Sender, part: list[Webhook]) -> list[int]:
    try:
        return [sender.post(webhook) for webhook in part]
    finally:
        connection.close()


KINDS = [("voice/", "call"), ("voice/status/", "call"), ("message/", "message"),
         ("message/status/", "message")]  # fmt: skip


def flush(sender: Sender) -> None:
    """The row of the hour is brought up to date with the next refusal after some seconds."""
    for path, _what in KINDS:
        for forged in ("unsigned", "made up"):
            sender.post(replace(hook(path, {"CallSid": "CA" + "f" * 32}), forged=forged))


def write_outgoing(numbers) -> None:
    now = timezone.now()
    talks = Conversation.objects.bulk_create(
        Conversation(workspace=number.workspace, number=number, contact=f"+1415555{n:04d}",
                     last_at=now)
        for n in range(300) for number in numbers
    )  # fmt: skip
    by_place = {(talk.number_id, talk.contact): talk for talk in talks}
    Message.objects.bulk_create(
        Message(
            workspace=numbers[n % 2].workspace, number=numbers[n % 2], direction="out", at=now,
            conversation=by_place[numbers[n % 2].pk, f"+1415555{n % 300:04d}"], sid=out_sid(n),
            status="queued", states={"queued": now.isoformat()}, body="out",
        )
        for n in range(EACH)
    )  # fmt: skip


def test_a_storm_leaves_each_interaction_once_and_takes_nothing_back(weather, numbers):
    sent, answers = weather
    genuine = [webhook for webhook in sent if not webhook.forged]
    said = list(zip(sent, answers, strict=True))
    assert {code for webhook, code in said if not webhook.forged} == {200}
    calls = {webhook.sid for webhook in genuine if "/voice/" in webhook.path}
    texts = {webhook.sid for webhook in genuine if webhook.path.endswith("/message/")}
    assert Counter(Call.objects.values_list("sid", flat=True)) == Counter(calls)
    incoming = Message.objects.filter(direction="in")
    assert Counter(incoming.values_list("sid", flat=True)) == Counter(texts)
    assert not Message.objects.filter(body="evil").exists()
    assert (len(calls) > 0.99 * EACH, len(texts) < EACH) == (True, True)

    assert_statuses("call", genuine, Call.objects.all(), "ringing")
    assert_statuses("message", genuine, Message.objects.filter(direction="out"), "queued")
    assert steps_back() == []

    missed = Call.objects.filter(outcome="missed").count()
    assert sum(Conversation.objects.values_list("unread", flat=True)) == len(texts) + missed
    assert missed == Call.objects.filter(status="completed").count()
    for number in numbers:
        for model in (Call, Message, Conversation):
            rows = model.objects.filter(number=number)
            assert not rows.exclude(workspace=number.workspace).exists()
            assert rows.exists()

    forged = [(webhook, code) for webhook, code in said if webhook.forged]
    assert len(forged) == FORGED
    # Refused, and after the first sixty of a minute told when to try again.
    assert {code for _webhook, code in forged} == {403, 429}
    counted = Counter()
    for row in RefusedWebhook.objects.all():
        counted[row.path, row.because] += row.count
    real = Counter(
        (webhook.path, "unsigned" if webhook.forged == "unsigned" else "forged")
        for webhook, _code in forged
    )
    assert counted == real + Counter(dict.fromkeys(real, 1))  # the flush added one of each


def assert_statuses(what: str, genuine: list[Webhook], rows, first: str) -> None:
    """Each row has the farthest status of which we were told, and each report once."""
    name = {"call": "CallStatus", "message": "MessageStatus"}[what]
    told: dict[str, set[str]] = {}
    for webhook in genuine:
        if status := dict(webhook.fields).get(name):
            told.setdefault(webhook.sid, set()).add(status)
    place = ORDER[what].index
    for row in rows:
        heard = told.get(row.sid, set()) | {first}
        assert row.status == max(heard, key=place), row.sid
        assert set(row.states) == heard, row.sid


def steps_back() -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT what, before, after FROM storm_step")
        steps = cursor.fetchall()
    assert len(steps) > EACH
    return [(what, before, after) for what, before, after in steps
            if ORDER[what].index(before) > ORDER[what].index(after)]  # fmt: skip
