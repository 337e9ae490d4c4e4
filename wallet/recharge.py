"""Adding funds by itself when the wallet runs low.

Every attempt is a payment like any other (``TopUp``), with the cause in a row that can be
there only once, and at most one under way for a wallet: both the database holds. The row
is committed, the saved card is charged with no transaction open and with an idempotency
key made from the cause, and what came of it is committed. Whoever dies in between leaves a
row that the sweep settles by asking Stripe.
"""

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import stripe
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum
from django.urls import reverse
from django.utils import timezone

from lib import money
from lib.errors import Refusal
from wallet.cards import recharge_of
from wallet.ledger import InvalidAmount
from wallet.models import AutoRecharge, Entry, Kind, TopUp, Wallet
from wallet.stripe_client import CardDeclined, RequestRefused, call, minor_units
from wallet.top_up import TO_PAY, TopUpOutOfBounds, check_amount, check_bounds, credit
from workspaces import audit, notices
from workspaces.models import User, Workspace
from workspaces.permissions import WALLET_TOP_UP

log = logging.getLogger(__name__)

PAUSE = timedelta(hours=1)
# As long as this Stripe surely knows an idempotency key; after it, only looking is safe.
KEY_IS_KNOWN = timedelta(hours=23)
State = TopUp.State


class RechargeWaits(Refusal):
    """The money is low, and for a reason that passes nothing is added now."""

    code = "recharge_waits"
    title = "Nothing is added now"


class CapReached(RechargeWaits):
    code = "recharge_cap"


class NoCard(Refusal):
    code = "no_card"
    title = "No card is saved"

    def __init__(self) -> None:
        super().__init__("Save a card first: it is what the automatic recharge charges.")


def set_recharge(
    *, workspace: Workspace, by: User, is_on: bool, threshold: Decimal, amount: Decimal,
    monthly_cap: Decimal,
) -> AutoRecharge:  # fmt: skip
    """Keep what is wanted; switched on, an earlier decline is forgotten, save for its hour.

    Raises ``NoCard``, ``TopUpOutOfBounds``, ``InvalidAmount``; then nothing is changed.
    """
    wallet = Wallet.objects.get(workspace=workspace)
    check_bounds(wallet, amount)
    if threshold < 0:
        raise InvalidAmount("Choose a balance of zero or more.")
    if monthly_cap < amount:
        raise TopUpOutOfBounds("The cap must be at least the amount that is added at once.")
    with transaction.atomic():
        wanted = recharge_of(workspace)
        if is_on and wanted.card_id is None:
            raise NoCard
        before = _told(wanted)
        wanted.is_on, wanted.threshold = is_on, threshold
        wanted.amount, wanted.monthly_cap = amount, monthly_cap
        if is_on:
            wanted.stopped_because = ""
        wanted.save()
        audit.record(
            workspace=workspace, by=by, action="wallet.recharge_set", subject=workspace,
            text=f"Automatic recharge {'on' if is_on else 'off'}",
            details={"before": before, "after": _told(wanted)},
        )  # fmt: skip
    return wanted


def _told(wanted: AutoRecharge) -> dict[str, Any]:
    amounts = {name: str(getattr(wanted, name)) for name in ("threshold", "amount", "monthly_cap")}
    return {"on": wanted.is_on} | amounts


def recharge_low() -> None:
    """Add funds to every wallet that is below its threshold."""
    for workspace_id in _low():
        try:
            attempt = begin(workspace_id)
            if attempt is not None:
                carry_out(attempt)
        except RechargeWaits as refusal:
            log.info("workspace %s: %s", workspace_id, refusal)
        except Refusal as refusal:
            log.warning("workspace %s is not recharged: %s", workspace_id, refusal)
        except Exception:  # the sweep's outermost edge: the next wallet is someone else's
            log.exception("workspace %s could not be recharged", workspace_id)


def _low() -> list[int]:
    low = AutoRecharge.objects.filter(
        is_on=True,
        workspace__wallet__balance__lt=F("threshold") + F("workspace__wallet__held"),
    )
    under_way = _automatic().filter(workspace=OuterRef("pk"), state__in=TopUp.UNSETTLED)
    return list(low.exclude(Exists(under_way)).values_list("pk", flat=True))


def _automatic() -> Any:
    return TopUp.objects.exclude(cause="")


