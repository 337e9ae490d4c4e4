"""Signed webhooks on the production server, among a million numbers.

Ours is the whole site. The floor is a bare WSGI function on the same server with the same
signature check and the same prepared statement; the naive version is a plain Django view
behind the usual middleware, with the ORM. All are asked over HTTP by the same client.
"""

import os
import random
import secrets
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial

from django.db import connection
from django.utils import timezone

from bench._http_load import Server, answers_per_second, latencies, post
from bench.harness import ROUNDS, Figures, alternate, benchmark
from bench.numbers_list import stock
from interactions.models import Call, Conversation, Message, Route
from interactions.plans import Answer, Answers, VoicePlan
from numbers.models import Number
from telephony.twiml import Greeting
from wallet import ledger
from wallet.models import Hold, Wallet
from workspaces.models import Workspace

TOKEN = "the-token-of-the-bench"
BASE = "https://desk.bench"
VOICE, STATUS = "/webhooks/twilio/voice/", "/webhooks/twilio/message/status/"
# Two processes as on the two cores of the machine that the goals were set on.
SERVER = ("granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "1",
          "--log-level", "error")  # fmt: skip
SIDES = {
    "ours": "numbers_project.wsgi:application",
    "floor": "bench._webhook_floor:application",
    "naive": "bench._webhook_naive:application",
}
CALLED = 5000  # of the numbers; each has a route
# What a minute costs, so that each call has money set aside before the phone rings.
MINUTE_PRICE = Decimal("0.0270")
EACH = int(os.environ.get("EACH_WEBHOOK") or 2000)
STATES = ["sending", "sent", "delivered", "undelivered"]
HALF_SECONDS = 5.0
MOST_MS = 100.0


@dataclass(frozen=True, slots=True)
class Measured:
    voice: Figures
    status: Figures
    p99: Figures


@benchmark("webhook.voice", unit="per second", goal=0.5)
def webhook_voice() -> Figures:
    """A call arrives at a number with a route, has money set aside, and is answered with TwiML."""
    return measured().voice


@benchmark("webhook.status", unit="per second", goal=0.5)
def webhook_status() -> Figures:
    """States of messages in any order, each counted once."""
    return measured().status


@benchmark("webhook.p99", unit="ms", goal=0, most=MOST_MS)
def webhook_p99() -> Figures:
    """The 99th percentile of calls that arrive at half of what the server can answer."""
    return measured().p99


@cache
def measured() -> Measured:
    stock()
    called = _ready_numbers()
    with servers() as (ours, floor, naive):
        for server in (ours, floor, naive):
            _calls(server, called)
        _know_the_tables()
        voice = [partial(_calls, server, called) for server in (ours, floor, naive)]
        voice_figures = Figures(*alternate(*voice))
        status = [partial(_states, server, talk) for server, talk in _talks(ours, floor, naive)]
        status_figures = Figures(*alternate(*status))
        rate = voice_figures.value / 2
        p99 = [partial(_p99, server, called, rate) for server in (ours, floor)]
        p99_figures = Figures(*alternate(*p99, times=3, warm_up=False))
    _check_states()
    _check_holds()
    print(f"  {Call.objects.count():,} calls stored, each once", flush=True)
    return Measured(voice_figures, status_figures, p99_figures)


