"""Testing a number through the whole way, and saying of each hop how it went.

The test call or message is a real one: from another number of the workspace, or from a
phone that somebody holds. It goes to the provider, comes back as any other, and what is
looked at afterwards are the rows that it left behind.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from interactions import place, rates, send
from interactions.models import (
    ArrivedForNobody,
    Call,
    Conversation,
    Medium,
    Message,
    NumberTest,
    RefusedWebhook,
    Usage,
    UsageRate,
)
from interactions.plans import MessagePlan
from interactions.refused_webhooks import refused_lately
from interactions.routing import plans_of, step_of
from interactions.summaries import answer_summary, message_summary, names_of
from lib import money
from lib.errors import Fix, Refusal
from numbers.models import Number
from telephony import provider, twiml
from telephony.errors import NotFound, ProviderError
from telephony.twiml import Greeting
from telephony.values import Webhooks
from telephony.webhook_urls import webhooks_for_numbers
from wallet.addresses import add_funds_address
from wallet.models import Wallet
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)

CALL_SECONDS = 60
WORDS = Greeting(text="This is a test call of your number. Everything is in order. Goodbye.")
BODY = "This is a test message of your number."
ARRIVES_WITHIN = timedelta(seconds=60)
ENDS_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class TestPrice:
    """What a test costs at most: ``sending`` only from a number of ours, ``receiving`` always."""

    sending: Decimal
    receiving: Decimal
    currency: str

    @property
    def total(self) -> str:
        return money.show(self.sending + self.receiving, self.currency)

    @property
    def receiving_shown(self) -> str:
        return money.show(self.receiving, self.currency)


def test_price(number: Number, medium: str) -> TestPrice:
    """Raises ``NoRate`` where nothing can be sent to this number."""
    if medium == Medium.VOICE:
        rate, sending = place.call_price(number.e164, limit_seconds=CALL_SECONDS)
        incoming = rates.incoming_rate(UsageRate.Kind.CALL_IN, number)
    else:
        rate = send.rate_to(number.e164)
        sending = rate.price
        incoming = rates.incoming_rate(UsageRate.Kind.SMS_IN, number)
    return TestPrice(sending, incoming.price if incoming else Decimal(0), rate.currency)


def senders_for(number: Number, medium: str) -> list[Number]:
    """Other numbers of the workspace that a test can come from."""
    able = "voice" if medium == Medium.VOICE else "sms"
    others = Number.objects.for_workspace(number.workspace).active().exclude(pk=number.pk)
    usable = others.filter(outbound_stopped_at=None, capabilities__contains=[able])
    return list(usable.order_by("created_at")[:20])


def start_test(
    *, workspace: Workspace, by: User, number: Number, medium: str, sender: Number | None,
    key: uuid.UUID,
) -> NumberTest:  # fmt: skip
    """Look at the number at the provider, then call or text it; the same key is one test.

    A test that cannot be made (no money, say) is kept with the reason.
    """
    known = NumberTest.objects.for_workspace(workspace).filter(key=key).first()
    if known is not None:
        return known
    facts = _facts_at_provider(number, medium)
    try:
        test = NumberTest.objects.create(
            workspace=workspace, key=key, number=number, medium=medium, sender=sender,
            started_by=by, started_at=timezone.now(), **facts,
        )  # fmt: skip
    except IntegrityError:
        return NumberTest.objects.for_workspace(workspace).get(key=key)
    if facts["points_here"] is False:
        Number.objects.filter(pk=number.pk).update(webhooks_set_at=None)  # the sweep repairs it
    if sender is not None:
        try:
            _send(test, by)
        except Refusal as refusal:
            test.refusal_sentence = refusal.sentence[:400]
            test.save(update_fields=["refusal_sentence"])
    return test


def _facts_at_provider(number: Number, medium: str) -> dict:
    try:
        owned = provider.fetch(sid=number.provider_sid)
    except NotFound:
        return {"provider_has_it": False, "points_here": None}
    except ProviderError as error:
        log.warning("%s could not be looked at before its test: %s", number, error)
        return {"provider_has_it": None, "points_here": None}
    address = _address(owned.webhooks, medium)
    here = address == _address(webhooks_for_numbers(number.capabilities), medium)
    return {"provider_has_it": True, "points_here": here, "points_to": address[:500]}


def _address(webhooks: Webhooks, medium: str) -> str:
    return webhooks.voice_url if medium == Medium.VOICE else webhooks.message_url


def _send(test: NumberTest, by: User) -> None:
    sender, called = test.sender, test.number.e164
    assert sender is not None, "only a test from one of our numbers sends something"
    if test.medium == Medium.MESSAGE:
        conversation, _new = Conversation.objects.get_or_create(
            number=sender, contact=called,
            defaults={"workspace": test.workspace, "last_at": timezone.now()},
        )  # fmt: skip
        conversation.workspace, conversation.number = test.workspace, sender
        test.message = send.send_message(workspace=test.workspace, by=by, body=BODY,
                                         conversation=conversation, key=test.key)  # fmt: skip
        test.save(update_fields=["message"])
        return
    place.check_caller(sender)
    with transaction.atomic():
        test.call = place.write_call(number=sender, called=called, limit_seconds=CALL_SECONDS,
                                     text=f"Test call to {test.number.international}")  # fmt: skip
        test.save(update_fields=["call"])
    place.hand_over(test.call, twiml=twiml.say(WORDS))


# --- What became of it ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop: ``state`` is done, waiting or failed; a failed one says how to mend it."""

    name: str
    state: str
    words: str
    fix: Fix | None = None


