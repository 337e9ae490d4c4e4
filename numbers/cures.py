"""Setting right what differs between us and the provider.

Each cure looks at the present state again before it acts, is safe to repeat, and leaves an
event in the audit trail. What somebody did on purpose is asked about and never overwritten
by itself.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import IntegrityError, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from lib.errors import Refusal
from numbers import watch
from numbers.compare import Kind, emergency_of
from numbers.models import Number
from numbers.settle import due_lines, settle_line, take
from numbers.sync_models import Difference, SyncRun
from telephony import messaging_services, provider
from telephony.errors import NotFound, ProviderError
from telephony.values import Overrides
from telephony.webhook_urls import webhooks_for_numbers
from workspaces import audit
from workspaces.models import User
from workspaces.notices import notify
from workspaces.permissions import NUMBERS_VIEW

log = logging.getLogger(__name__)
Cure = Difference.Cure


class NothingToCure(Refusal):
    code = "nothing_to_cure"
    title = "There is nothing to set right any more"

    def __init__(self) -> None:
        super().__init__("It has been set right meanwhile. Reload the page to see how it is now.")


class OrderUnderWay(Refusal):
    code = "order_under_way"
    title = "Its order is still being settled"

    def __init__(self) -> None:
        super().__init__(
            "It goes to its order by itself as soon as the carrier has told what it bought, "
            "usually within a minute. Look at the order if it takes longer."
        )


class SeenAgain(Refusal):
    code = "difference_seen_again"
    title = "It differs again"

    def __init__(self) -> None:
        super().__init__("It differs again since. Decide about the newer difference instead.")


def cure_all(run: SyncRun, kinds: Collection[Kind] | None = None) -> int:
    """Cure what this run saw and what needs no question, of some kinds or of all. Returns how
    many were cured.
    """
    curable = Difference.objects.troubling().filter(last_run=run, asks=False)
    curable = curable.filter(kind__in=CURES if kinds is None else kinds)
    cured = 0
    in_order = curable.select_related("number__workspace").order_by(PLACE, "pk")
    for difference in in_order.iterator(chunk_size=500):
        try:
            _set_right(difference, None)
            cured += 1
        except (ProviderError, Refusal) as error:
            log.warning("%s stays as it is: %s", difference, error)
    watch.tell_of_vanished(Difference.objects.filter(last_run=run))
    return cured


def cure(difference: Difference, *, by: User | None) -> None:
    """Set one difference right. Raises ``NothingToCure`` for one that is over, and
    ``ProviderError`` when the provider does not answer; then it stays open.
    """
    _set_right(difference, by)
    watch.tell_of_vanished(Difference.objects.filter(pk=difference.pk))


def _set_right(difference: Difference, by: User | None) -> None:
    if difference.ended_at is not None:
        raise NothingToCure
    CURES[Kind(difference.kind)](difference, by)


def leave(difference: Difference, *, by: User) -> None:
    """Keep the other value: it was set on purpose. It is told, and no trouble any more."""
    with transaction.atomic():
        left = Difference.objects.troubling().filter(pk=difference.pk)
        if not left.update(left_at=timezone.now()):
            raise NothingToCure
        _record(difference, by, "difference.left", "Left as it is at the carrier")


def _configure(difference: Difference, by: User | None) -> None:
    """Ours again, of what this difference is about and of nothing else: what else differs may
    be meant, and has a difference of its own.
    """
    number = _number(difference)
    ours: dict[Kind, dict[str, Any]] = {
        Kind.WEBHOOKS: {"webhooks": webhooks_for_numbers(number.capabilities)},
        Kind.OVERRIDDEN: {"overrides": Overrides()},
        Kind.NAME: {"friendly_name": number.friendly_name or number.international},
    }
    provider.configure(sid=number.provider_sid, **ours[Kind(difference.kind)])
    with transaction.atomic():
        if difference.kind == Kind.WEBHOOKS:
            Number.objects.filter(pk=number.pk).update(webhooks_set_at=timezone.now())
        end(difference, Cure.REPAIRED, by)


def _take_out_of_service(difference: Difference, by: User | None) -> None:
    """Its messages are sent to its own webhook again, which is ours."""
    number = _number(difference)
    service = difference.theirs["messaging_service"]
    messaging_services.remove_sender(service, number.provider_sid)
    with transaction.atomic():
        end(difference, Cure.REPAIRED, by)


def _take_capabilities(difference: Difference, by: User | None) -> None:
    """The provider knows what its number can do."""
    number = _number(difference)
    owned = provider.fetch(sid=number.provider_sid)
    with transaction.atomic():
        Number.objects.filter(pk=number.pk).update(capabilities=sorted(owned.capabilities))
        end(difference, Cure.TAKEN_OVER, by)


def _take_regulation(difference: Difference, by: User | None) -> None:
    """Address and documents are the carrier's to know; what it has now is noted."""
    number = _number(difference)
    owned = provider.fetch(sid=number.provider_sid)
    with transaction.atomic():
        Number.objects.filter(pk=number.pk).update(
            emergency_address_status=emergency_of(owned), bundle_sid=owned.bundle_sid
        )
        end(difference, Cure.TAKEN_OVER, by)


