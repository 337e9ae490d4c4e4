"""A number that is not here: is it in another workspace that this person may look into?"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from numbers.finding import Asked, phone_condition
from numbers.models import Number
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import NUMBERS_VIEW, roles_with

MOST = 3
FEWEST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Elsewhere:
    e164: str
    workspace: Workspace
    url: str


def elsewhere(*, user: User, here: Workspace, asked: Asked) -> Sequence[Elsewhere]:
    """Up to three numbers with these digits in the person's other workspaces, where they hold
    ``numbers_view``. Of anybody else's numbers nothing is said. One query.
    """
    digits = max((len(text) for text in (*asked.starts, *asked.parts, asked.ending)), default=0)
    if not asked.is_digits or digits < FEWEST_DIGITS:
        return []
    theirs = Membership.objects.filter(user=user, role__in=roles_with(NUMBERS_VIEW))
    theirs = theirs.exclude(workspace=here)
    found = (
        Number.objects.owned()
        .filter(phone_condition(asked), workspace__in=theirs.values("workspace"))
        .select_related("workspace")
        .order_by("e164")[:MOST]
    )
    return [
        Elsewhere(
            number.e164,
            number.workspace,
            reverse("numbers:detail", args=[number.workspace.slug, number.public_id]),
        )
        for number in found
    ]
