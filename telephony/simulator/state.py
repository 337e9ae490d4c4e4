"""What the simulated provider remembers: owned numbers, releases, the balance.

A SQLite file of its own. It is the other side of the wire: a rollback of ours must not undo
what it has done.
"""

import json
import secrets
import sqlite3
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS number (
    sid TEXT PRIMARY KEY, account TEXT NOT NULL, e164 TEXT NOT NULL, fields TEXT NOT NULL,
    released_at TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS number_once ON number (e164) WHERE released_at IS NULL;
CREATE TABLE IF NOT EXISTS purchase (at TEXT NOT NULL, e164 TEXT NOT NULL, sid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS account (sid TEXT PRIMARY KEY, balance TEXT NOT NULL);
"""
FIRST_BALANCE = "10000.00"


class Taken(Exception):
    """The number is owned or was released: it cannot be bought."""


class State:
    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(SCHEMA)

    def buy(self, account: str, e164: str, fields: dict[str, Any], price: Decimal) -> str:
        """The sid of the number; of an owned one too. Raises ``Taken``."""
        with self._lock, self._db:
            row = self._one("SELECT * FROM number WHERE e164 = ? ORDER BY released_at", e164)
            if row is not None:
                if row["released_at"] or row["account"] != account:
                    raise Taken(e164)
                self._store(row["sid"], json.loads(row["fields"]) | fields)
                return row["sid"]
            sid = "PN" + secrets.token_hex(16)
            self._db.execute(
                "INSERT INTO number (sid, account, e164, fields) VALUES (?, ?, ?, ?)",
                (sid, account, e164, json.dumps(fields | {"date_created": now()})),
            )
            self._db.execute("INSERT INTO purchase VALUES (?, ?, ?)", (now(), e164, sid))
            self._pay(account, price)
            return sid

    def update(self, account: str, sid: str, fields: dict[str, Any]) -> bool:
        with self._lock, self._db:
            known = self.fetch(account, sid)
            if known is None:
                return False
            self._store(sid, known | fields)
            return True

    def fetch(self, account: str, sid: str) -> dict[str, Any] | None:
        with self._lock:
            row = self._one(
                "SELECT * FROM number WHERE sid = ? AND account = ? AND released_at IS NULL",
                sid, account,
            )  # fmt: skip
            return self._fields(row) if row else None

    def release(self, account: str, sid: str) -> bool:
        with self._lock, self._db:
            done = self._db.execute(
                "UPDATE number SET released_at = ? "
                "WHERE sid = ? AND account = ? AND released_at IS NULL",
                (now(), sid, account),
            )
            return done.rowcount == 1

    def owned(self, account: str) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM number WHERE account = ? AND released_at IS NULL ORDER BY rowid",
                (account,),
            )
            return [self._fields(row) for row in rows]

    def unavailable(self) -> set[str]:
        """Numbers that no search may show: owned by anybody, or released."""
        with self._lock:
            return {row["e164"] for row in self._db.execute("SELECT e164 FROM number")}

    def balance(self, account: str) -> Decimal:
        with self._lock:
            row = self._one("SELECT balance FROM account WHERE sid = ?", account)
            return Decimal(row["balance"] if row else FIRST_BALANCE)

    def purchases(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(row) for row in self._db.execute("SELECT * FROM purchase ORDER BY rowid")]

    def reset(self) -> None:
        with self._lock, self._db:
            for table in ("number", "purchase", "account"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  names are ours

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
