"""What calls, messages and routes say about a number, for the pages of the apps below this one:
``settings.NUMBER_USAGES``, ``NUMBER_TRAFFIC`` and ``NUMBER_COSTS`` name these functions
(``NUMBER_CHECKS``: number_checks.py).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils import timezone

from interactions.models import Conversation, Medium, Route, Usage
from interactions.plans import Answer, Answers, VoicePlan
from lib import e164 as formats
from numbers.models import Number
from numbers.number_costs import Cost
from numbers.usages import Usage as NumberUsage
from workspaces.models import Workspace

LATELY = timedelta(days=30)


def usages(workspace: Workspace, numbers: Sequence[Number]) -> list[NumberUsage]:
    """Who answers the calls of these numbers, in one query. A number for which nothing is
    decided is not in it: callers reach voicemail there.
    """
    routes = Route.objects.for_workspace(workspace).in_force().filter(medium=Medium.VOICE)
    by_id = {number.pk: number for number in numbers}
    return [
        NumberUsage(
            number_id=route.number_id,
            what="Calls",
            name=answerer(VoicePlan.read(route.plan).answer),
            url=reverse(
                "interactions:route", args=[workspace.slug, by_id[route.number_id].public_id]
            ),
            answers=True,
            breaks="Calls are not answered any more.",
        )
        for route in routes.filter(number__in=list(by_id))
    ]


def answerer(answer: Answer) -> str:
    """In a few words, for a cell of a list."""
    if answer.kind == Answers.SAY:
        return "Announcement"
    if answer.is_voicemail:
        return "Voicemail"
    first, *others = [formats.international(phone) for phone in answer.phones]
    return f"{first} and {len(others)} more" if others else first


def traffic(number: Number) -> list[str]:
    """How many people called or wrote lately, or were called or written to; one query."""
    people = Conversation.objects.filter(
        number=number, last_at__gte=timezone.now() - LATELY
    ).count()
    if not people:
        return ["no calls or messages in the last 30 days"]
    return [f"calls or messages with {people} {'person' if people == 1 else 'people'} "
            "in the last 30 days"]  # fmt: skip


def costs(number: Number, since: datetime) -> list[Cost]:
    """What its calls and messages cost, a sum for each month; one query."""
    zone = ZoneInfo(number.workspace.time_zone)
    sums = (
        Usage.objects.for_workspace(number.workspace)
        .filter(Q(call__number=number) | Q(message__number=number))
        .filter(state=Usage.State.CHARGED, at__gte=since)
        .annotate(month=TruncMonth("at", tzinfo=zone))
        .values("month")
        .annotate(total=Sum("amount"))
        .order_by("month")
    )
    return [Cost(row["month"], row["total"], "Calls and messages") for row in sums]
