"""What the simulated Stripe remembers, in a SQLite file of its own.

It is the other side of the wire: a rollback of ours must not undo what it has done.
"""

import json
import secrets
import sqlite3
import threading
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reply (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
);
"""


class State:
    """Things by their id, and the answers that were given by idempotency key."""

    def __init__(self, path: str = ":memory:") -> None:
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(SCHEMA)

    def add(self, kind: str, prefix: str, body: dict[str, Any]) -> dict[str, Any]:
        thing = {"id": f"{prefix}_{secrets.token_hex(12)}", "object": kind, **body}
        self.save(thing)
        return thing

    def save(self, thing: dict[str, Any]) -> None:
        with self.lock, self._db:
            self._db.execute(
                "INSERT INTO thing VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (thing["id"], thing["object"], json.dumps(thing)),
            )

    def find(self, thing_id: str) -> dict[str, Any] | None:
        with self.lock:
            row = self._db.execute("SELECT body FROM thing WHERE id = ?", (thing_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def newest(self, kind: str, most: int = 50) -> list[dict[str, Any]]:
        with self.lock:
            rows = self._db.execute(
                "SELECT body FROM thing WHERE kind = ? ORDER BY rowid DESC LIMIT ?", (kind, most)
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def reply(self, key: str) -> tuple[str, int, dict[str, Any]] | None:
        """What was asked and answered under this idempotency key."""
        with self.lock:
            row = self._db.execute(
                "SELECT request, status, body FROM reply WHERE key = ?", (key,)
            ).fetchone()
        return (row[0], row[1], json.loads(row[2])) if row else None

    def keep_reply(self, key: str, request: str, status: int, body: dict[str, Any]) -> None:
        with self.lock, self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO reply VALUES (?, ?, ?, ?)",
                (key, request, status, json.dumps(body)),
            )
