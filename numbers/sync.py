"""Comparing all our numbers with the provider's, both ways.

The walk only looks and writes down what differs. Cures come afterwards, and only when the
provider's list came back whole: a list that broke off would make numbers look lost.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from lib import e164 as formats
from numbers import cures, pools, watch
from numbers.compare import Finding, Kind, compare
from numbers.models import Number, NumberQuerySet, OrderLine
from numbers.plan import planned
from numbers.pricing import last_known
from numbers.sync_models import Difference, NumberCheck, SyncRun
from telephony import busy, provider
from telephony.errors import NotFound, ProviderError
from telephony.values import OwnedNumber
from workspaces.models import User

log = logging.getLogger(__name__)

Found = Sequence[tuple[Number | OwnedNumber, Finding]]
Kinds = tuple[Kind, ...]
NONE: Kinds = ()
# What only the list shows.
STRANGERS: Kinds = (Kind.ORDERED, Kind.RELEASED, Kind.NOBODYS)

BATCH = 1000
MOST_PLANNED = 1000
MOST_LEFT_OUT = 100
MOST_LOST = 20  # in one run, or half of all numbers where that is more
# How long one run waits in all where the provider is busy.
PATIENCE_SECONDS = 300.0
ONE_RUN_AT_A_TIME = 7_310_452  # the key of an advisory lock
# What was bought or given back this shortly before the walk may not show in the provider's list
# yet; and the clocks of our own machines may differ a little.
JUST_NOW = timedelta(minutes=5)


class AlreadyRunning(Exception):
    """Another process is walking just now."""


class NotBelieved(ProviderError):
    """The provider answered, and what it says cannot be so."""

    def __str__(self) -> str:
        return str(self.args[0])


class ListNotWhole(NotBelieved):
    """The provider's list came to its end without numbers that are there."""


class TooManyLost(NotBelieved):
    """So many of our numbers are not in the account that it is probably another one."""


def reconcile(*, by: User | None = None, dry_run: bool = False) -> SyncRun:
    """Walk the provider's numbers, note every difference, and cure what needs no question.

    Raises ``AlreadyRunning``. A provider that is busy is waited for; one that fails on the way
    ends the run incomplete, with its error noted and nothing cured. ``dry_run`` notes and cures
    nothing, and keeps with the run what would be done about each difference.
    """
    with _alone(), busy.patient(PATIENCE_SECONDS):
        run = SyncRun.objects.create(started_at=timezone.now(), by=by, dry_run=dry_run)
        try:
            shown = _walk(run)
        except ProviderError as error:
            log.warning("the walk over the provider's numbers broke off: %s", error)
            run.error = str(error)[:400]
            if isinstance(error, TooManyLost):
                watch.tell_too_many_lost(run.error)
        else:
            run.complete = True
            unread = () if shown else STRANGERS
            unread += () if _walk_pools(run) else (Kind.SERVICE,)
            if not dry_run:
                _end_unseen(run, unread)
                run.cured = cures.cure_all(run, [Kind.ORDERED])
                _compare_adopted(run)
                run.cured += cures.cure_all(run)
        run.ended_at = timezone.now()
        run.save()
    return run


def check_number(number: Number, *, by: User | None = None) -> list[Difference]:
    """Compare one number now and return its open differences; the check itself is kept.

    Raises ``ProviderError``: then nothing but the try is noted. Messaging services that cannot
    be read leave what is known of them.
    """
    now = timezone.now()
    check = NumberCheck(workspace=number.workspace, number=number, at=now, by=by, answered=True)
    try:
        owned = provider.fetch(sid=number.provider_sid)
    except NotFound:
        findings = [_missing(number) for number in _could_vanish().filter(pk=number.pk)]
        unread = NONE
    except ProviderError:
        check.answered = False
        check.save()
        raise
    else:
        findings, unread = _compare_whole(number, owned)
    with transaction.atomic():
        check.found = len(findings)
        check.save()
        _note(None, now, [(number, finding) for finding in findings])
        seen = [finding.kind for finding in findings]
        gone = Difference.objects.open().of(number).exclude(kind__in=[*seen, *unread])
        gone.update(ended_at=now, cure=Difference.Cure.BY_ITSELF)
    return list(Difference.objects.open().of(number))