def begin(workspace_id: int) -> TopUp | None:
    """Commit the intent for a wallet that is low; None where there is no reason for one.

    Raises ``RechargeWaits`` or ``TopUpOutOfBounds`` where there is, and it may not be now.
    """
    with transaction.atomic():
        locked = Wallet.objects.select_for_update(no_key=True, of=("self",))
        wallet = locked.select_related("workspace").get(pk=workspace_id)
        wanted = recharge_of(wallet.workspace)
        if not is_due(wanted, wallet):
            return None
        now = timezone.now()
        try:
            check(wanted, wallet, added_this_month(wallet.workspace, now))
        except CapReached as refusal:
            waits: Refusal = refusal
        else:
            # Taken for the first while, so that the sweep leaves it to us.
            return TopUp.objects.create(
                workspace=wallet.workspace, wallet=wallet, amount=wanted.amount,
                currency=wallet.currency, cause=_cause(wallet), card=wanted.card,
                created_at=now, asked_at=now, expires_at=now + TO_PAY,
            )  # fmt: skip
        _tell_of_the_cap(wallet, wanted, now)
    raise waits


def is_due(wanted: AutoRecharge, wallet: Wallet) -> bool:
    return (
        wanted.is_on
        and wallet.available < wanted.threshold
        and not _automatic()
        .for_workspace(wallet.workspace)
        .filter(state__in=TopUp.UNSETTLED)
        .exists()
    )


def check(wanted: AutoRecharge, wallet: Wallet, added: Decimal) -> None:
    """Raises ``RechargeWaits`` or ``TopUpOutOfBounds`` if nothing may be added now.

    ``added`` is what came in by itself this month.
    """
    if wanted.declined_at and timezone.now() < wanted.declined_at + PAUSE:
        again = _clock(wanted.declined_at + PAUSE, wallet.workspace)
        raise RechargeWaits(f"The card was declined lately. It is tried again after {again}.")
    if added + wanted.amount > wanted.monthly_cap:
        raise CapReached(
            f"{money.show(added, wallet.currency)} was added by itself this month, and the cap is "
            f"{money.show(wanted.monthly_cap, wallet.currency)}. Raise the cap, or add funds."
        )
    check_amount(wallet, wanted.amount)


def _clock(moment: datetime, workspace: Workspace) -> str:
    return f"{moment.astimezone(ZoneInfo(workspace.time_zone)):%H:%M}"


def added_this_month(workspace: Workspace, now: datetime) -> Decimal:
    """What came in by itself, or may still, since the month began in the workspace's zone."""
    local = now.astimezone(ZoneInfo(workspace.time_zone))
    begin = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    counts = _automatic().filter(state__in=[State.PAID, *TopUp.UNSETTLED], created_at__gte=begin)
    return counts.for_workspace(workspace).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _cause(wallet: Wallet) -> str:
    """``low-since:17``: low since the funds of entry 17; after a failure ``low-since:17:2``.

    The same cause can be written once, so a low wallet is recharged once.
    """
    funds = Entry.objects.filter(wallet=wallet, kind=Kind.TOP_UP).order_by("-seq")
    cause = f"low-since:{funds.values_list('seq', flat=True).first() or 0}"
    mine = _automatic().for_workspace(wallet.workspace)
    failed = mine.filter(cause__regex=f"^{cause}(:|$)", state=State.FAILED).count()
    return f"{cause}:{failed + 1}" if failed else cause


def carry_out(attempt: TopUp) -> TopUp:
    """Charge the card. No transaction is open; repeated, it is the same payment at Stripe."""
    try:
        intent = call(
            lambda client: client.v1.payment_intents.create(
                _intent_of(attempt), {"idempotency_key": idempotency_key(attempt)}
            )
        )
    except CardDeclined as declined:
        return _fail(attempt, declined.sentence, declined.payment_intent_id)
    except RequestRefused:
        return _fail(attempt, "The saved card cannot be used any more. Save it again.", "")
    return apply(intent)


def idempotency_key(attempt: TopUp) -> str:
    return f"recharge:{settings.PUBLIC_BASE_URL}:{attempt.workspace.slug}:{attempt.cause}"[:255]


def _intent_of(attempt: TopUp) -> Any:
    card = attempt.card
    assert card is not None, "the database keeps such rows out"
    return {
        "amount": minor_units(attempt.amount, attempt.currency),
        "currency": attempt.currency.lower(),
        "customer": card.customer_id,
        "payment_method": card.payment_method_id,
        "payment_method_types": ["card"],
        "off_session": True,
        "confirm": True,
        "description": f"Automatic recharge of {attempt.workspace.name}",
        "metadata": {"top_up": attempt.reference},
    }


def settle(attempt: TopUp) -> TopUp:
    """Ask Stripe what became of an attempt, and write that down."""
    if attempt.state not in TopUp.UNSETTLED:
        return attempt
    if attempt.payment_intent_id:
        known = attempt.payment_intent_id
        return apply(call(lambda client: client.v1.payment_intents.retrieve(known)))
    if timezone.now() < attempt.created_at + KEY_IS_KNOWN:
        return carry_out(attempt)
    found = _look_for(attempt)
    if found is not None:
        return apply(found)
    return _fail(attempt, "The payment service did not carry it out.", "", declined=False)


