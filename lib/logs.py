"""What every line of the log says beside its message, and what no line may say.

The standard library is enough: a context that follows the request or task, and a formatter.
structlog would have meant another way to log beside the one that Django, Celery and the
libraries use, and its processors do no more than the few lines here.
"""

import json
import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# request, task, workspace, user: ids only, never names or addresses.
_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)

# Without the letters and digits that people mix up when they read a reference aloud.
_UNMISTAKABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

# Links that let somebody in: whoever reads the log must not be able to use them.
_TOKENS_IN_PATHS = re.compile(r"(/invitations/|/password/reset/key/|/confirm-email/)[\w:.-]+")


@contextmanager
def about(**facts: str) -> Iterator[None]:
    """Have every line say these until the block ends; it begins with nothing noted."""
    token = _context.set(dict(facts))
    try:
        yield
    finally:
        _context.reset(token)


def note(**facts: str) -> None:
    """Have the lines of the present request or task say these too."""
    context = _context.get()
    if context is not None:
        context.update(facts)


def noted(name: str) -> str:
    return (_context.get() or {}).get(name, "")


def new_reference() -> str:
    """What a person can read to support, for example ``7K3MQ9XA2B``."""
    return "".join(_UNMISTAKABLE[byte % len(_UNMISTAKABLE)] for byte in secrets.token_bytes(10))


class _WithoutSecrets(logging.Formatter):
    """``secrets`` are values that never get out, wherever in a message or trace they are."""

    def __init__(self, *, secrets: list[str], **options: Any) -> None:
        super().__init__(**options)
        known = sorted({value for value in secrets if len(value) >= 8}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def clean(self, text: str) -> str:
        if self._secrets is not None:
            text = self._secrets.sub("[secret]", text)
        return _TOKENS_IN_PATHS.sub(r"\1[token]", text)


class Line(_WithoutSecrets):
    """For people: ``2026-11-24 09:00:00,123 INFO numbers.rent message [request=… workspace=…]``"""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in (_context.get() or {}).items())
        text = super().format(record)
        first, _, rest = text.partition("\n")
        line = f"{first} [{facts}]" if facts else first
        return self.clean(f"{line}\n{rest}" if rest else line)


class Json(_WithoutSecrets):
    """For machines: one object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_context.get() or {}),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return self.clean(json.dumps(entry, ensure_ascii=False, default=str))
