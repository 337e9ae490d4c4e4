"""Every operation in every order, beside a model that a child could check.

The machine runs on one wallet at a time; between runs a savepoint takes everything back.
LEDGER_STEPS in the environment says how many steps in all, 10,000 by default.
"""

import os
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from wallet import ledger
from wallet.models import Entry, Hold, Kind, Wallet
from wallet.verify import verify
from workspaces.models import User, Workspace

STEPS = int(os.environ.get("LEDGER_STEPS", "10000"))
STEPS_PER_RUN = 50
AMOUNTS = st.decimals(min_value="0.000001", max_value="60", places=6) | st.sampled_from(
    [Decimal(1), Decimal("0.5"), Decimal(50)]
)
LIMIT = Decimal(10)


@dataclass
class Model:
    """What a wallet is, in the plainest words."""

    balance: Decimal = Decimal(0)
    overdrawn: Decimal = Decimal(0)
    holds: dict[str, Decimal] = field(default_factory=dict)
    charges: dict[str, Decimal] = field(default_factory=dict)
    done: dict[str, tuple[str, Decimal]] = field(default_factory=dict)

    @property
    def held(self) -> Decimal:
        return sum(self.holds.values(), Decimal(0))

    @property
    def available(self) -> Decimal:
        return self.balance - self.held


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.savepoint()
        workspace = Workspace.objects.create(slug="machine", name="Machine")
        self.by = User.objects.create_user("machine@example.test")
        self.wallet = Wallet.objects.create(workspace=workspace, credit_limit=LIMIT)
        self.model, self.next = Model(), 0
        self.held: dict[str, Hold] = {}
        self.charged: dict[str, Entry] = {}

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    def key(self) -> str:
        self.next += 1
        return f"key:{self.next}"

    def came_in(self, amount: Decimal) -> None:
        self.model.balance += amount
        over = max(-LIMIT - self.model.available, Decimal(0))
        self.model.overdrawn = min(over, self.model.overdrawn)

    @rule(amount=AMOUNTS)
    def credit(self, amount: Decimal) -> None:
        key = self.key()
        ledger.credit(wallet=self.wallet, amount=amount, contra="bank", key=key, text="In")
        self.model.done[key] = ("credit", amount)
        self.came_in(amount)

    @rule(amount=AMOUNTS, kind=st.sampled_from([Kind.PURCHASE, Kind.RENT, Kind.USAGE]))
    def charge(self, amount: Decimal, kind: Kind) -> None:
        key = self.key()
        lowest = -LIMIT if kind == Kind.USAGE else Decimal(0)
        if self.model.available - amount < lowest:
            with pytest.raises(ledger.InsufficientFunds) as refused:
                self.do_charge(amount, kind, key)
            assert refused.value.available == self.model.available
            return
        self.charged[key] = self.do_charge(amount, kind, key)
        self.model.balance -= amount
        self.model.charges[key] = amount

    def do_charge(self, amount: Decimal, kind: Kind, key: str) -> Entry:
        return ledger.charge(wallet=self.wallet, kind=kind, amount=amount, key=key, text="Out")

    @rule(amount=AMOUNTS)
    def hold(self, amount: Decimal) -> None:
        key = self.key()
        if self.model.available < amount:
            with pytest.raises(ledger.InsufficientFunds):
                self.do_hold(amount, key)
            return
        self.held[key] = self.do_hold(amount, key)
        self.model.holds[key] = amount

    def do_hold(self, amount: Decimal, key: str) -> Hold:
        return ledger.hold(
            wallet=self.wallet, amount=amount, currency="USD", key=key, text="Held", reference=key
        )

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), amount=AMOUNTS, final=st.booleans())
    def capture(self, data: st.DataObject, amount: Decimal, final: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.holds)))
        key, left = self.key(), self.model.holds[name]

        def capture() -> Entry:
            return ledger.capture(
                hold=self.held[name], amount=amount, kind=Kind.PURCHASE, key=key, text="Out",
                reference=name, final=final,
            )  # fmt: skip

        if amount > left:
            with pytest.raises(ledger.LedgerConflict):
                capture()
            return
        self.charged[key] = capture()
        assert capture() == self.charged[key], "a repeat is the first entry"
        self.model.balance -= amount
        self.model.charges[key] = amount
        self.model.holds[name] = Decimal(0) if final else left - amount
        if not self.model.holds[name]:
            del self.model.holds[name]

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.holds)))
        ledger.void(hold=self.held[name])
        ledger.void(hold=self.held[name])
        del self.model.holds[name]

    @precondition(lambda self: self.model.charges)
    @rule(data=st.data(), amount=AMOUNTS)
    def refund(self, data: st.DataObject, amount: Decimal) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.charges)))
        key = self.key()

        def refund() -> Entry:
            return ledger.refund(
                wallet=self.wallet, entry=self.charged[name], amount=amount, key=key, text="Back"
            )

        if amount > self.model.charges[name]:
            with pytest.raises(ledger.InvalidAmount):
                refund()
            return
        refund()
        self.model.charges[name] -= amount
        self.came_in(amount)

    @rule(amount=AMOUNTS)
    def reverse(self, amount: Decimal) -> None:
        ledger.reverse(
            wallet=self.wallet, amount=amount, contra="stripe", key=self.key(), text="Taken back",
            reference="t",
        )  # fmt: skip
        self.model.balance -= amount
        self.model.overdrawn = max(-LIMIT - self.model.available, Decimal(0))

    @rule(amount=AMOUNTS, up=st.booleans())
    def adjust(self, amount: Decimal, up: bool) -> None:
        key, signed = self.key(), amount if up else -amount

        def adjust() -> Entry:
            return ledger.adjust(
                wallet=self.wallet, amount=signed, by=self.by, reason="Counted", key=key
            )

        if signed < 0 and self.model.available + signed < -LIMIT:
            with pytest.raises(ledger.InsufficientFunds):
                adjust()
            return
        adjust()
        if up:
            self.came_in(amount)
        else:
            self.model.balance += signed

    @precondition(lambda self: self.model.done)
    @rule(data=st.data(), other=AMOUNTS)
    def repeat(self, data: st.DataObject, other: Decimal) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.done)))
        _what, amount = self.model.done[key]
        again = {"wallet": self.wallet, "contra": "bank", "key": key, "text": "In"}
        assert ledger.credit(amount=amount, **again).key == key
        if other != amount:
            with pytest.raises(ledger.LedgerConflict):
                ledger.credit(amount=other, **again)

    @invariant()
    def says_what_the_model_says(self) -> None:
        wallet = Wallet.objects.get(pk=self.wallet.pk)
        assert (wallet.balance, wallet.held, wallet.overdrawn) == (
            self.model.balance, self.model.held, self.model.overdrawn,
        )  # fmt: skip
        newest = Entry.objects.filter(wallet=wallet).order_by("-seq").first()
        assert (newest.balance_after if newest else 0) == wallet.balance

    def check_all(self) -> None:
        assert list(verify()) == []


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_the_ledger_is_what_a_plain_model_says():
    class Verified(LedgerMachine):
        def teardown(self) -> None:
            self.check_all()
            super().teardown()

    run_state_machine_as_test(
        Verified,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_PER_RUN), stateful_step_count=STEPS_PER_RUN,
            deadline=None, suppress_health_check=list(HealthCheck), derandomize=False,
        ),
    )  # fmt: skip