def _look_for(attempt: TopUp) -> stripe.PaymentIntent | None:
    card = attempt.card
    assert card is not None, "the database keeps such rows out"
    since = int((attempt.created_at - timedelta(minutes=5)).timestamp())
    found = call(
        lambda client: client.v1.payment_intents.list(
            {"customer": card.customer_id, "created": {"gte": since}, "limit": 100}
        )
    )
    mine = (one for one in found.data if one.metadata.to_dict().get("top_up") == attempt.reference)
    return next(mine, None)


@transaction.atomic
def apply(intent: stripe.PaymentIntent) -> TopUp:
    """Write down what Stripe tells of a payment; said twice or late, it changes nothing.

    Raises ``TopUp.DoesNotExist`` for a payment that is none of the automatic recharge.
    """
    attempt = _locked(reference=intent.metadata.to_dict().get("top_up", ""))
    if intent.status == "succeeded" and attempt.state != State.PAID:
        credit(attempt, intent.amount_received, intent.currency, intent.id)
        attempt.state, attempt.settled_at, attempt.problem = State.PAID, timezone.now(), ""
    elif attempt.state not in TopUp.UNSETTLED:
        return attempt
    elif intent.status == "processing":
        attempt.state, attempt.payment_intent_id = State.PROCESSING, intent.id
    else:
        said = intent.last_payment_error
        words = CardDeclined((said and (said.decline_code or said.code)) or "", intent.id).sentence
        return _failed(attempt, words, intent.id, declined=True)
    attempt.save(update_fields=["state", "settled_at", "problem", "payment_intent_id"])
    return attempt


def _locked(**which: object) -> TopUp:
    return (
        _automatic()
        .select_for_update(of=("self",), no_key=True)
        .select_related("workspace", "wallet", "by", "card")
        .get(**which)
    )


@transaction.atomic
def _fail(attempt: TopUp, words: str, payment_intent_id: str, *, declined: bool = True) -> TopUp:
    return _failed(_locked(pk=attempt.pk), words, payment_intent_id, declined=declined)


def _failed(attempt: TopUp, words: str, payment_intent_id: str, *, declined: bool) -> TopUp:
    """Nothing came in. A decline stops the recharge until a person switches it on again."""
    if attempt.state not in TopUp.UNSETTLED:
        return attempt
    now = timezone.now()
    attempt.state, attempt.settled_at, attempt.problem = State.FAILED, now, words
    attempt.payment_intent_id = payment_intent_id or attempt.payment_intent_id
    attempt.save(update_fields=["state", "settled_at", "problem", "payment_intent_id"])
    if declined:
        wanted = recharge_of(attempt.workspace)
        wanted.is_on, wanted.declined_at, wanted.stopped_because = False, now, words
        wanted.save(update_fields=["is_on", "declined_at", "stopped_because"])
        _tell_of_the_decline(attempt, words)
    return attempt


def _page(workspace: Workspace) -> str:
    return settings.PUBLIC_BASE_URL + reverse("wallet:recharge", args=[workspace.slug])


def _tell_of_the_decline(attempt: TopUp, words: str) -> None:
    name, amount = attempt.workspace.name, money.show(attempt.amount, attempt.currency)
    audit.record(
        workspace=attempt.workspace, by=None, action="wallet.recharge_stopped", subject=attempt,
        subject_id=attempt.reference, label=attempt.reference,
        text=f"Automatic recharge stopped: {words}",
    )  # fmt: skip
    notices.notify(
        workspace=attempt.workspace, permission=WALLET_TOP_UP,
        key=f"recharge-stopped:{attempt.reference}",
        subject=f"{name}: the automatic recharge has stopped",
        body=(
            f"The wallet of {name} ran low, and {amount} could not be added by itself.\n\n{words} "
            "Nothing was charged, and nothing more is tried until somebody switches the "
            "automatic recharge on again.\n\nSave another card or switch it on again:\n"
            f"{_page(attempt.workspace)}\n"
        ),
    )  # fmt: skip


def _tell_of_the_cap(wallet: Wallet, wanted: AutoRecharge, now: datetime) -> None:
    """Once a month."""
    workspace, cap = wallet.workspace, money.show(wanted.monthly_cap, wallet.currency)
    month = now.astimezone(ZoneInfo(workspace.time_zone))
    notices.notify(
        workspace=workspace, permission=WALLET_TOP_UP, key=f"recharge-cap:{month:%Y-%m}",
        subject=f"{workspace.name}: the automatic recharge has reached its cap",
        body=(
            f"The wallet of {workspace.name} is low, and the automatic recharge has reached its "
            f"cap of {cap} for {month:%B %Y}. Nothing was charged.\n\nRaise the cap, or add "
            f"funds by hand:\n{_page(workspace)}\n"
        ),
    )  # fmt: skip
