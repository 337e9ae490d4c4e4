"""The rows of a purchase, written by hand: the least that they can cost."""

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone
from psycopg import Cursor

from numbers.models import new_public_id, new_reference
from numbers.quote import QuotedNumber
from workspaces.models import User, Workspace

FACTS = """workspace_id, e164, country, number_type, area_code, locality, region, capabilities,
    address_requirement, monthly_price, provider_monthly_price, currency"""
ORDER = """
INSERT INTO numbers_numberorder (workspace_id, reference, key, placed_by_id, hold_id, currency,
    search, placed_at)
VALUES (%s, %s, %s, %s, %s, 'USD', '', %s) RETURNING id
"""
LINE = f"""
INSERT INTO numbers_orderline ({FACTS}, order_id, position, state, calls, due_at, refusal_code,
    refusal_sentence)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'none', %s, %s, %s, %s, 1, 'placed', 0, %s, '', '')
RETURNING id
"""
STEP = """
INSERT INTO numbers_orderstep (workspace_id, line_id, from_state, to_state, at, cause, text)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
BUYING = """
UPDATE numbers_orderline SET state = 'buying', called_at = %s, calls = 1, due_at = %s
WHERE id = %s AND state = 'placed'
"""
NUMBER = f"""
INSERT INTO numbers_number ({FACTS}, public_id, friendly_name, provider_sid, webhooks_set_at,
    created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'none', %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
DONE = """
UPDATE numbers_orderline SET state = 'done', settled_at = %s, due_at = NULL, number_id = %s
WHERE id = %s AND state = 'buying'
"""
EVENT = """
INSERT INTO workspaces_auditevent (workspace_id, at, by_id, by_name, origin, action,
    subject_kind, subject_id, label, text, details)
VALUES (%s, %s, %s, %s, '', %s, %s, %s, %s, %s, '{}')
"""
HOLD = "SELECT hold_id FROM wallet_hold(%s, 'USD', %s, %s, %s, %s, NULL)"
CAPTURE = "SELECT outcome FROM wallet_capture(%s, %s, %s, 'purchase', 'revenue', %s, %s, %s, true)"


class Hand:
    """The same rows in the same three commits as the product's, by prepared statements on
    psycopg's own connection. Nothing is looked up, checked or asked.
    """

    def __init__(self, workspace: Workspace, by: User) -> None:
        self.workspace, self.by = workspace, by
        self.sids = count(1)

    def buy(self, offer: QuotedNumber) -> None:
        connection.ensure_connection()
        self.now, self.reference = timezone.now(), new_reference()
        self.number, self.price = offer.number, offer.price
        driver = connection.connection
        self.cursor = Cursor(driver)
        with driver.transaction():
            hold, line = self._place()
        with driver.transaction():
            self._run(BUYING, self.now, self.now + timedelta(seconds=12), line)
            self._step(line, "placed", "buying", "asked")
        with driver.transaction():
            self._finish(hold, line)

    def _place(self) -> tuple[int, int]:
        e164, reference = self.number.e164, self.reference
        hold = self._run(
            HOLD, self.workspace.pk, self.price.amount, f"order:{reference}", f"Buying {e164}",
            reference,
        )  # fmt: skip
        order = self._run(ORDER, self.workspace.pk, reference, uuid4(), self.by.pk, hold, self.now)
        line = self._run(LINE, *self._facts(), order, self.now + timedelta(seconds=12))
        self._step(line, "", "placed", "placed")
        self._event("order.placed", "numberorder", reference, reference)
        return hold, line

    def _finish(self, hold: int, line: int) -> None:
        e164, key = self.number.e164, f"order:{self.reference}:1"
        self._run(CAPTURE, self.workspace.pk, hold, self.price.amount, key, e164, self.reference)
        number = self._run(
            NUMBER, *self._facts(), new_public_id(), e164, f"PN2{next(self.sids):031x}", self.now,
            self.now,
        )  # fmt: skip
        self._run(DONE, self.now, number, line)
        self._step(line, "buying", "done", "bought")
        self._event("number.bought", "number", str(number), e164)

    def _facts(self) -> list[Any]:
        number, price = self.number, self.price
        return [
            self.workspace.pk, number.e164, number.country, number.number_type,
            number.e164[2:5], number.locality, number.region, sorted(number.capabilities),
            price.amount, price.provider_amount, price.currency,
        ]  # fmt: skip

    def _step(self, line: int, before: str, after: str, cause: str) -> None:
        text = "Somebody asked the carrier for it."
        self._run(STEP, self.workspace.pk, line, before, after, self.now, cause, text)

    def _event(self, action: str, kind: str, subject: str, label: str) -> None:
        self._run(
            EVENT, self.workspace.pk, self.now, self.by.pk, str(self.by), action, kind, subject,
            label, f"Bought {label}",
        )  # fmt: skip

    def _run(self, query: str, *values: Any) -> Any:
        self.cursor.execute(query, values, prepare=True)
        return self.cursor.fetchone()[0] if self.cursor.description else None  # type: ignore[index]
