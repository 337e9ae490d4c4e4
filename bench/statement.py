"""A million entries of one wallet: as a file, against COPY, and recomputed, against a sum."""

import json
import subprocess
import sys
import time

from django.db import connection

from bench.harness import Figures, alternate, benchmark
from bench.wallet import new_wallet
from wallet.verify import verify
from workspaces.models import Workspace

LINES = 1_000_000
FEW = 10_000
MOST_MB = 10.0  # that a million lines may take more than ten thousand
ROUNDS = 3

FILL = """
INSERT INTO wallet_entry (wallet_id, seq, kind, amount, contra, balance_after, available_after,
    key, text, reference, reason, created_at)
SELECT %s, n, 'usage', -0.01, 'revenue', 1e8 - (n - 1) * 0.01, 1e8 - (n - 1) * 0.01, 'k' || n,
    'Call to +1 212-555-0123, 2 minutes', 'CA' || n, '', now()
FROM generate_series(2, %s) AS n
"""
OURS = """
import bench, json, sys, time
from wallet.models import Wallet
from wallet.statement import as_csv, entries_of
wallet = Wallet.objects.get(pk=sys.argv[1])
began = time.perf_counter()
lines = sum(part.count("\\n") for part in as_csv(entries_of(wallet), "USD"))
seconds = time.perf_counter() - began
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([seconds, lines - 1, int(peak)]))
"""
FLOOR = """
COPY (SELECT seq, created_at, kind, text, reference, amount, balance_after, 'USD', reason
      FROM wallet_entry WHERE wallet_id = {wallet} ORDER BY seq DESC) TO STDOUT (FORMAT csv)
"""


@benchmark("wallet.export", unit="per second", goal=0.05)
def export() -> Figures:
    """Lines a second; the memory of a million beside that of ten thousand is printed."""
    few, many = _wallet_with(FEW), _wallet_with(LINES)
    _, small = _export(few, FEW)
    peaks: list[float] = []

    def ours() -> float:
        seconds, peak = _export(many, LINES)
        peaks.append(peak)
        return LINES / seconds

    def copied() -> float:
        began, size = time.perf_counter(), 0
        with connection.connection.cursor().copy(FLOOR.format(wallet=many)) as rows:
            for part in rows:
                size += len(part)
        return LINES / (time.perf_counter() - began)

    value, floor = alternate(ours, copied, times=ROUNDS)
    print(f"  memory {small:.0f} MB for {FEW:,} lines, {max(peaks):.0f} MB for {LINES:,}")
    if max(peaks) > small + MOST_MB:
        raise RuntimeError("the memory of the export grows with its lines")
    return Figures(value, floor)


@benchmark("wallet.verify", unit="s", goal=0.01, most=10)
def verified() -> Figures:
    """Every balance of a million entries recomputed, against reading them once."""
    workspace = Workspace.objects.get(pk=_wallet_with(LINES))

    def ours() -> float:
        began = time.perf_counter()
        if wrong := list(verify(workspace)):
            raise RuntimeError(f"the entries of the bench are wrong: {wrong[:3]}")
        return time.perf_counter() - began

    def summed() -> float:
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(amount) FROM wallet_entry WHERE wallet_id = %s", [workspace.pk]
            )
        return time.perf_counter() - began

    return Figures(*alternate(ours, summed, times=ROUNDS))


def _wallet_with(lines: int) -> int:
    wallet = new_wallet()
    with connection.cursor() as cursor:
        # As the triggers would have it, without asking each of them.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(FILL, [wallet, lines])
        cursor.execute("SET session_replication_role = origin")
        cursor.execute(
            "UPDATE wallet_wallet SET last_seq = %s, balance = 1e8 - (%s - 1) * 0.01 "
            "WHERE workspace_id = %s", [lines, lines, wallet],
        )  # fmt: skip
        cursor.execute("ANALYZE wallet_entry")
    return wallet


def _export(wallet: int, lines: int) -> tuple[float, float]:
    """(seconds, MB at the peak)."""
    done = subprocess.run(
        [sys.executable, "-c", OURS, str(wallet)], stdout=subprocess.PIPE, check=True, text=True
    )
    seconds, told, peak = json.loads(done.stdout)
    if told != lines:
        raise RuntimeError(f"{told} lines instead of {lines}")
    return seconds, peak / 1024
