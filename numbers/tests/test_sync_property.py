"""Whatever the two sides look like: after one walk and the cures both agree, and a second walk
changes nothing.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers import cures, sync
from numbers.compare import Kind, compare
from numbers.models import Number, NumberOrder, OrderLine, new_reference
from numbers.pools import finding_of
from numbers.sync_models import Difference
from telephony import provider
from telephony.errors import ProviderError
from telephony.webhook_urls import webhooks_for_numbers
from wallet import ledger
from wallet.models import Wallet

pytestmark = pytest.mark.django_db

ABLE = ("voice", "sms", "mms")
CAPABILITIES = st.lists(st.sampled_from(ABLE), unique=True).map(sorted)
# What a number is here: a workspace's, whatever keeps it from working, or of an order that does
# not know it. Whoever buys it just now is `buying`; the sweep finishes what is `leaving`.
OURS = {
    "active": (), "deactivated": ("deactivated_at",), "suspended": ("suspended_at",),
    "parked": ("parked_at",), "vanished": ("vanished_at",), "released": ("released_at",),
    "unpaid and vanished": ("suspended_at", "vanished_at"),
    "leaving": ("parked_at", "giving_back_at"),
}  # fmt: skip
ORDERED = {"checking": -1, "buying": 1}
OVERRIDES = ["voice_application_sid", "sms_application_sid", "trunk_sid"]
# What may be the case with one number: where it is, and what somebody did to it there.
SIDES = st.fixed_dictionaries(
    {
        "here": st.sampled_from(["no", "active", *OURS, *ORDERED]),
        "there": st.sampled_from([True, True, False]),
        "voice_url": st.sampled_from(["ours", "", "https://desk.test/old", "https://else.test/"]),
        "sms_method": st.sampled_from(["POST", "GET"]),
        "name": st.sampled_from(["Ours", "Theirs", ""]),
        "able_here": CAPABILITIES,
        "able_there": CAPABILITIES,
        "emergency_here": st.sampled_from(["", "registered"]),
        "emergency_there": st.sampled_from(["unregistered", "registered", "pending-registration"]),
        "bundle_here": st.sampled_from(["", "BU" + "1" * 32]),
        "bundle_there": st.sampled_from([None, "BU" + "1" * 32, "BU" + "2" * 32]),
        "status": st.sampled_from(["in-use", "pending"]),
        "override": st.sampled_from(["", "", *OVERRIDES]),
        "service": st.sampled_from(["", "", "takes", "lets"]),
        # What somebody may have meant is either set right or left as it is.
        "meant": st.booleans(),
    }
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sides=st.lists(SIDES, max_size=5))
def test_both_sides_agree_after_a_walk_and_the_cures(acme, owner, simulator, sides):
    with clean(simulator):
        world = World(acme, owner, simulator)
        for index, side in enumerate(sides):
            world.set_up(f"+1212557{index:04d}", side)
        assert sync.reconcile().complete
        world.decide()
        world.assert_agreement()
        before = world.picture()
        again = sync.reconcile()
        assert (again.complete, again.cured, again.found) == (True, 0, len(world.open()))
        assert world.picture() == before


@contextmanager
def clean(simulator) -> Iterator[None]:
    """Nothing of it stays, on either side: every example begins with the same."""
    simulator.app.state.reset()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class World:
    acme: object
    owner: object
    simulator: object
    # The sids of what nobody cures: what is meant, under way, or held back by the carrier.
    meant: set[str] = field(default_factory=set)
    under_way: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)

    def set_up(self, e164: str, side: dict) -> None:
        sid = self._there(e164, side)
        if side["meant"]:
            self.meant.add(sid)
        if side["here"] in ORDERED:
            self._ordered(e164, ORDERED[side["here"]])
            if side["here"] == "buying":
                self.under_way.add(sid)
        elif side["here"] != "no":
            self._ours(e164, sid, side)
            if side["here"] == "leaving":
                self.leaving.add(sid)

    def _there(self, e164: str, side: dict) -> str:
        wanted, override = webhooks_for_numbers(side["able_there"]), side["override"]
        sid = self.simulator.seed(
            e164, friendly_name=side["name"], sms_url=wanted.message_url,
            voice_url=wanted.voice_url if side["voice_url"] == "ours" else side["voice_url"],
            voice_fallback_url=wanted.voice_fallback_url, sms_method=side["sms_method"],
            status_callback=wanted.voice_status_url, sms_fallback_url=wanted.message_fallback_url,
            capabilities={name: name in side["able_there"] for name in ABLE},
            emergency_address_status=side["emergency_there"], bundle_sid=side["bundle_there"],
            status=side["status"], **({override: "AP" + "1" * 32} if override else {}),
        )  # fmt: skip
        if side["service"] and set(side["able_there"]) & {"sms", "mms"}:
            self.simulator.service(sid, use_inbound_webhook_on_number=side["service"] == "lets")
        if not side["there"]:
            self.simulator.app.state.release(self.simulator.account, sid)
        return sid

    def _ours(self, e164: str, sid: str, side: dict) -> None:
        then = timezone.now() - timedelta(days=1)
        Number.objects.create(
            workspace=self.acme, e164=e164, country="US", number_type="local",
            capabilities=side["able_here"], monthly_price="1.38", provider_monthly_price="1.15",
            currency="USD", friendly_name="Ours", provider_sid=sid, created_at=then,
            webhooks_set_at=then, emergency_address_status=side["emergency_here"],
            bundle_sid=side["bundle_here"], **dict.fromkeys(OURS[side["here"]], then),
        )  # fmt: skip

    def _ordered(self, e164: str, due_in_minutes: int) -> None:
        """Asked for at the carrier, and no answer has come."""
        now, reference = timezone.now(), new_reference()
        hold = ledger.hold(
            wallet=Wallet.objects.get(workspace=self.acme), amount=Decimal("1.38"), currency="USD",
            key=f"order:{reference}", text="Buying", reference=reference,
        )  # fmt: skip
        order = NumberOrder.objects.create(
            workspace=self.acme, reference=reference, key=uuid.uuid4(), placed_by=self.owner,
            hold=hold, currency="USD", placed_at=now,
        )  # fmt: skip
        line = OrderLine.objects.create(
            workspace=self.acme, order=order, position=1, e164=e164, country="US",
            number_type="local", capabilities=["voice"], monthly_price="1.38",
            provider_monthly_price="1.15", currency="USD", due_at=now,
        )  # fmt: skip
        due = now + timedelta(minutes=due_in_minutes)
        mine = OrderLine.objects.filter(pk=line.pk)
        mine.update(state="buying", called_at=now, due_at=due, calls=1)
        if due_in_minutes < 0:
            mine.update(state="checking")

    def decide(self) -> None:
        """Somebody looks at all that is open and can be set right."""
        for difference in self.open():
            if difference.asks and difference.provider_sid in self.meant:
                cures.leave(difference, by=self.owner)
            elif difference.kind in cures.CURES:
                try:
                    cures.cure(difference, by=self.owner)
                except ProviderError:
                    self.held.add(difference.provider_sid)

    def open(self) -> list[Difference]:
        return list(Difference.objects.open().order_by("pk"))

    def assert_agreement(self) -> None:
        """The same numbers on both sides but for those that are for people to decide about,
        and each of them the same but for what is told and cannot be set right from here.
        """
        there = {owned.sid: owned for page in provider.list_pages() for owned in page}
        here = {n.provider_sid: n for n in Number.objects.owned().filter(vanished_at=None)}
        nobodys = {row.provider_sid for row in self.open() if row.kind == Kind.NOBODYS}
        assert set(there) - nobodys - self.held - self.under_way == set(here) & set(there)
        assert set(here) - set(there) <= self.leaving
        told = {
            (row.provider_sid, row.kind)
            for row in self.open()
            if row.kind not in (Kind.NOBODYS, Kind.RELEASED)
        }
        assert told == {
            (sid, finding.kind)
            for sid, number in here.items()
            if sid in there
            for finding in self._findings(number, there[sid])
        }
        assert all(kind == Kind.NOT_IN_USE or sid in self.meant for sid, kind in told)
        assert not any(number.status == "released" for number in here.values())
        settled = OrderLine.objects.exclude(state__in=OrderLine.UNSETTLED)
        assert {line.e164 for line in settled} <= {owned.e164 for owned in there.values()}

    def _findings(self, number: Number, owned) -> list:
        in_service = finding_of(number)
        return [*compare(number, owned), *([in_service] if in_service else [])]

    def picture(self) -> list:
        ours = Number.objects.order_by("pk").values(
            "e164", "status", "capabilities", "friendly_name", "emergency_address_status",
            "bundle_sid", "webhooks_set_at", "health",
        )  # fmt: skip
        differences = Difference.objects.order_by("pk").values("kind", "left_at", "ended_at")
        wallet = Wallet.objects.get(workspace=self.acme)
        theirs = [
            {name: value for name, value in row.items() if name != "date_updated"}
            for row in self.simulator.owned()
        ]
        services = [self.simulator.app.state.service_of(row["sid"]) for row in theirs]
        return [list(ours), theirs, services, list(differences), wallet.balance, wallet.held]
