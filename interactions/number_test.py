"""Testing a number through the whole way: what it costs, what stands in its way, the start.

The test call or message is a real one: from another number of the workspace, or from a
phone that somebody holds. It goes to the provider and comes back as any other; ``hops``
tells from the rows that it left behind how far it came.
"""

import logging
import uuid
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from interactions import place, rates, send
from interactions.models import Conversation, Medium, NumberTest, UsageRate
from interactions.out_of_money import owed_by
from interactions.plans import VoicePlan
from interactions.routing import plans_of
from lib import money
from lib.errors import Refusal
from numbers import pools
from numbers.models import Number
from telephony import provider, twiml
from telephony.errors import NotFound, ProviderError
from telephony.twiml import Greeting
from telephony.values import OwnedNumber
from telephony.webhook_urls import webhooks_for_numbers
from wallet.models import Wallet
from wallet.ring_fence import kept_for_rent
from workspaces.models import User, Workspace

log = logging.getLogger(__name__)

CALL_SECONDS = 60
WORDS = Greeting(text="This is a test call of your number. Everything is in order. Goodbye.")
BODY = "This is a test message of your number."


@dataclass(frozen=True, slots=True)
class TestPrice:
    """What a test costs at most: ``sending`` only from a number of ours, ``receiving`` always,
    ``forwarding`` where the call would be forwarded now; calls by the minute.
    """

    sending: Decimal
    receiving: Decimal
    forwarding: Decimal
    currency: str

    @property
    def of_what_arrives(self) -> Decimal:
        return self.receiving + self.forwarding

    @property
    def total(self) -> str:
        return money.show(self.sending + self.of_what_arrives, self.currency)

    @property
    def receiving_shown(self) -> str:
        return money.show(self.of_what_arrives, self.currency)


def test_price(number: Number, medium: str) -> TestPrice:
    """Raises ``NoRate`` where nothing can be sent to this number."""
    forwarding = Decimal(0)
    if medium == Medium.VOICE:
        rate, sending = place.call_price(number.e164, limit_seconds=CALL_SECONDS)
        incoming = rates.incoming_rate(UsageRate.Kind.CALL_IN, number)
        forwarding = _forwarding_price(number)
    else:
        rate = send.rate_to(number.e164)
        sending = rate.price
        incoming = rates.incoming_rate(UsageRate.Kind.SMS_IN, number)
    return TestPrice(sending, incoming.price if incoming else Decimal(0), forwarding,
                     rate.currency)  # fmt: skip


def _forwarding_price(number: Number) -> Decimal:
    """A minute of the phones that a call would ring now: of all that may pick up before the
    whisper, or of the dearest.
    """
    plan = VoicePlan.read(plans_of(number).get(Medium.VOICE))
    step = plan.at(timezone.now(), number.workspace.time_zone)
    found = [rates.call_rate_to(phone) for phone in step.phones]
    prices = [rate.price for rate in found if rate]
    return sum(prices, Decimal(0)) if step.whisper else max(prices, default=Decimal(0))


@dataclass(frozen=True, slots=True)
class TooLittle:
    """Why there is too little money for a test, and how much is missing at least."""

    sentence: str
    missing: Decimal
    is_kept: bool = False


def too_little(number: Number, price: TestPrice, *, sends: bool) -> TooLittle | None:
    """What keeps a test from being paid now, both ways where it is sent from one of ours."""
    workspace = number.workspace
    wallet = Wallet.objects.get(workspace=workspace)
    available, currency = wallet.available, wallet.currency
    sending = price.sending if sends else Decimal(0)
    kept = kept_for_rent(workspace) if sends else Decimal(0)
    owed = owed_by(workspace.pk)
    cost = sending + price.of_what_arrives
    # What arrives may use the credit, and needs something to be left.
    arriving = max(cost, sending + money.CENT) + owed - wallet.credit_limit - available
    missing = max(sending + kept - available, arriving)
    if missing <= 0:
        return None
    there = f"{money.show(max(available, Decimal(0)), currency)} is available"
    costs = f"a test costs {money.show(cost, currency)} at most"
    if owed:
        words = f"{money.show(owed, currency)} for what has arrived could not be paid, so calls "
        words += "and messages are turned away"
    elif kept and sending + kept - available >= arriving:
        words = f"{there}, {money.show(kept, currency)} of it is kept for the rent ahead, and "
        words += costs
    else:
        words = f"{there} and {costs}"
    shown = money.show(money.up_to_cent(missing), currency)
    return TooLittle(f"{words}. Add {shown} or more.", missing, bool(kept and not owed))


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
    if facts["points_here"] is False and is_put_right(test):
        Number.objects.filter(pk=number.pk).update(webhooks_set_at=None)  # the sweep repairs it
    if sender is not None:
        try:
            _send(test, by)
        except Refusal as refusal:
            test.refusal_code, test.refusal_sentence = refusal.code, refusal.sentence[:400]
            test.save(update_fields=["refusal_code", "refusal_sentence"])
    return test


def _facts_at_provider(number: Number, medium: str) -> dict:
    try:
        owned = provider.fetch(sid=number.provider_sid)
    except NotFound:
        return {"provider_has_it": False, "points_here": None}
    except ProviderError as error:
        log.warning("%s could not be looked at before its test: %s", number, error)
        return {"provider_has_it": None, "points_here": None}
    here, where = _pointing(number, owned, medium)
    return {"provider_has_it": True, "points_here": here, "points_to": where[:500]}


def _pointing(number: Number, owned: OwnedNumber, medium: str) -> tuple[bool, str]:
    """Whether calls, or messages, are sent to us, and to where they are: an address, or what
    stands above the addresses at the carrier.
    """
    theirs, ours, above = owned.webhooks, webhooks_for_numbers(number.capabilities), owned.overrides
    if medium == Medium.VOICE:
        address, wanted = theirs.voice_url, ours.voice_url
        method, other = theirs.voice_method, above.voice_application or above.trunk
        what = "application" if above.voice_application else "trunk"
    else:
        address, wanted = theirs.message_url, ours.message_url
        method, other, what = theirs.message_method, above.message_application, "application"
    if other:
        return False, f"the {what} {other}"
    if medium == Medium.MESSAGE and (service := _service(number)):
        return False, f"the messaging service {service}"
    return (address, method) == (wanted, "POST"), address


def _service(number: Number) -> str:
    """The messaging service that takes the number's messages; empty if none is known to."""
    try:
        found = pools.finding_of(number)
    except ProviderError as error:
        log.warning("the messaging services of %s are not known: %s", number, error)
        return ""
    return found.theirs["service_name"] if found else ""


def is_put_right(test: NumberTest) -> bool:
    """Whether the repair may set the address without a word: nobody else has meant another."""
    if not test.points_to:
        return True
    ours = webhooks_for_numbers(test.number.capabilities).voice_url
    return urlsplit(test.points_to).netloc == urlsplit(ours).netloc


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
