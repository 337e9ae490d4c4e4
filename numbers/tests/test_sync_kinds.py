"""Each kind of difference: how it comes about, what sets it right, and what undoes that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from numbers import account, cures, plan, sync
from numbers.compare import Kind
from numbers.models import Number, OrderLine
from numbers.purchase import purchase_number
from numbers.sync_models import Difference
from telephony import provider
from telephony.webhook_urls import webhooks_for_numbers
from workspaces.models import AuditEvent

pytestmark = pytest.mark.django_db

Cure = Difference.Cure
SERVICE = "https://elsewhere.example.com/sms"
TRUNK = "TK" + "1" * 32
BUNDLE = "BU" + "1" * 32
ALONE = {"voice": True, "sms": False, "mms": False, "fax": False}


@dataclass
class World:
    """One number of acme, the same here and at the provider."""

    number: Number
    simulator: Any
    buy: Callable[[], Any]

    @property
    def here(self) -> Number:
        return Number.objects.get(pk=self.number.pk)

    @property
    def there(self) -> dict[str, Any]:
        """As the wire shows it; empty where the account does not have it."""
        rows = {row["sid"]: row for row in self.simulator.owned()}
        return rows.get(self.number.provider_sid, {})

    def change(self, **fields: object) -> None:
        """Somebody changes it at the provider."""
        self.simulator.app.state.update(self.simulator.account, self.number.provider_sid, fields)

    def note(self, **facts: object) -> None:
        """It is noted here."""
        Number.objects.filter(pk=self.number.pk).update(**facts)

    def lose(self) -> None:
        self.simulator.app.state.release(self.simulator.account, self.number.provider_sid)

    @property
    def service(self) -> str:
        return self.simulator.app.state.service_of(self.number.provider_sid)


@pytest.fixture
def world(owned, simulator, acme, owner, quote) -> World:
    provider.configure(sid=owned.provider_sid, webhooks=webhooks_for_numbers(owned.capabilities))
    able = {name: name in owned.capabilities for name in ALONE}
    simulator.app.state.update(simulator.account, owned.provider_sid, {"capabilities": able})
    assert sync.reconcile().found == 0
    return World(owned, simulator, lambda: purchase_number(workspace=acme, by=owner, quote=quote))


def _lost_order(world: World) -> None:
    world.simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers.json")
    world.buy()


def _given_back(world: World) -> None:
    world.note(parked_at=timezone.now(), released_at=timezone.now())


@dataclass
class Case:
    """``asks``: nothing happens before somebody says so. ``undone`` is None for what cannot be
    undone.
    """

    begins: Callable[[World], object]
    cure: str
    is_right: Callable[[World], bool]
    undone: Callable[[World], bool] | None = None
    asks: bool = False


CASES: dict[Kind, Case] = {
    Kind.MISSING: Case(
        lambda w: w.lose(), Cure.VANISHED,
        lambda w: w.here.inactive_because == Number.Because.VANISHED,
        lambda w: w.here.status == "active",
    ),
    Kind.RETURNED: Case(
        lambda w: w.note(vanished_at=timezone.now()), Cure.WOKEN,
        lambda w: w.here.status == "active",
        lambda w: w.here.inactive_because == Number.Because.VANISHED,
    ),
    Kind.ORDERED: Case(
        _lost_order, Cure.ADOPTED, lambda w: OrderLine.objects.get().number is not None,
    ),
    Kind.RELEASED: Case(_given_back, Cure.GIVEN_BACK, lambda w: w.there == {}),
    Kind.WEBHOOKS: Case(
        lambda w: w.change(voice_url="", voice_fallback_url=""), Cure.REPAIRED,
        lambda w: "desk.test" in w.there["voice_url"], lambda w: w.there["voice_url"] == "",
    ),
    Kind.OVERRIDDEN: Case(
        lambda w: w.change(trunk_sid=TRUNK), Cure.REPAIRED,
        lambda w: not w.there["trunk_sid"], lambda w: w.there["trunk_sid"] == TRUNK, asks=True,
    ),
    Kind.SERVICE: Case(
        lambda w: w.simulator.service(w.number.provider_sid, inbound_request_url=SERVICE),
        Cure.REPAIRED, lambda w: w.service == "", lambda w: w.service != "", asks=True,
    ),
    Kind.NAME: Case(
        lambda w: w.change(friendly_name="Theirs"), Cure.REPAIRED,
        lambda w: w.there["friendly_name"] == "Front desk",
        lambda w: w.there["friendly_name"] == "Theirs",
    ),
    Kind.CAPABILITIES: Case(
        # Its webhooks for messages went with them.
        lambda w: w.change(capabilities=ALONE, sms_url="", sms_fallback_url=""), Cure.TAKEN_OVER,
        lambda w: w.here.capabilities == ["voice"],
        lambda w: w.here.capabilities == ["mms", "sms", "voice"],
    ),
    Kind.EMERGENCY: Case(
        lambda w: w.change(emergency_address_status="registered"), Cure.TAKEN_OVER,
        lambda w: w.here.emergency_address_status == "registered",
        lambda w: w.here.emergency_address_status == "",
    ),
    Kind.BUNDLE: Case(
        lambda w: w.change(bundle_sid=BUNDLE), Cure.TAKEN_OVER,
        lambda w: w.here.bundle_sid == BUNDLE, lambda w: w.here.bundle_sid == "",
    ),
}  # fmt: skip

# What nobody can set right from here: it ends when it is over at the provider.
WITHOUT_CURE: dict[Kind, tuple[Callable[[World], object], Callable[[World], object]]] = {
    Kind.NOBODYS: (
        lambda w: w.simulator.seed("+13105550199"),
        lambda w: w.simulator.app.state.release(
            w.simulator.account, w.simulator.owned()[-1]["sid"]
        ),
    ),
    Kind.NOT_IN_USE: (lambda w: w.change(status="pending"), lambda w: w.change(status="in-use")),
    Kind.ACCOUNT: (
        lambda w: setattr(w.simulator.app, "account_status", "suspended"),
        lambda w: setattr(w.simulator.app, "account_status", "active"),
    ),
}


def look() -> None:
    """What beat starts every hour, and every few minutes."""
    assert sync.reconcile().complete
    account.look_at_account()


def the(kind: Kind) -> Difference:
    return Difference.objects.get(kind=kind)


def test_no_kind_is_left_out():
    assert set(CASES) == set(cures.CURES) == set(plan.DOES)
    assert set(CASES) | set(WITHOUT_CURE) == set(Kind)
    can_be_undone = {case.cure for case in CASES.values() if case.undone}
    assert can_be_undone == set(cures.UNDO)


@pytest.mark.parametrize("kind", CASES)
def test_it_is_seen_set_right_and_undone(kind, world, owner):
    case = CASES[kind]
    case.begins(world)
    look()
    difference = the(kind)
    assert (difference.asks, difference.ended_at is None) == (case.asks, case.asks)
    if case.asks:
        assert not case.is_right(world)
        cures.cure(difference, by=owner)
        difference = the(kind)
    assert (difference.cure, case.is_right(world)) == (case.cure, True)
    told = AuditEvent.objects.get(action=f"difference.{case.cure}")
    assert (told.by, told.workspace) == (owner if case.asks else None, world.number.workspace)
    look()
    assert not Difference.objects.open().exists(), "it is over"
    if case.undone is None:
        with pytest.raises(cures.NothingToCure):
            cures.undo(difference, by=owner)
        return
    cures.undo(difference, by=owner)
    assert case.undone(world)
    look()
    look()
    assert case.undone(world), "what was undone is not set right again"
    assert not Difference.objects.troubling().exists()
    assert list(Difference.objects.open()) == [difference]
    assert AuditEvent.objects.get(action="difference.undone").by == owner


@pytest.mark.parametrize("kind", WITHOUT_CURE)
def test_it_is_told_and_ends_when_it_is_over(kind, world, owner):
    begins, ends = WITHOUT_CURE[kind]
    begins(world)
    for _ in range(2):
        look()
    difference = the(kind)
    assert difference.last_seen_at > difference.first_seen_at
    assert list(Difference.objects.troubling()) == [difference]
    assert plan.by_itself(difference).startswith("Nothing: staff")
    cures.leave(difference, by=owner)
    look()
    assert not Difference.objects.troubling().exists()
    ends(world)
    look()
    assert the(kind).cure == Cure.BY_ITSELF