def _vanish(difference: Difference, by: User | None) -> None:
    """Inactive with the reason, no rent any more, and its people are told: once each time that
    it vanishes. The operators are told by whoever cures, in one mail for all.
    """
    number = _number(difference)
    try:
        provider.fetch(sid=number.provider_sid)
    except NotFound:
        pass
    else:
        end(difference, Cure.BY_ITSELF, by)
        return
    with transaction.atomic():
        Number.objects.filter(pk=number.pk, vanished_at=None).update(vanished_at=timezone.now())
        end(difference, Cure.VANISHED, by)
        notify(
            workspace=number.workspace,
            key=f"number-vanished:{difference.public_id}",
            permission=NUMBERS_VIEW,
            subject=f"{number.international} is not at the carrier any more",
            body=(
                f"The carrier does not have {number.international} any more, so it receives "
                f"nothing and can send nothing. It is inactive in {number.workspace} and costs "
                "nothing from now on. Support has been told and looks into a refund.\n"
            ),
        )


def _wake(difference: Difference, by: User | None) -> None:
    """It is back: as it was before, whatever else keeps it from being active."""
    number = _number(difference)
    with transaction.atomic():
        Number.objects.filter(pk=number.pk).update(vanished_at=None)
        end(difference, Cure.WOKEN, by)


def _adopt(difference: Difference, by: User | None) -> None:
    """An order of ours bought it and does not know it yet: let the order be settled, unless
    somebody is about it just now. Raises ``OrderUnderWay`` as long as the order has no number.
    """
    line = due_lines().filter(e164=difference.e164).first()
    if line is not None and take(line):
        settle_line(line)
    mine = Number.objects.owned().filter(provider_sid=difference.provider_sid)
    number = mine.select_related("workspace").first()
    if number is None:
        raise OrderUnderWay
    with transaction.atomic():
        # From here on it is told with the number that it was about.
        difference.number, difference.workspace = number, number.workspace
        difference.save(update_fields=["number", "workspace"])
        end(difference, Cure.ADOPTED, by)


def _give_back_again(difference: Difference, by: User | None) -> None:
    """It was given back here, and the provider still bills it."""
    if Number.objects.owned().filter(provider_sid=difference.provider_sid).exists():
        raise NothingToCure
    provider.release(sid=difference.provider_sid)
    with transaction.atomic():
        end(difference, Cure.GIVEN_BACK, by)


# In this order: which webhooks a number should have follows from its capabilities, and a number
# whose webhooks do not fit together takes nothing else.
CURES: dict[Difference.Kind, Callable[[Difference, User | None], None]] = {
    Kind.CAPABILITIES: _take_capabilities,
    Kind.WEBHOOKS: _configure,
    Kind.OVERRIDDEN: _configure,
    Kind.SERVICE: _take_out_of_service,
    Kind.NAME: _configure,
    Kind.EMERGENCY: _take_regulation,
    Kind.BUNDLE: _take_regulation,
    Kind.MISSING: _vanish,
    Kind.RETURNED: _wake,
    Kind.ORDERED: _adopt,
    Kind.RELEASED: _give_back_again,
}
PLACE = Case(*(When(kind=kind, then=Value(place)) for place, kind in enumerate(CURES)))


