"""What the simulated provider remembers of calls and messages, in the same SQLite file."""

import json
import secrets
import sqlite3
from typing import Any

from telephony.simulator.state import State, now

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (sid TEXT PRIMARY KEY, fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS call (sid TEXT PRIMARY KEY, fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS medium (
    sid TEXT PRIMARY KEY, message TEXT NOT NULL, content_type TEXT NOT NULL, content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS recording (
    sid TEXT PRIMARY KEY, call TEXT NOT NULL, seconds INTEGER NOT NULL, content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS stopped (ours TEXT NOT NULL, theirs TEXT NOT NULL,
    PRIMARY KEY (ours, theirs));
"""


class Traffic:
    """Rows of calls, messages, their media and recordings, and who said STOP to which number."""

    def __init__(self, state: State) -> None:
        self._db, self._lock = state._db, state._lock
        self._db.executescript(SCHEMA)

    def add(self, table: str, fields: dict[str, Any]) -> dict[str, Any]:
        fields = {"date_created": now(), "date_updated": now(), **fields}
        with self._lock, self._db:
            self._db.execute(
                f"INSERT INTO {table} VALUES (?, ?)",  # noqa: S608  names are ours
                (fields["sid"], json.dumps(fields)),
            )
        return fields

    def update(self, table: str, sid: str, **changes: Any) -> dict[str, Any]:
        with self._lock, self._db:
            fields = (self.fetch(table, sid) or {}) | changes | {"date_updated": now()}
            self._db.execute(
                f"UPDATE {table} SET fields = ? WHERE sid = ?",  # noqa: S608  names are ours
                (json.dumps(fields), sid),
            )
        return fields

    def fetch(self, table: str, sid: str) -> dict[str, Any] | None:
        with self._lock:
            row = self._db.execute(
                f"SELECT fields FROM {table} WHERE sid = ?",  # noqa: S608  names are ours
                (sid,),
            ).fetchone()
        return json.loads(row["fields"]) if row else None

    def newest_first(self, table: str) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._db.execute(
                f"SELECT fields FROM {table} ORDER BY rowid DESC"  # noqa: S608  names are ours
            ).fetchall()
        return [json.loads(row["fields"]) for row in rows]

    def remove(self, table: str, sid: str) -> bool:
        with self._lock, self._db:
            done = self._db.execute(
                f"DELETE FROM {table} WHERE sid = ?",  # noqa: S608  names are ours
                (sid,),
            )
        return done.rowcount == 1

    def add_medium(self, message: str, content_type: str, content: bytes) -> str:
        sid = new_sid("ME")
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO medium VALUES (?, ?, ?, ?)", (sid, message, content_type, content)
            )
        return sid

    def media_of(self, message: str) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(
                "SELECT * FROM medium WHERE message = ? ORDER BY rowid", (message,)
            ).fetchall()

    def add_recording(self, call: str, seconds: int, content: bytes) -> str:
        sid = new_sid("RE")
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO recording VALUES (?, ?, ?, ?)", (sid, call, seconds, content)
            )
        return sid

    def recordings_of(self, call: str) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(
                "SELECT * FROM recording WHERE call = ? ORDER BY rowid DESC", (call,)
            ).fetchall()

    def recording(self, sid: str) -> sqlite3.Row | None:
        with self._lock:
            return self._db.execute("SELECT * FROM recording WHERE sid = ?", (sid,)).fetchone()

    def stop(self, ours: str, theirs: str) -> None:
        with self._lock, self._db:
            self._db.execute("INSERT OR IGNORE INTO stopped VALUES (?, ?)", (ours, theirs))

    def start(self, ours: str, theirs: str) -> None:
        with self._lock, self._db:
            self._db.execute("DELETE FROM stopped WHERE ours = ? AND theirs = ?", (ours, theirs))

    def is_stopped(self, ours: str, theirs: str) -> bool:
        with self._lock:
            return (
                self._db.execute(
                    "SELECT 1 FROM stopped WHERE ours = ? AND theirs = ?", (ours, theirs)
                ).fetchone()
                is not None
            )

    def reset(self) -> None:
        with self._lock, self._db:
            for table in ("message", "call", "medium", "recording", "stopped"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  names are ours


def new_sid(letters: str) -> str:
    return letters + secrets.token_hex(16)
