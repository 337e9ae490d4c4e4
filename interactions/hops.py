"""How far a test of a number has come, hop by hop, each failed one with what mends it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from interactions.models import (
    ArrivedForNobody,
    Call,
    CallLeg,
    Medium,
    Message,
    NumberTest,
    Usage,
)
from interactions.number_test import TooLittle, is_put_right, test_price, too_little
from interactions.out_of_money import missing_for_what_arrives
from interactions.plans import MessagePlan
from interactions.refused_webhooks import refused_lately
from interactions.routing import plans_of, step_of
from interactions.summaries import answer_summary, message_summary, names_of
from lib import money
from lib.errors import Fix, Refusal
from numbers.models import Number
from numbers.number_why import compare_button, support
from numbers.number_why import names_of as people
from wallet.addresses import add_funds_address
from workspaces.access import who_can
from workspaces.models import Membership
from workspaces.permissions import NUMBERS_EDIT, NUMBERS_RELEASE, WALLET_TOP_UP, WALLET_VIEW

ARRIVES_WITHIN = timedelta(seconds=60)
ENDS_WITHIN = timedelta(minutes=5)
CHARGED_WITHIN = timedelta(minutes=2)
Arrived = Call | Message | None


@dataclass(frozen=True, slots=True)
class Way:
    """What mends a hop: a link, or with ``by_post`` a button."""

    fix: Fix
    by_post: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop: ``state`` is done, waiting, failed, or unknown where nobody can tell."""

    name: str
    state: str
    words: str
    ways: tuple[Way, ...] = ()


def hops_of(test: NumberTest, membership: Membership) -> list[Hop]:
    """How far the test has come, in order; what comes after a failed hop is not listed."""
    return _Looking(test, membership).hops()


def is_over(hops: list[Hop]) -> bool:
    return all(hop.state != "waiting" for hop in hops)


def way_on(
    membership: Membership, number: Number, short: TooLittle
) -> tuple[str, tuple[Way, ...]]:  # fmt: skip
    """What is told, and offered, where there is too little money for a test."""
    look = _Funds(membership, number)
    words, ways = look.funds(short.sentence, short.missing)
    return words, (*ways, *(look.precautions() if short.is_kept else ()))


class _Funds:
    """Adding funds and coming back, for one person."""

    def __init__(self, membership: Membership, number: Number) -> None:
        self.membership, self.number = membership, number
        self.workspace = membership.workspace

    def funds(self, words: str, missing: Decimal) -> tuple[str, tuple[Way, ...]]:
        """Adding what is missing, and coming back to the test."""
        if not self.membership.can(WALLET_TOP_UP):
            return f"{words} Ask {self.who(WALLET_TOP_UP)} to add funds.", ()
        address = add_funds_address(self.workspace, missing, self.test_page())
        return words, (Way(Fix("Add funds", address)),)

    def precautions(self) -> tuple[Way, ...]:
        address = reverse("wallet:precautions", args=[self.workspace.slug])
        return (Way(Fix("Keep fewer days of rent", address)),)

    def who(self, permission: str) -> str:
        return people(who_can(self.workspace, permission))

    def test_page(self) -> str:
        return reverse("interactions:test", args=[self.workspace.slug, self.number.public_id])