def _compare_adopted(run: SyncRun) -> None:
    """What an order has just got is compared in the same run; what cannot be had now is
    compared in the next.
    """
    adopted = Difference.objects.filter(last_run=run, cure=Difference.Cure.ADOPTED)
    for difference in adopted.select_related("number__workspace"):
        number = difference.number
        assert number is not None, "an adopted number is told with its difference"
        try:
            findings, _ = _compare_whole(number, provider.fetch(sid=number.provider_sid))
        except ProviderError as error:
            log.warning("%s is adopted and not compared yet: %s", number.e164, error)
        else:
            _keep(run, [(number, finding) for finding in findings])


def _compare_whole(number: Number, owned: OwnedNumber) -> tuple[list[Finding], Kinds]:
    """What differs, and the kinds of which nothing could be learned."""
    findings = compare(number, owned)
    try:
        in_service = pools.finding_of(number)
    except ProviderError as error:
        log.warning("the messaging services of %s were not read: %s", number.e164, error)
        return findings, (Kind.SERVICE,)
    return [*findings, *([in_service] if in_service else [])], NONE


@contextmanager
def _alone() -> Iterator[None]:
    """One walk at a time on the whole database; a process that dies gives the lock back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_RUN_AT_A_TIME])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_RUN_AT_A_TIME])


def _walk(run: SyncRun) -> bool:
    """Whether the list showed everything of which we know that it is there."""
    seen: set[str] = set()
    for batch in provider.list_pages(page_size=BATCH):
        seen.update(owned.sid for owned in batch)
        _compare_batch(run, batch)
    run.seen = len(seen)
    return _look_for_unseen(run, seen)


def _walk_pools(run: SyncRun) -> bool:
    """Whether all were read. What is seen in those that were is true, and asked about; a
    service in which a number was not seen is not over before that.
    """
    try:
        for found in pools.walk_pools():
            _keep(run, found)
    except ProviderError as error:
        log.warning("the messaging services were not all read: %s", error)
        run.error = f"Messaging services: {error}"[:400]
        return False
    return True


def _compare_batch(run: SyncRun, batch: Iterable[OwnedNumber]) -> None:
    """One query for a thousand numbers, one for what of them is nobody's."""
    by_sid = {owned.sid: owned for owned in batch}
    ours = Number.objects.owned().filter(provider_sid__in=by_sid)
    found: list[tuple[Number | OwnedNumber, Finding]] = []
    for number in ours.iterator(chunk_size=BATCH):
        owned = by_sid.pop(number.provider_sid)
        found += [(number, finding) for finding in compare(number, owned)]
    found += _strangers(run, list(by_sid.values()))
    _keep(run, found)


def _strangers(run: SyncRun, unknown: list[OwnedNumber]) -> Found:
    """Numbers at the provider that are not among ours: an order's, a released one's, nobody's.

    What is just being bought or given back is none of them: who does that also ends it.
    """
    if not unknown:
        return []
    by_e164, sids = [owned.e164 for owned in unknown], [owned.sid for owned in unknown]
    lines = OrderLine.objects.unsettled().filter(e164__in=by_e164)
    waiting = {line.e164: line for line in lines}
    # Looked up after the lines, since a number is made in the commit that settles its line.
    known = {number.provider_sid: number for number in Number.objects.filter(provider_sid__in=sids)}
    lately = _given_back_lately(run, known.values(), sids)
    prices = last_known({formats.country_of(e164) for e164 in by_e164})
    found: list[tuple[Number | OwnedNumber, Finding]] = []
    for owned in unknown:
        number = known.get(owned.sid)
        if number is not None and number.released_at is None:
            continue  # ours since its page was compared
        if line := waiting.get(owned.e164):
            if line.is_due:
                found.append((owned, Finding(Kind.ORDERED)))
        elif owned.sid in lately and _fetched(owned.sid) is None:
            continue
        elif number is not None:
            found.append((number, Finding(Kind.RELEASED)))
        else:
            cost = prices.get((formats.country_of(owned.e164), owned.number_type or ""))
            theirs = {"name": owned.friendly_name, **_cost(cost)}
            found.append((owned, Finding(Kind.NOBODYS, theirs=theirs)))
    return found


def _given_back_lately(run: SyncRun, known: Iterable[Number], sids: list[str]) -> set[str]:
    """Those that went since the walk began, or shortly before: the list may still show them."""
    since = run.started_at - JUST_NOW
    released = {n.provider_sid for n in known if n.released_at and n.released_at >= since}
    by_cure = Difference.objects.filter(
        provider_sid__in=sids, cure=Difference.Cure.GIVEN_BACK, ended_at__gte=since
    )
    return released | set(by_cure.values_list("provider_sid", flat=True))


