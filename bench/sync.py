"""Comparing 100,000 numbers with the provider: against merely fetching and reading the pages."""

import json
import os
import resource
import sqlite3
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench._provider import simulated_provider
from bench.harness import Figures, alternate, benchmark
from numbers import sync
from numbers.compare import compare
from numbers.models import Number
from numbers.sync_models import Difference, SyncRun
from telephony import provider
from telephony.simulator.state import SCHEMA, now
from telephony.webhook_urls import webhooks_for_numbers
from workspaces.models import Workspace

NUMBERS = int(os.environ.get("BENCH_SYNC_NUMBERS", "100000"))
NAIVE_SAMPLE = 1000


@benchmark("sync.walk", unit="s", goal=0.5)
def sync_walk() -> Figures:
    """Ours and the floor read the same pages over HTTP; the naive version asks for each
    number of ours one by one, and is timed on a sample.
    """
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "simulator.sqlite3"
        _numbers_there(state)
        _numbers_here()
        with simulated_provider(state):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            ours, floor = alternate(_reconcile, _fetch_pages, times=3)
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            naive = _naive() * NUMBERS / NAIVE_SAMPLE
    print(f"  {NUMBERS:,} numbers; memory grew by {grown / 1024:.0f} MB")
    _clear()
    return Figures(value=ours, floor=floor, naive=naive)


def _reconcile() -> float:
    began = time.perf_counter()
    run = sync.reconcile()
    if not run.complete or run.seen != NUMBERS or run.found:
        raise RuntimeError(f"the walk went wrong: {run} {run.error}")
    return time.perf_counter() - began


def _fetch_pages() -> float:
    began = time.perf_counter()
    read = sum(len(page) for page in provider.list_pages())
    if read != NUMBERS:
        raise RuntimeError(f"{read} numbers instead of {NUMBERS}")
    return time.perf_counter() - began


def _naive() -> float:
    began = time.perf_counter()
    for number in Number.objects.all()[:NAIVE_SAMPLE]:
        compare(number, provider.fetch(sid=number.provider_sid))
    return time.perf_counter() - began


def _e164(index: int) -> str:
    return f"+1212{2_000_000 + index}"


def _sid(index: int) -> str:
    return f"PN{index:032x}"


def _numbers_there(state: Path) -> None:
    webhooks = webhooks_for_numbers(["voice", "sms"])
    fields = json.dumps(
        {
            "friendly_name": "Bench", "voice_url": webhooks.voice_url,
            "voice_fallback_url": webhooks.voice_fallback_url,
            "status_callback": webhooks.voice_status_url, "sms_url": webhooks.message_url,
            "sms_fallback_url": webhooks.message_fallback_url, "date_created": now(),
        }
    )  # fmt: skip
    with sqlite3.connect(state) as db:
        db.executescript(SCHEMA)
        db.executemany(
            "INSERT INTO number (sid, account, e164, fields) VALUES (?, ?, ?, ?)",
            ((_sid(i), settings.TWILIO_ACCOUNT_SID, _e164(i), fields) for i in range(NUMBERS)),
        )


def _numbers_here() -> None:
    workspace = Workspace.objects.create(slug="bench-sync", name="Bench")
    then = timezone.now()
    example = Number(
        workspace=workspace, country="US", number_type="local", area_code="212",
        capabilities=["sms", "voice"], monthly_price="1.38", provider_monthly_price="1.15",
        currency="USD", friendly_name="Bench", created_at=then, webhooks_set_at=then,
    )  # fmt: skip
    columns = [f for f in Number._meta.concrete_fields if f.attname != "id" and not f.generated]
    with connection.cursor() as cursor:
        names = ", ".join(field.column for field in columns)
        with cursor.copy(f"COPY numbers_number ({names}) FROM STDIN") as copy:
            for index in range(NUMBERS):
                values = {"e164": _e164(index), "provider_sid": _sid(index),
                          "public_id": f"sync{index}"}  # fmt: skip
                copy.write_row(
                    [values.get(f.attname, getattr(example, f.attname)) for f in columns]
                )


def _clear() -> None:
    Difference.objects.all().delete()
    SyncRun.objects.all().delete()
    Number.objects.filter(workspace__slug="bench-sync").delete()
    Workspace.objects.filter(slug="bench-sync").delete()
