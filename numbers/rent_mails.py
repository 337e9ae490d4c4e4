"""Mails about rent, made from the steps and price changes that nobody was told of yet.

The mail and the mark that it was told are one commit, so each step is told once, whoever
dies. A workspace gets one mail per kind of step, however many numbers took it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from numbers import owing
from numbers.models import RentStep
from wallet.models import Wallet
from workspaces.models import Workspace
from workspaces.notices import notify
from workspaces.permissions import WALLET_VIEW

NAMED = 20  # numbers in a mail; the page has all of them

Step = RentStep.Step
# What is told together, and the template that tells it.
KINDS: list[tuple[str, tuple[Step, ...]]] = [
    ("rent_overdue", (Step.OVERDUE,)),
    ("rent_remind_outbound", (Step.REMIND_OUTBOUND,)),
    ("rent_outbound_stopped", (Step.OUTBOUND,)),
    ("rent_remind_inbound", (Step.REMIND_INBOUND,)),
    ("rent_suspended", (Step.INBOUND,)),
    ("rent_remind_release", (Step.REMIND_RELEASE,)),
    ("rent_released", (Step.RELEASE,)),
    ("rent_restored", (Step.RESTORED, Step.PAID)),
]


def tell(workspaces: Sequence[int], now: datetime | None = None) -> None:
    """Tell these workspaces of every step they were not told of. ``now``: what is owed then."""
    untold = RentStep.objects.filter(told_at=None, workspace__in=workspaces)
    for workspace in Workspace.objects.filter(pk__in=untold.values("workspace")):
        for template, steps in KINDS:
            _tell_kind(workspace, template, steps, now or timezone.now())


def tell_everybody(now: datetime | None = None) -> None:
    """The sweep's share: steps whose process died before it told of them."""
    untold = RentStep.objects.filter(told_at=None)
    tell(list(untold.values_list("workspace", flat=True).distinct()), now)


@transaction.atomic
def _tell_kind(
    workspace: Workspace, template: str, steps: Sequence[Step], owed_at: datetime
) -> None:
    now = timezone.now()
    mine = RentStep.objects.for_workspace(workspace).filter(step__in=steps)
    # The mark comes first: it is what two processes contend for.
    if not mine.filter(told_at=None).update(told_at=now):
        return
    told = mine.filter(told_at=now)
    mail = render_to_string(f"numbers/mail/{template}.txt", _context(workspace, told, owed_at))
    subject, _, body = mail.strip().partition("\n")
    notify(
        workspace=workspace, key=f"{template}:{told.aggregate(last=Max('pk'))['last']}",
        permission=WALLET_VIEW, subject=subject, body=body.lstrip(),
    )  # fmt: skip


def _context(workspace: Workspace, told: QuerySet[RentStep], owed_at: datetime) -> dict[str, Any]:
    steps = owing.ladder_of(workspace)
    named = list(told.select_related("number__rent").order_by("number__created_at", "pk")[:NAMED])
    lines = [
        {
            "number": step.number,
            "rent": step.number.rent,
            "works_again": step.step == Step.RESTORED,
            "dates": steps.dates(step.number.rent.overdue_since or step.number.rent.due_at),
        }
        for step in named
    ]
    count = told.count()
    return {
        "workspace": workspace,
        "lines": lines,
        "count": count,
        "more": count - len(lines),
        "works_again": told.filter(step=Step.RESTORED).exists(),
        "total": owing.total(workspace, owed_at),
        "wallet": Wallet.objects.get(workspace=workspace),
        "overdue_page": _address("numbers:overdue", workspace),
        "numbers_page": _address("numbers:index", workspace),
        "support_email": settings.SUPPORT_EMAIL,
    }


def _address(name: str, workspace: Workspace) -> str:
    return settings.PUBLIC_BASE_URL + reverse(name, args=[workspace.slug])