class _Looking(_Funds):
    """One look at a test, for one person: what they may not do, they ask others for."""

    def __init__(self, test: NumberTest, membership: Membership) -> None:
        super().__init__(membership, test.number)
        self.test = test
        self.is_call = test.medium == Medium.VOICE
        self.arrived = self._find_arrived()

    def hops(self) -> list[Hop]:
        hops: list[Hop] = []
        looks: tuple[Callable[[], Hop | None], ...] = (
            self.at_provider, self.pointing_here, self.sent, self.received, self.routed,
            self.answered, self.charged,
        )  # fmt: skip
        for look in looks:
            hop = look()
            if hop is None:
                continue
            hops.append(hop)
            if hop.state not in ("done", "unknown"):
                break
        return hops

    def _find_arrived(self) -> Arrived:
        """The call or message that reached us since the test began."""
        since = Q(number=self.number, direction="in", at__gte=self.test.started_at)
        if self.test.sender is not None:
            since &= Q(conversation__contact=self.test.sender.e164)
        if self.is_call:
            calls = Call.objects.select_related("route", "workspace").filter(since)
            return calls.order_by("at").first()
        return Message.objects.filter(since).order_by("at").first()

    # --- The hops -------------------------------------------------------------------------

    def at_provider(self) -> Hop:
        name = "The carrier has the number"
        if self.test.provider_has_it is False:
            words, ways = self._compare("The carrier does not have it in the account any more.")
            return Hop(name, "failed", words, ways)
        if self.test.provider_has_it is None:
            return Hop(name, "unknown", "The carrier did not answer when it was asked.")
        return Hop(name, "done", "It is in the account.")

    def pointing_here(self) -> Hop | None:
        test = self.test
        if test.points_here is None:
            return None
        name = f"{test.get_medium_display()} are sent here"
        if test.points_here:
            return Hop(name, "done", "The carrier knows the address of this site.")
        where = f"They are sent to {test.points_to}" if test.points_to else "They go nowhere"
        if is_put_right(test):
            return Hop(name, "failed", f"{where}. It is being put right; test again in a minute.",
                       self._again())  # fmt: skip
        words, ways = self._compare(f"{where}, which somebody has set at the carrier.")
        return Hop(name, "failed", words, ways)

    def sent(self) -> Hop | None:
        test = self.test
        if test.sender is None:
            return None
        name = f"The test {'call' if self.is_call else 'message'} is on its way"
        if test.refusal_sentence:
            words, ways = self._not_sent()
            return Hop(name, "failed", words, ways)
        failed = ""
        call_failed = test.call is not None and test.call.outcome == Call.Outcome.FAILED
        if test.call is not None and call_failed and not (self.arrived or self._not_taken()):
            failed = test.call.answer or "The carrier could not connect it."
        if test.message is not None and test.message.failed:
            failed = test.message.why_failed or "The carrier could not deliver it."
        if failed:
            return Hop(name, "failed", failed, self._for(failed))
        return Hop(name, "done", f"From {test.sender.international}.")

    def received(self) -> Hop:
        name = "It arrived, and its signature was right"
        if self.arrived is not None and not self.arrived.found_late:
            return Hop(name, "done", "It is in the inbox.")
        if self.arrived is not None:
            return Hop(name, "failed", "It reached the carrier, and what the carrier sent here "
                       "then did not arrive: it was found later. See what the carrier could not "
                       "deliver.", (*self._why(), *self._again()))  # fmt: skip
        if (no := self._not_taken()) is not None:
            return Hop(name, "failed", *no)
        if timezone.now() - self.test.started_at < ARRIVES_WITHIN:
            phone = f" Use your phone now: {self.number.international}."
            return Hop(name, "waiting", f"Waiting for it.{'' if self.test.sender else phone}")
        mine = "" if self.test.sender else "If you did use your phone: "
        reach = "the carrier may not reach this site from outside. See what it could not deliver."
        reach = mine + (reach if mine else reach[:1].upper() + reach[1:])
        return Hop(name, "failed", f"Nothing has arrived within a minute. {reach}",
                   (*self._why(), *self._again()))  # fmt: skip

    def routed(self) -> Hop:
        """What was chosen when it arrived: open or closed, and whatever the route says by now."""
        name = "The route was chosen"
        if not isinstance(self.arrived, Call):
            plan = MessagePlan.read(plans_of(self.number).get(Medium.MESSAGE))
            return Hop(name, "done", message_summary(plan, names_of(plan, self.workspace))[0])
        step = step_of(self.arrived)
        if step.is_forward and self.arrived.is_loop:
            return Hop(name, "failed", "The same caller was calling twice already, as in a circle "
                       "of phones that forward to each other, so it was not forwarded.",
                       (*self._route(), *self._again()))  # fmt: skip
        return Hop(name, "done", answer_summary(step)[0])

    def answered(self) -> Hop:
        name, call = "An answer was given", self.arrived
        if not isinstance(call, Call):
            return Hop(name, "done", "It was taken and kept.")
        if call.limit_seconds == 0:
            words, ways = self.funds(
                "It was turned away: all the money is promised to other calls that are being "
                "forwarded.", missing_for_what_arrives(self.workspace.pk),
            )  # fmt: skip
            return Hop(name, "failed", words, (*ways, *self._again()))
        if call.ended_at is not None:
            seconds = call.seconds or 0
            length = f"{seconds} second{'' if seconds == 1 else 's'}"
            return Hop(name, "done", f"The call ended after {length}: "
                       f"{call.get_outcome_display().lower()}.")  # fmt: skip
        if timezone.now() - call.at < ENDS_WITHIN:
            return Hop(name, "waiting", "The call is under way.")
        return Hop(name, "failed", "The end of the call has not been reported. It is asked for; "
                   "see what the carrier could not deliver.", self._why())  # fmt: skip

    def charged(self) -> Hop:
        name, arrived = "The charge was made", self.arrived
        about = Q(call=arrived) if isinstance(arrived, Call) else Q(message=arrived)
        usages = list(Usage.objects.for_workspace(self.workspace).filter(about))
        if any(usage.owed_since for usage in usages):
            missing = missing_for_what_arrives(self.workspace.pk)
            words, ways = self.funds("There was not enough money to pay for it.", missing)
            return Hop(name, "failed", words, ways)
        due = [usage for usage in usages if usage.state == Usage.State.DUE]
        if not due and self._is_settled():
            if not usages:
                return Hop(name, "done", "It cost nothing, since nobody answered.")
            total = sum((usage.amount or Decimal(0) for usage in usages), Decimal(0))
            return Hop(name, "done", money.show(total, usages[0].currency))
        if any(usage.amount is None for usage in due):
            return Hop(name, "unknown", "There is no rate for it: it is charged what the carrier "
                       "takes, once the carrier says so.", self._rates())  # fmt: skip
        assert arrived is not None, "only looked at when it has arrived"
        if timezone.now() - (arrived.ended_at or arrived.at) < CHARGED_WITHIN:
            return Hop(name, "waiting", "It will be charged within seconds.")
        return Hop(name, "failed", "It has not been charged yet, which takes seconds. Write to "
                   "support: the background work of this site may stand still.",
                   self._support())  # fmt: skip

    def _is_settled(self) -> bool:
        assert self.arrived is not None, "only looked at when it has arrived"
        if self.arrived.settled_at is None:
            return False
        if not isinstance(self.arrived, Call):
            return True
        return not CallLeg.objects.filter(call=self.arrived, settled_at=None).exists()

    # --- What mends them ------------------------------------------------------------------

    def _not_sent(self) -> tuple[str, tuple[Way, ...]]:
        """A test that was refused before anything was sent."""
        test = self.test
        if test.refusal_code in ("insufficient_funds", "kept_for_rent"):
            try:
                price = test_price(self.number, test.medium)
            except Refusal as refusal:
                return refusal.sentence, self._support()
            now = too_little(self.number, price, sends=True)
            if now is None:  # funds were added
                return test.refusal_sentence, self._again()
            return way_on(self.membership, self.number, now)
        if test.refusal_code == "number_inactive" and test.sender is not None:
            return test.refusal_sentence, self._page(test.sender)
        if test.refusal_code in ("wrong_currency", "opted_out"):
            return test.refusal_sentence, (*self._support(), *self._again())
        return test.refusal_sentence, self._for(test.refusal_sentence)

    def _not_taken(self) -> tuple[str, tuple[Way, ...]] | None:
        """What reached us and was not taken, in words and with its fix; None if nothing did."""
        called, since = self.number.e164, self.test.started_at
        strays = ArrivedForNobody.objects.filter(
            called=called, at__gte=since, medium=self.test.medium
        )
        if self.test.sender is not None:
            strays = strays.filter(caller=self.test.sender.e164)
        stray = strays.order_by("at", "pk").first()
        if stray is not None:
            because = stray.get_because_display()
            words = f"It arrived and was turned away: {because[:1].lower()}{because[1:]}."
            return self._mend(words, ArrivedForNobody.Because(stray.because))
        if refused_lately(called=called, since=since) is not None:
            return (
                "Something arrived with a wrong signature. If the carrier sent it, this site has "
                "the wrong token or public address. Write to support.", self._support(),
            )  # fmt: skip
        return None

    def _mend(
        self, words: str, because: ArrivedForNobody.Because
    ) -> tuple[str, tuple[Way, ...]]:  # fmt: skip
        place = [self.workspace.slug, self.number.public_id]
        match because:
            case because.NO_MONEY:
                return self.funds(words, missing_for_what_arrives(self.workspace.pk))
            case because.SUSPENDED if self.membership.can(WALLET_VIEW):
                address = reverse("numbers:overdue", args=[self.workspace.slug])
                return words, (Way(Fix("See what is overdue", address)),)
            case because.SUSPENDED:
                return self.funds(words, Decimal(0))
            case because.DEACTIVATED:
                address = reverse("numbers:activate", args=place)
                return self._do(words, NUMBERS_EDIT, "switch it on", Fix("Switch it on", address))
            case because.PARKED:
                address = reverse("numbers:undo_release", args=place)
                return self._do(words, NUMBERS_RELEASE, "undo the release",
                                Fix("Undo the release", address))  # fmt: skip
            case because.VANISHED:
                return self._compare(words)
        return words, self._support()

    def _do(
        self, words: str, permission: str, what: str, fix: Fix
    ) -> tuple[str, tuple[Way, ...]]:  # fmt: skip
        if self.membership.can(permission):
            return words, (Way(fix, by_post=True),)
        return f"{words} Ask {self.who(permission)} to {what}.", ()

    def _compare(self, words: str) -> tuple[str, tuple[Way, ...]]:
        fix, todo, by_post = compare_button(self.membership, self.number)
        return f"{words} {todo}", (Way(fix, by_post),) if fix else ()

    def _for(self, words: str) -> tuple[Way, ...]:
        """A sentence that says to write to support has the address beside it."""
        return self._support() if "support" in words else self._again()

    def _again(self) -> tuple[Way, ...]:
        return (Way(Fix("Test again", self.test_page())),)

    def _page(self, number: Number) -> tuple[Way, ...]:
        address = reverse("numbers:detail", args=[self.workspace.slug, number.public_id])
        return (Way(Fix("Open the number", address)),)

    def _why(self) -> tuple[Way, ...]:
        address = reverse("numbers:number_why", args=[self.workspace.slug, self.number.public_id])
        return (Way(Fix("Why isn’t it working?", address)),)

    def _route(self) -> tuple[Way, ...]:
        address = reverse("interactions:route", args=[self.workspace.slug, self.number.public_id])
        return (Way(Fix("Change who answers", address)),)

    def _rates(self) -> tuple[Way, ...]:
        address = reverse("interactions:rates", args=[self.workspace.slug])
        return (Way(Fix("See the rates", address)),)

    def _support(self) -> tuple[Way, ...]:
        return (Way(support(self.number)),)