def undo(difference: Difference, *, by: User) -> None:
    """Put back what a cure changed. The difference is open again and left as it is, so that no
    later look cures it anew. Adopted and given-back numbers stay: raises ``NothingToCure`` for
    them and for what is still open, ``SeenAgain`` where a newer one is open.
    """
    put_back = UNDO.get(difference.cure)
    if put_back is None:
        raise NothingToCure
    done = f"Undone: {difference.get_cure_display()}"
    # First: a walk that comes in between must not set right what is being put back.
    _open_again(difference)
    try:
        put_back(difference)
    except (ProviderError, Refusal):
        closed = {"ended_at": difference.ended_at, "cure": difference.cure}
        Difference.objects.open().filter(pk=difference.pk).update(**closed)
        raise
    _record(difference, by, "difference.undone", done)


def _open_again(difference: Difference) -> None:
    """As one that somebody looked at and left; seen now, for a walk that is under way."""
    now = timezone.now()
    cured = Difference.objects.filter(pk=difference.pk, cure__in=UNDO)
    try:
        with transaction.atomic():
            if not cured.update(ended_at=None, cure="", left_at=now, last_seen_at=now):
                raise NothingToCure
    except IntegrityError as error:
        raise SeenAgain from error


def _put_back_theirs(difference: Difference) -> None:
    number, theirs = _number(difference), difference.theirs
    if difference.kind == Kind.SERVICE:
        messaging_services.add_sender(theirs["messaging_service"], number.provider_sid)
        return
    webhooks = overrides = name = None
    if difference.kind == Kind.WEBHOOKS:
        webhooks = replace(webhooks_for_numbers(number.capabilities), **theirs)
    elif difference.kind == Kind.OVERRIDDEN:
        overrides = Overrides(**theirs)
    else:
        name = theirs["name"]
    provider.configure(
        sid=number.provider_sid, webhooks=webhooks, friendly_name=name, overrides=overrides
    )


def _put_back_ours(difference: Difference) -> None:
    """Their names in ``ours`` are those of the number's own fields."""
    Number.objects.filter(pk=_number(difference).pk).update(**difference.ours)


def _wake_again(difference: Difference) -> None:
    Number.objects.filter(pk=_number(difference).pk).update(vanished_at=None)


def _vanish_again(difference: Difference) -> None:
    Number.objects.filter(pk=_number(difference).pk).update(vanished_at=timezone.now())


UNDO: dict[str, Callable[[Difference], None]] = {
    Cure.REPAIRED: _put_back_theirs,
    Cure.TAKEN_OVER: _put_back_ours,
    Cure.VANISHED: _wake_again,
    Cure.WOKEN: _vanish_again,
}


def _number(difference: Difference) -> Number:
    """As it is now, not as it was when the difference was seen."""
    number = Number.objects.owned().filter(pk=difference.number_id or 0).first()
    if number is None:
        raise NothingToCure
    return number


def end(difference: Difference, how: Cure, by: User | None, reason: str = "") -> None:
    """Close an open difference with its cure, once. Raises ``NothingToCure`` for a closed one."""
    ended = Difference.objects.open().filter(pk=difference.pk)
    if not ended.update(ended_at=timezone.now(), cure=how, cured_by=by, reason=reason):
        raise NothingToCure
    _record(difference, by, f"difference.{how}", Cure(how).label, reason)


def keep_reason(difference: Difference, *, by: User, reason: str) -> None:
    """Why support did it, with the difference and in the workspace's trail."""
    if reason:
        with transaction.atomic():
            Difference.objects.filter(pk=difference.pk).update(reason=reason)
            _record(difference, by, "difference.reason", f"Support says why: {reason}")


def _record(
    difference: Difference, by: User | None, action: str, text: str, reason: str = ""
) -> None:
    """In the trail of its workspace. Nobody's number has none: the admin's log keeps it."""
    if difference.workspace is None:
        if by is not None:
            told = f"{text}: {reason}" if reason else text
            LogEntry.objects.log_actions(by.pk, [difference], CHANGE, told, single_object=True)
        return
    audit.record(
        workspace=difference.workspace, by=by, action=action, subject=difference.number,
        label=difference.e164, text=f"{difference.get_kind_display()}: {text.lower()}",
        details={"ours": difference.ours, "theirs": difference.theirs},
    )  # fmt: skip