@contextmanager
def servers() -> Iterator[list[Server]]:
    """One for each side, idle but for the one that is asked."""
    env = os.environ | {
        "TWILIO_AUTH_TOKEN": TOKEN, "PUBLIC_BASE_URL": BASE, "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    with ExitStack() as stack:
        yield [
            stack.enter_context(Server([sys.executable, "-m", *SERVER, target], env).running())
            for target in SIDES.values()
        ]


def _ready_numbers() -> list[str]:
    """Active numbers from all over the table, with a route, in workspaces with money."""
    for workspace in Workspace.objects.filter(slug__startswith="bench-"):
        wallet, _new = Wallet.objects.get_or_create(workspace=workspace)
        ledger.credit(
            wallet=wallet, amount=Decimal(100_000), contra="bank", key="bench", text="Bench"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM numbers_number WHERE deactivated_at IS NULL AND suspended_at IS NULL "
            "AND released_at IS NULL AND 'voice' = ANY(capabilities) AND id %% 97 = 0 LIMIT %s",
            [CALLED],
        )
        ids = [row[0] for row in cursor.fetchall()]
    numbers = list(Number.objects.filter(pk__in=ids))
    voicemail = Answer(kind=Answers.VOICEMAIL, greeting=Greeting(text="Speak now."))
    forward = Answer(kind=Answers.FORWARD, phones=("+13105550101",), fallback=voicemail)
    plan, now, person = VoicePlan(forward).write(), timezone.now(), stock().person
    Route.objects.bulk_create(
        Route(workspace_id=number.workspace_id, number=number, medium="voice", plan=plan,
              minute_price=MINUTE_PRICE, saved_by=person, saved_at=now)
        for number in numbers
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE interactions_route")
    return [number.e164 for number in numbers]


# --- Calls --------------------------------------------------------------------------------


def _calls(server: Server, called: list[str]) -> float:
    _hang_up()
    requests = [_call(random.choice(called)) for _ in range(EACH)]
    return answers_per_second(server, requests, expected=b"<Response>")


def _call(e164: str) -> bytes:
    caller = f"+1415{random.randrange(2_000_000, 9_999_999)}"
    return post(
        VOICE,
        {
            "AccountSid": "AC" + "1" * 32, "ApiVersion": "2010-04-01",
            "CallSid": f"CA{secrets.token_hex(16)}", "CallStatus": "ringing",
            "Direction": "inbound", "From": caller, "To": e164, "Caller": caller,
            "Called": e164, "FromCity": "SAN FRANCISCO", "FromCountry": "US", "FromState": "CA",
            "FromZip": "94105", "ToCity": "", "ToCountry": "US", "ToState": "NY", "ToZip": "",
        },
        base=BASE, token=TOKEN,
    )  # fmt: skip


def _know_the_tables() -> None:
    """As autovacuum does within a minute; plans made for empty tables would be kept till then."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE interactions_call, interactions_conversation, wallet_hold")


def _hang_up() -> None:
    """The calls so far are over: nobody has thousands under way at once."""
    now = timezone.now()
    Call.objects.filter(ended_at=None).update(ended_at=now, settled_at=now, paid_at=now)


def _p99(server: Server, called: list[str], rate: float) -> float:
    _hang_up()
    requests = [_call(random.choice(called)) for _ in range(int(rate * HALF_SECONDS))]
    times = latencies(server, requests, rate=rate)
    return 1000 * statistics.quantiles(times, n=100)[98]


# --- States of messages -------------------------------------------------------------------


def _talks(*sides: Server) -> Iterator[tuple[Server, Iterator[list[str]]]]:
    """For each side the SIDs of its own messages, a round at a time."""
    for name, side in zip(SIDES, sides, strict=True):
        yield side, iter(_messages(name, ROUNDS + 1))


def _messages(side: str, rounds: int) -> list[list[str]]:
    workspace, now = stock().small, timezone.now()
    number = Number.objects.filter(workspace=workspace).first()
    assert number is not None, "the small workspace has numbers"
    talk, _new = Conversation.objects.get_or_create(
        number=number, contact="+14155550123", defaults={"workspace": workspace, "last_at": now}
    )
    each = EACH // len(STATES)
    sids = [f"SM{secrets.token_hex(16)}" for _ in range(rounds * each)]
    Message.objects.bulk_create(
        Message(workspace=workspace, number=number, conversation=talk, direction="out", sid=sid,
                status="queued", states={"queued": now.isoformat()}, body=side,
                at=now - timedelta(seconds=n))
        for n, sid in enumerate(sids)
    )  # fmt: skip
    return [sids[first : first + each] for first in range(0, len(sids), each)]


def _states(server: Server, rounds: Iterator[list[str]]) -> float:
    requests = [_state(sid, status) for sid in next(rounds) for status in STATES]
    random.shuffle(requests)
    return answers_per_second(server, requests, expected=b"<Response")


def _state(sid: str, status: str) -> bytes:
    return post(
        STATUS,
        {
            "AccountSid": "AC" + "1" * 32, "ApiVersion": "2010-04-01", "MessageSid": sid,
            "SmsSid": sid, "MessageStatus": status, "SmsStatus": status,
            "From": "+12125550123", "To": "+14155550123",
        },
        base=BASE, token=TOKEN,
    )  # fmt: skip


def _check_holds() -> None:
    """Of the calls that we forwarded, each has money set aside, once."""
    forwarded = Call.objects.filter(limit_seconds__gt=0).count()
    held = Hold.objects.filter(key__startswith="usage:forward:").count()
    if not held or held != forwarded:
        raise RuntimeError(f"{forwarded} calls were forwarded, and {held} have money set aside")
    print(f"  {held:,} calls forwarded, each with money set aside", flush=True)


def _check_states() -> None:
    """Whatever the order, each message was delivered and each state was noted once."""
    rows = Message.objects.filter(body="ours")
    wrong = [row for row in rows if row.status != "delivered" or len(row.states) != 5]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(rows)} messages are wrong: {wrong[:3]}")
    print(f"  {len(rows) * len(STATES):,} states in random order, each counted once", flush=True)
