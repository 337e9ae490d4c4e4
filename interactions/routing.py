"""Deciding who answers a number: a new route replaces the one before, which is kept."""

from dataclasses import replace
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from interactions import rates
from interactions.models import Call, Medium, Route, UsageRate
from interactions.plans import Answer, MessagePlan, VoicePlan
from interactions.refusals import (
    EmergencyDestination,
    ExpensiveDestination,
    ForwardsToItself,
    ForwardsToOwn,
    NotAPhone,
    PremiumDestination,
    UnknownRate,
)
from interactions.summaries import message_summary, names_of, voice_summary
from lib import e164 as formats
from numbers.models import Number
from numbers.usages import keep_order
from workspaces import audit
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import NUMBERS_VIEW


def save_voice_route(
    *, workspace: Workspace, by: User, number: Number, plan: VoicePlan
) -> Route:  # fmt: skip
    """Have calls answered by this plan from now on.

    Phones may be written as people write them; they are kept in E.164. Raises a
    ``RouteRefused`` for one that may not be forwarded to; the route stays as it was then.
    """
    plan = replace(
        plan,
        answer=_checked(plan.answer, workspace, by, number),
        closed=_checked(plan.closed, workspace, by, number) if plan.closed else None,
    )
    return _replace(
        by, number, Medium.VOICE, plan.write(), _minute_price(plan, number),
        text=" ".join(voice_summary(plan, workspace)),
    )  # fmt: skip


def save_message_route(
    *, workspace: Workspace, by: User, number: Number, plan: MessagePlan
) -> Route:  # fmt: skip
    """Have messages dealt with by this plan from now on; they are in the inbox in any case."""
    text = " ".join(message_summary(plan, names_of(plan, workspace)))
    return _replace(by, number, Medium.MESSAGE, plan.write(), Decimal(0), text=text)


def plans_of(number: Number) -> dict[str, dict]:
    """The plans in force by medium; a medium for which nothing is decided is not in it."""
    return {route.medium: route.plan for route in Route.objects.in_force().filter(number=number)}


def step_of(call: Call) -> Answer:
    """The answer that was chosen when the call arrived."""
    plan = VoicePlan.read(call.route.plan if call.route else None)
    return plan.at(call.at, call.workspace.time_zone)


def check_destination(typed: str, *, workspace: Workspace, by: User, number: Number) -> str:
    """The phone in E.164. Raises a ``RouteRefused`` that says why nothing goes there.

    A number of a workspace that the person may not look into is a phone like any other.
    """
    if formats.is_short(typed):
        raise EmergencyDestination(typed)
    e164 = formats.from_text(typed, number.country)
    if not e164:
        raise NotAPhone(typed)
    if formats.is_premium(e164):
        raise PremiumDestination(e164)
    if Number.objects.for_workspace(workspace).owned().filter(e164=e164).exists():
        raise ForwardsToItself(e164)
    theirs = Membership.objects.who_can(NUMBERS_VIEW).filter(user=by).values("workspace")
    own = Number.objects.owned().filter(e164=e164, workspace__in=theirs)
    if (elsewhere := own.select_related("workspace").first()) is not None:
        raise ForwardsToOwn(elsewhere)
    rate = rates.call_rate_to(e164)
    if rate is None:
        raise UnknownRate(e164)
    if rate.price > Decimal(settings.FORWARD_MAX_PRICE_PER_MINUTE):
        raise ExpensiveDestination(e164, rate.price, rate.currency)
    return e164


def _checked(answer: Answer, workspace: Workspace, by: User, number: Number) -> Answer:
    phones = [
        check_destination(typed, workspace=workspace, by=by, number=number)
        for typed in answer.phones
    ]
    return replace(answer, phones=tuple(dict.fromkeys(phones)))


def _minute_price(plan: VoicePlan, number: Number) -> Decimal:
    """What a minute may cost at most: the way in, and the dearest way on."""
    incoming = rates.incoming_rate(UsageRate.Kind.CALL_IN, number)
    onward = [rates.call_rate_to(phone) for answer in plan.answers for phone in answer.phones]
    dearest = max((rate.price for rate in onward if rate), default=Decimal(0))
    return (incoming.price if incoming else Decimal(0)) + dearest


def _replace(
    by: User, number: Number, medium: Medium, plan: dict, minute_price: Decimal, *, text: str
) -> Route:
    now = timezone.now()
    with transaction.atomic():
        Number.objects.select_for_update(no_key=True).get(pk=number.pk)  # one writer at a time
        before = Route.objects.in_force().filter(number=number, medium=medium).first()
        if before is not None:
            if before.plan == plan and before.minute_price == minute_price:
                return before
            Route.objects.filter(pk=before.pk).update(replaced_at=now)
        route = Route.objects.create(
            workspace_id=number.workspace_id, number=number, medium=medium, plan=plan,
            minute_price=minute_price, saved_by=by, saved_at=now,
        )  # fmt: skip
        keep_order(number.workspace, Number.objects.filter(pk=number.pk))
        audit.record(
            workspace=number.workspace, by=by, action=f"route.{medium}_changed", subject=number,
            text=text[:400], details={"before": before.plan if before else None, "after": plan},
        )  # fmt: skip
    return route


def reprice_routes() -> None:
    """Bring what a minute may cost up to date with the rates."""
    routes = Route.objects.in_force().filter(medium=Medium.VOICE).select_related("number")
    for route in routes.iterator():
        price = _minute_price(VoicePlan.read(route.plan), route.number)
        if price != route.minute_price:
            Route.objects.filter(pk=route.pk).update(minute_price=price)
