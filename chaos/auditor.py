"""Compares what the provider has with what the desk says, in SQL of its own.

Nothing of the product is imported here: an error of the product must not hide itself.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

LINES = """
    SELECT line.id, line.e164, line.state, line.monthly_price, line.position,
           o.reference, o.workspace_id, number.provider_sid, number.webhooks_set_at IS NOT NULL,
           number.workspace_id,
           (SELECT to_state FROM numbers_orderstep s WHERE s.line_id = line.id
            ORDER BY s.id DESC LIMIT 1)
    FROM numbers_orderline line JOIN numbers_numberorder o ON o.id = line.order_id
    LEFT JOIN numbers_number number ON number.id = line.number_id
"""
CHARGES = "SELECT key, amount, hold_id, wallet_id FROM wallet_entry WHERE kind = 'purchase'"
HOLDS = """
    SELECT h.id, h.key, h.wallet_id, h.amount, h.captured, h.released, h.ended_at IS NULL,
           coalesce((SELECT -sum(amount) FROM wallet_entry e WHERE e.hold_id = h.id), 0)
    FROM wallet_hold h
"""
WALLETS = """
    SELECT workspace_id, balance, held,
           coalesce((SELECT sum(amount) FROM wallet_entry e WHERE e.wallet_id = w.workspace_id), 0),
           coalesce((SELECT sum(amount - captured - released) FROM wallet_hold h
                     WHERE h.wallet_id = w.workspace_id), 0)
    FROM wallet_wallet w
"""
NUMBERS = """
    SELECT number.e164, number.provider_sid, line.id IS NOT NULL FROM numbers_number number
    LEFT JOIN numbers_orderline line ON line.number_id = number.id
    WHERE number.released_at IS NULL
"""
BOUGHT = ("done", "refunded")
UNSETTLED = ("placed", "buying", "checking")


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind`` is lost, double or unsettled; ``number`` is what it is about, where it is one."""

    kind: str
    number: str
    text: str


@dataclass
class Audit:
    findings: list[Finding] = field(default_factory=list)
    state_of: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, number: str, text: str) -> None:
        self.findings.append(Finding(kind, number, text))

    def count(self, kind: str, numbers: Iterable[str] | None = None) -> int:
        wanted = None if numbers is None else set(numbers)
        return sum(
            finding.kind == kind and (wanted is None or finding.number in wanted)
            for finding in self.findings
        )


def audit(*, database: str, simulator: Path) -> Audit:
    with psycopg.connect(database) as desk, sqlite3.connect(simulator) as provider:
        result = Audit()
        lines = desk.execute(LINES).fetchall()
        _numbers(result, lines, desk.execute(NUMBERS).fetchall(), provider)
        _charges(result, lines, desk.execute(CHARGES).fetchall())
        _holds(result, lines, desk.execute(HOLDS).fetchall())
        _wallets(result, desk.execute(WALLETS).fetchall())
        return result


def _numbers(result: Audit, lines: list, ours: list, provider: sqlite3.Connection) -> None:
    """Every number at the provider has exactly one order that bought it, and the reverse."""
    owned = dict(provider.execute("SELECT e164, sid FROM number WHERE released_at IS NULL"))
    accounted: dict[str, list] = defaultdict(list)
    for line in lines:
        e164, state, sid = line[1], line[2], line[7]
        result.state_of[e164] = _graver(result.state_of.get(e164, ""), state)
        if state in UNSETTLED:
            result.add("unsettled", e164, f"order {line[5]}: {e164} is still {state}")
        if state in BOUGHT:
            accounted[e164].append(line)
            if owned.get(e164) != sid:
                result.add("lost", e164, f"{e164} was charged and the provider does not have it")
            if line[9] != line[6]:
                result.add("lost", e164, f"{e164} is in another workspace than its order")
            if not line[8]:
                result.add("unsettled", e164, f"{e164} does not receive calls and messages")
        if line[10] != state:
            result.add("lost", e164, f"{e164} is {state}, and its log says {line[10]}")
    for e164 in owned:
        if len(accounted[e164]) == 0 and result.state_of.get(e164, "") not in UNSETTLED:
            result.add("lost", e164, f"{e164} is at the provider and no order accounts for it")
        if len(accounted[e164]) > 1:
            result.add("double", e164, f"{e164} was sold {len(accounted[e164])} times")
    for e164, sid, has_line in ours:
        if not has_line or owned.get(e164) != sid:
            result.add("lost", e164, f"{e164} is among the numbers without order or provider")
    bought_twice = "SELECT e164, count(*) FROM purchase GROUP BY e164 HAVING count(*) > 1"
    for e164, times in provider.execute(bought_twice):
        result.add("double", e164, f"the provider sold {e164} {times} times")
    result.counts |= {"lines": len(lines), "owned": len(owned)}


def _graver(one: str, other: str) -> str:
    rank = ["", "refused", "refunded", "done", "placed", "buying", "checking"]
    return max(one, other, key=rank.index)


def _charges(result: Audit, lines: list, charges: list) -> None:
    """One charge for each number that was bought, at its price, and none besides."""
    by_key: dict[str, list] = defaultdict(list)
    for charge in charges:
        by_key[charge[0]].append(charge)
    for line in lines:
        e164, state, price = line[1], line[2], line[3]
        mine = by_key.pop(f"order:{line[5]}:{line[4]}", [])
        if state not in BOUGHT and mine:
            result.add("lost", e164, f"{e164} was charged and is {state}")
        if state in BOUGHT and not mine:
            result.add("lost", e164, f"{e164} was bought and not charged")
        if len(mine) > 1:
            result.add("double", e164, f"{e164} was charged {len(mine)} times")
        if any(-charge[1] != price or charge[3] != line[6] for charge in mine):
            result.add("lost", e164, f"{e164} was charged at another price, or somebody else")
    for key in by_key:
        result.add("lost", "", f"the charge {key} has no line")
    result.counts["charges"] = len(charges)


def _holds(result: Audit, lines: list, holds: list) -> None:
    """Every hold has an order, ended with its last line, and was used for what was charged."""
    references: dict[str, list] = defaultdict(list)
    for line in lines:
        references[f"order:{line[5]}"].append(line)
    for _, key, _, amount, captured, released, is_open, charged in holds:
        mine = references.get(key, [])
        e164 = mine[0][1] if mine else ""
        if not mine:
            result.add("lost", "", f"the hold {key} has no order")
        if captured != charged:
            result.add("lost", e164, f"the hold {key} captured {captured}, charged {charged}")
        if amount != sum(line[3] for line in mine):
            result.add("lost", e164, f"the hold {key} is not the sum of its lines")
        settled = all(line[2] not in UNSETTLED for line in mine)
        if is_open and settled:
            result.add("unsettled", e164, f"the hold {key} is open and its order is settled")
        if not is_open and not settled:
            result.add("lost", e164, f"the hold {key} ended before its order: {released} freed")
    result.counts["holds"] = len(holds)


def _wallets(result: Audit, wallets: list) -> None:
    for workspace, balance, held, entries, open_holds in wallets:
        if balance != entries:
            result.add("lost", "", f"wallet {workspace}: balance {balance}, entries {entries}")
        if held != open_holds:
            result.add("lost", "", f"wallet {workspace}: held {held}, open holds {open_holds}")
        if balance - held < 0:
            result.add("double", "", f"wallet {workspace} spent more than it had")
