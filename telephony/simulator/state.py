"""What the simulated provider remembers: owned numbers, releases, messaging services, the balance.

A SQLite file of its own. It is the other side of the wire: a rollback of ours must not undo
what it has done. An account may own 100,000 numbers: everything but ``owned`` costs the same
however many there are.
"""

import json
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

NAME = "json_extract(fields, '$.friendly_name')"
ORIGIN = "coalesce(json_extract(fields, '$.origin'), 'twilio')"
# Each index ends with the rowid, as every index of SQLite does: a page is one range of it.
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS number (
    sid TEXT PRIMARY KEY, account TEXT NOT NULL, e164 TEXT NOT NULL, fields TEXT NOT NULL,
    released_at TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS number_once ON number (e164) WHERE released_at IS NULL;
CREATE INDEX IF NOT EXISTS number_ever ON number (e164);
CREATE INDEX IF NOT EXISTS number_owned ON number (account) WHERE released_at IS NULL;
CREATE INDEX IF NOT EXISTS number_by_digits ON number (account, e164) WHERE released_at IS NULL;
CREATE INDEX IF NOT EXISTS number_by_name ON number (account, {NAME}) WHERE released_at IS NULL;
CREATE TABLE IF NOT EXISTS purchase (at TEXT NOT NULL, e164 TEXT NOT NULL, sid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS account (sid TEXT PRIMARY KEY, balance TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS service (sid TEXT PRIMARY KEY, fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sender (
    number TEXT PRIMARY KEY, service TEXT NOT NULL, joined_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sender_of_service ON sender (service);
"""
FIRST_BALANCE = "10000.00"
AFTER_ANY_DIGIT = ":"  # what follows 9 in ASCII: the end of a range of digits


class Taken(Exception):
    """The number is owned or was released: it cannot be bought."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which owned numbers a list shows. ``number`` is a part of one, ``*`` any digit; with
    a ``+`` before it, its beginning.
    """

    number: str = ""
    name: str = ""
    origin: str = ""

    @property
    def from_the_start(self) -> bool:
        return self.number.startswith("+")

    def index(self) -> tuple[str, str]:
        """The index that answers, and the column by which it is walked."""
        if self.from_the_start:
            return "number_by_digits", "e164"
        return ("number_by_name" if self.name else "number_owned"), "rowid"

    def conditions(self) -> list[tuple[str, list[str]]]:
        digits = re.sub(r"[^0-9*]", "", self.number)
        glob = digits.replace("*", "[0-9]") + "*"
        conditions = []
        if self.from_the_start:
            begin = "+" + digits.split("*")[0]
            conditions.append(("e164 >= ? AND e164 < ?", [begin, begin + AFTER_ANY_DIGIT]))
            conditions.append(("e164 GLOB ?", ["+" + glob]))
        elif digits:
            conditions.append(("e164 GLOB ?", ["*" + glob]))
        if self.name:
            conditions.append((f"{NAME} = ?", [self.name]))
        if self.origin:
            conditions.append((f"{ORIGIN} = ?", [self.origin]))
        return conditions


EVERYTHING = Wanted()


class State:
    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(SCHEMA)

    def buy(
        self, account: str, e164: str, fields: dict[str, Any], price: Decimal,
        about: dict[str, Any] | None = None,
    ) -> str:  # fmt: skip
        """The sid of the number. One that the account owns takes over ``fields`` and costs
        nothing; ``about`` describes a new one. Raises ``Taken``.
        """
        with self._lock, self._db:
            row = self._one("SELECT * FROM number WHERE e164 = ? ORDER BY released_at", e164)
            if row is not None:
                if row["released_at"] or row["account"] != account:
                    raise Taken(e164)
                self._store(row["sid"], json.loads(row["fields"]) | fields)
                return row["sid"]
            sid = self._insert([(account, e164, (about or {}) | fields)])
            self._db.execute("INSERT INTO purchase VALUES (?, ?, ?)", (now(), e164, sid))
            self._pay(account, price)
            return sid

    def adopt(self, account: str, numbers: Iterable[str]) -> None:
        """Make the account the owner of many numbers at once, as if they had been there."""
        with self._lock, self._db:
            self._insert((account, e164, {"friendly_name": e164}) for e164 in numbers)

    def update(self, account: str, sid: str, fields: dict[str, Any]) -> bool:
        with self._lock, self._db:
            known = self.fetch(account, sid)
            if known is None:
                return False
            self._store(sid, known | fields)
            return True

    def fetch(self, account: str, sid: str) -> dict[str, Any] | None:
        return self._owned_by(account, "sid", sid)

    def find(self, account: str, e164: str) -> dict[str, Any] | None:
        """The number, if the account owns it."""
        return self._owned_by(account, "e164", e164)

    def release(self, account: str, sid: str) -> bool:
        with self._lock, self._db:
            done = self._db.execute(
                "UPDATE number SET released_at = ? "
                "WHERE sid = ? AND account = ? AND released_at IS NULL",
                (now(), sid, account),
            )
            self._db.execute("DELETE FROM sender WHERE number = ?", (sid,))
            return done.rowcount == 1

    def page(
        self, account: str, wanted: Wanted = EVERYTHING, *, size: int, after: str = "",
        before: str = "", newest_first: bool = False,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Up to ``size`` owned numbers, those next to the one with this sid. Raises
        ``KeyError`` where that sid never was.
        """
        index, column = wanted.index()
        conditions = [("account = ? AND released_at IS NULL", [account]), *wanted.conditions()]
        with self._lock:
            if sid := after or before:
                row = self._one("SELECT rowid, e164 FROM number WHERE sid = ?", sid)
                if row is None:
                    raise KeyError(sid)
                conditions.append((f"{column} {'>' if after else '<'} ?", [row[column]]))
            where = " AND ".join(text for text, _ in conditions)
            values = [value for _, values in conditions for value in values]
            order = "DESC" if before or newest_first else "ASC"
            rows = self._db.execute(
                f"SELECT * FROM number INDEXED BY {index} WHERE {where} "  # noqa: S608  ours
                f"ORDER BY {column} {order} LIMIT ?",
                (*values, size),
            ).fetchall()
        return [self._fields(row) for row in (reversed(rows) if before else rows)]

    def count(self, account: str) -> int:
        with self._lock:
            row = self._one(
                "SELECT count(*) FROM number INDEXED BY number_owned "
                "WHERE account = ? AND released_at IS NULL",
                account,
            )
            return row[0] if row else 0

    def owned(self, account: str) -> list[dict[str, Any]]:
        """All of them, for who audits: not for an answer on the wire."""
        return self.page(account, size=-1)

    def is_free(self, e164: str) -> bool:
        """Not owned by anybody, and never released: released numbers are kept back."""
        with self._lock:
            return self._one("SELECT 1 FROM number WHERE e164 = ?", e164) is None

    def balance(self, account: str) -> Decimal:
        with self._lock:
            row = self._one("SELECT balance FROM account WHERE sid = ?", account)
            return Decimal(row["balance"] if row else FIRST_BALANCE)

    def purchases(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(row) for row in self._db.execute("SELECT * FROM purchase ORDER BY rowid")]

    # --- Messaging services, and the one in whose pool of senders a number is ---------

    def services(self) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._db.execute("SELECT * FROM service ORDER BY rowid").fetchall()
            return [json.loads(row["fields"]) | {"sid": row["sid"]} for row in rows]

    def service(self, sid: str) -> dict[str, Any] | None:
        with self._lock:
            row = self._one("SELECT * FROM service WHERE sid = ?", sid)
            return json.loads(row["fields"]) | {"sid": sid} if row else None

    def add_service(self, fields: dict[str, Any]) -> str:
        sid = "MG" + secrets.token_hex(16)
        with self._lock, self._db:
            self._db.execute("INSERT INTO service VALUES (?, ?)", (sid, json.dumps(fields)))
        return sid

    def change_service(self, sid: str, fields: dict[str, Any]) -> None:
        with self._lock, self._db:
            self._db.execute(
                "UPDATE service SET fields = ? WHERE sid = ?", (json.dumps(fields), sid)
            )

    def remove_service(self, sid: str) -> None:
        with self._lock, self._db:
            self._db.execute("DELETE FROM sender WHERE service = ?", (sid,))
            self._db.execute("DELETE FROM service WHERE sid = ?", (sid,))

    def senders(self, account: str, service: str, number: str = "") -> list[dict[str, Any]]:
        """Its numbers, or the one asked for, each with when it joined."""
        with self._lock:
            rows = self._db.execute(
                "SELECT number.*, sender.joined_at FROM sender "
                "JOIN number ON number.sid = sender.number "
                "WHERE sender.service = ? AND number.account = ? AND ? IN ('', number.sid) "
                "ORDER BY sender.rowid",
                (service, account, number),
            ).fetchall()
            return [self._fields(row) | {"joined_at": row["joined_at"]} for row in rows]

    def service_of(self, number: str) -> str:
        """Empty for a number that is in none."""
        with self._lock:
            row = self._one("SELECT service FROM sender WHERE number = ?", number)
            return row["service"] if row else ""

    def join(self, service: str, number: str, joined_at: str) -> None:
        with self._lock, self._db:
            self._db.execute("INSERT INTO sender VALUES (?, ?, ?)", (number, service, joined_at))

    def leave(self, number: str) -> None:
        with self._lock, self._db:
            self._db.execute("DELETE FROM sender WHERE number = ?", (number,))

    def reset(self) -> None:
        with self._lock, self._db:
            for table in ("number", "purchase", "account", "service", "sender"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  names are ours

    def _owned_by(self, account: str, column: str, value: str) -> dict[str, Any] | None:
        with self._lock:
            row = self._one(
                f"SELECT * FROM number WHERE {column} = ? AND account = ? "  # noqa: S608  ours
                "AND released_at IS NULL",
                value, account,
            )  # fmt: skip
            return self._fields(row) if row else None

    def _insert(self, numbers: Iterable[tuple[str, str, dict[str, Any]]]) -> str:
        """The sid of the last one."""
        sid = ""
        for account, e164, fields in numbers:
            sid = "PN" + secrets.token_hex(16)
            self._db.execute(
                "INSERT INTO number (sid, account, e164, fields) VALUES (?, ?, ?, ?)",
                (sid, account, e164, json.dumps({"date_created": now()} | fields)),
            )
        return sid

    def _pay(self, account: str, price: Decimal) -> None:
        self._db.execute(
            "INSERT INTO account VALUES (?, ?) "
            "ON CONFLICT (sid) DO UPDATE SET balance = excluded.balance",
            (account, str(self.balance(account) - price)),
        )

    def _store(self, sid: str, fields: dict[str, Any]) -> None:
        fields = {k: v for k, v in fields.items() if k not in ("sid", "phone_number")}
        self._db.execute(
            "UPDATE number SET fields = ? WHERE sid = ?",
            (json.dumps(fields | {"date_updated": now()}), sid),
        )

    def _one(self, query: str, *arguments: str) -> sqlite3.Row | None:
        return self._db.execute(query, arguments).fetchone()

    @staticmethod
    def _fields(row: sqlite3.Row) -> dict[str, Any]:
        return json.loads(row["fields"]) | {"sid": row["sid"], "phone_number": row["e164"]}


def now() -> str:
    return datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