def hops_of(test: NumberTest) -> list[Hop]:
    """How far the test has come, in order; what comes after a failed hop is not listed."""
    hops: list[Hop] = []
    arrived = _arrived(test)
    for look in (_at_provider, _pointing_here, _sent, _received, _routed, _answered, _charged):
        hop = look(test, arrived)
        if hop is None:
            continue
        hops.append(hop)
        if hop.state != "done":
            break
    return hops


def is_over(hops: list[Hop]) -> bool:
    return all(hop.state != "waiting" for hop in hops)


def _arrived(test: NumberTest) -> Call | Message | None:
    """The call or message that reached us since the test began."""
    model = Call if test.medium == Medium.VOICE else Message
    rows = model.objects.filter(number=test.number, direction="in", at__gte=test.started_at)
    if test.sender is not None:
        rows = rows.filter(conversation__contact=test.sender.e164)
    return rows.order_by("at").first()


def _at_provider(test: NumberTest, arrived: object) -> Hop:
    name = "The carrier has the number"
    if test.provider_has_it is False:
        return Hop(name, "failed", "The carrier does not have it in the account any more. Write "
                   "to support.")  # fmt: skip
    if test.provider_has_it is None:
        return Hop(name, "done", "The carrier did not answer when it was asked; going on.")
    return Hop(name, "done", "It is in the account.")


def _pointing_here(test: NumberTest, arrived: object) -> Hop | None:
    if test.points_here is None:
        return None
    name = f"{test.get_medium_display()} are sent here"
    if not test.points_here:
        where = f"They are sent to {test.points_to}" if test.points_to else "They go nowhere"
        return Hop(name, "failed", f"{where}. It is being put right; test again in a minute.",
                   _again(test))  # fmt: skip
    return Hop(name, "done", "The carrier knows the address of this site.")


def _sent(test: NumberTest, arrived: object) -> Hop | None:
    if test.sender is None:
        return None
    what = "call" if test.medium == Medium.VOICE else "message"
    name = f"The test {what} is on its way"
    failed = test.refusal_sentence
    call_failed = test.call is not None and test.call.outcome == Call.Outcome.FAILED
    if test.call is not None and call_failed and not (arrived or _why_not_taken(test)):
        failed = test.call.answer or "The carrier could not connect it."
    if test.message is not None and test.message.failed:
        failed = test.message.why_failed or "The carrier could not deliver it."
    if failed:
        return Hop(name, "failed", failed, _again(test))
    return Hop(name, "done", f"From {test.sender.international}.")