def _fetched(sid: str) -> OwnedNumber | None:
    try:
        return provider.fetch(sid=sid)
    except NotFound:
        return None


def _cost(cost: tuple[Decimal, str] | None) -> dict[str, str]:
    """What it costs us per month, where the provider's price is known."""
    return dict(zip(Difference.COST, (str(cost[0]), cost[1]), strict=True)) if cost else {}


def _look_for_unseen(run: SyncRun, seen: set[str]) -> bool:
    """Ours that the list did not show. Each is asked for by its sid before it is believed lost:
    one that was bought or moved while the list was read, or that the list left out, is compared
    as it is. Returns whether the list left out none. Raises ``ListNotWhole`` where it left out
    so many that it is none, and ``TooManyLost`` before half of all numbers would be called lost.
    """
    suspects = _could_vanish().filter(created_at__lt=run.started_at - JUST_NOW)
    found: list[tuple[Number | OwnedNumber, Finding]] = []
    left_out = lost = 0
    most_lost = max(MOST_LOST, suspects.count() // 2)
    for sid in suspects.values_list("provider_sid", flat=True).iterator(chunk_size=BATCH):
        if sid in seen:
            continue
        owned = _fetched(sid)
        left_out += owned is not None
        if left_out > MOST_LEFT_OUT:
            raise ListNotWhole(f"More than {MOST_LEFT_OUT} numbers were not in the list.")
        # As it is now: it may have been given back while the list was read.
        for number in _could_vanish().filter(provider_sid=sid):
            findings = compare(number, owned) if owned else [_missing(number)]
            lost += owned is None
            found += [(number, finding) for finding in findings]
        if lost > most_lost:
            raise TooManyLost(
                f"More than {most_lost} numbers are not in this account. Nothing was changed: "
                "is TWILIO_ACCOUNT_SID the right one?"
            )
    _keep(run, found)
    return not left_out


def _could_vanish() -> NumberQuerySet:
    """One that is being given back may be gone there already, and one that has vanished is
    gone: that is no new loss.
    """
    return Number.objects.owned().filter(vanished_at=None, giving_back_at=None)


def _missing(number: Number) -> Finding:
    return Finding(Kind.MISSING, {"sid": number.provider_sid})


def _keep(run: SyncRun, found: Found) -> None:
    run.found += len(found)
    if found and run.dry_run:
        room = MOST_PLANNED - len(run.planned)
        run.planned += planned(_rows(run, timezone.now(), found[:room]))
    elif found:
        _note(run, timezone.now(), found)


def _note(run: SyncRun | None, now: datetime, found: Found) -> None:
    """Write new differences, and that known ones are still there, with three statements."""
    rows = {(row.provider_sid, row.kind): row for row in _rows(run, now, found)}
    known = Difference.objects.open().filter(provider_sid__in={sid for sid, _ in rows})
    again = [old for old in known if (old.provider_sid, old.kind) in rows]
    for old in again:
        new = rows.pop((old.provider_sid, old.kind))
        if old.theirs_but_cost != new.theirs_but_cost:
            old.left_at = None
        old.ours, old.theirs, old.asks = new.ours, new.theirs, new.asks
        old.last_seen_at, old.last_run = now, run
    Difference.objects.bulk_update(
        again, ["ours", "theirs", "asks", "left_at", "last_seen_at", "last_run"], batch_size=500
    )
    Difference.objects.bulk_create(rows.values(), ignore_conflicts=True)


def _rows(run: SyncRun | None, now: datetime, found: Found) -> Iterator[Difference]:
    for subject, finding in found:
        number = subject if isinstance(subject, Number) else None
        sid = number.provider_sid if number else subject.sid  # type: ignore[union-attr]
        yield Difference(
            workspace_id=number.workspace_id if number else None, number=number,
            e164=subject.e164, provider_sid=sid, kind=finding.kind, ours=finding.ours,
            theirs=finding.theirs, asks=finding.asks, first_seen_at=now, last_seen_at=now,
            last_run=run,
        )  # fmt: skip


def _end_unseen(run: SyncRun, unread: Kinds) -> None:
    """What an earlier run saw and this whole one did not is over, but for the kinds of which
    not everything was read, and that of the account, which no walk sees.
    """
    unseen = Difference.objects.open().filter(last_seen_at__lt=run.started_at)
    unseen = unseen.exclude(last_run=run)  # whatever the clock said when it was seen
    unseen = unseen.exclude(kind__in=[*unread, Kind.ACCOUNT])
    unseen.update(ended_at=timezone.now(), cure=Difference.Cure.BY_ITSELF)