def _received(test: NumberTest, arrived: Call | Message | None) -> Hop:
    name = "It arrived, and its signature was right"
    if arrived is not None:
        return Hop(name, "done", "It is in the inbox.")
    if (no := _why_not_taken(test)) is not None:
        return Hop(name, "failed", *no)
    since = test.started_at
    if timezone.now() - since < ARRIVES_WITHIN:
        asked = "" if test.sender else f" Use your phone now: {test.number.international}."
        return Hop(name, "waiting", f"Waiting for it.{asked}")
    return Hop(name, "failed", "Nothing has arrived within a minute. The carrier may not reach "
               "this site from outside: ask whoever runs it whether its public address "
               "answers.", _again(test))  # fmt: skip


def _why_not_taken(test: NumberTest) -> tuple[str, Fix | None] | None:
    """What reached us and was not taken, in words and with its fix; None if nothing did."""
    called, since = test.number.e164, test.started_at
    stray = ArrivedForNobody.objects.filter(called=called, at__gte=since).first()
    if stray is not None:
        because = stray.get_because_display().lower()
        return f"It arrived and was turned away: {because}.", _mend(test, stray)
    if refused_lately(called=called, since=since) is not None:
        advice = RefusedWebhook.ADVICE[RefusedWebhook.Because.FORGED]
        return f"Something arrived with a wrong signature. {advice}", None
    return None


def _routed(test: NumberTest, arrived: object) -> Hop:
    """What was chosen when it arrived: open or closed, and whatever the route says by now."""
    if isinstance(arrived, Call):
        sentences = answer_summary(step_of(arrived))
    else:
        plan = MessagePlan.read(plans_of(test.number).get(Medium.MESSAGE))
        sentences = message_summary(plan, names_of(plan, test.workspace))
    return Hop("The route was chosen", "done", sentences[0])


def _answered(test: NumberTest, arrived: Call | Message | None) -> Hop:
    name = "An answer was given"
    if isinstance(arrived, Message):
        return Hop(name, "done", "It was taken and kept.")
    assert arrived is not None, "only looked at when it has arrived"
    if arrived.ended_at is not None:
        seconds = arrived.seconds or 0
        length = f"{seconds} second{'' if seconds == 1 else 's'}"
        return Hop(name, "done", f"The call ended after {length}: "
                   f"{arrived.get_outcome_display().lower()}.")  # fmt: skip
    if timezone.now() - arrived.at < ENDS_WITHIN:
        return Hop(name, "waiting", "The call is under way.")
    return Hop(name, "failed", "The end of the call has not been reported.", _again(test))


def _charged(test: NumberTest, arrived: Call | Message | None) -> Hop:
    name = "The charge was made"
    usage = Usage.objects.filter(
        **{"call" if isinstance(arrived, Call) else "message": arrived}, leg=None
    ).first()
    if usage is None and isinstance(arrived, Call) and arrived.settled_at:
        return Hop(name, "done", "It cost nothing, since nobody answered.")
    if usage is None or (usage.state == Usage.State.DUE and not usage.owed_since):
        return Hop(name, "waiting", "It will be charged within seconds.")
    if usage.owed_since:
        wallet = Wallet.objects.get(workspace=test.workspace)
        address = add_funds_address(test.workspace, usage.amount or Decimal(0),
                                    test.get_absolute_url())  # fmt: skip
        return Hop(name, "failed", f"{money.show(wallet.available, wallet.currency)} is "
                   "available, which is not enough.", Fix("Add funds", address))  # fmt: skip
    return Hop(name, "done", money.show(usage.amount or Decimal(0), usage.currency))


def _again(test: NumberTest) -> Fix:
    address = reverse("interactions:test", args=[test.workspace.slug, test.number.public_id])
    return Fix("Test again", address)


def _mend(test: NumberTest, stray: ArrivedForNobody) -> Fix:
    because = ArrivedForNobody.Because
    if stray.because in (because.NO_MONEY, because.SUSPENDED):
        address = add_funds_address(test.workspace, Decimal(1), test.get_absolute_url())
        return Fix("Add funds", address)
    page = reverse("numbers:detail", args=[test.workspace.slug, test.number.public_id])
    return Fix("Open the number", page)
