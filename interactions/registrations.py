"""Numbers whose texts are turned away because a registration is missing: one of
``NUMBER_BARRIERS``. The carrier registers and tells no state of it; it tells with each message
that it did not let through, and that is what is known here.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format

from interactions.models import Direction, Message
from lib.errors import Fix
from numbers.choice import Barrier
from numbers.models import Number
from telephony.values import Capability
from workspaces.models import Workspace

# A registration may have come since; after so long somebody tries again.
BELIEVED_FOR = timedelta(days=30)
TEXTING = {Capability.SMS, Capability.MMS}
WHICH = {
    30032: "the toll-free number is not verified for texting",
    30034: "it is not registered for business texting in the US",
}


def barriers(
    workspace: Workspace, numbers: Sequence[Number], needs: Collection[Capability]
) -> dict[int, Barrier]:
    """Those of the numbers whose last text to North America was turned away; one query."""
    if TEXTING.isdisjoint(needs):
        return {}
    zone = ZoneInfo(workspace.time_zone)
    return {
        message.number_id: Barrier(
            f"Registration missing: {WHICH[message.error_code]}. A text was turned away on "
            + date_format(message.at.astimezone(zone), "j M"),
            Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}"),
        )
        for message in _turned_away(workspace, numbers)
        if message.error_code is not None
    }


def _turned_away(workspace: Workspace, numbers: Sequence[Number]) -> list[Message]:
    """The newest of each number, unless one has come through since."""
    came_through = Message.objects.filter(
        number=OuterRef("number"), direction=Direction.OUT, status__in=["delivered", "read"],
        at__gt=OuterRef("at"), conversation__contact__startswith="+1",
        conversation__workspace=workspace, conversation__last_at__gt=OuterRef("at"),
    )  # fmt: skip
    refused = Message.objects.for_workspace(workspace).filter(
        ~Exists(came_through), number__in=numbers, error_code__in=WHICH,
        at__gte=timezone.now() - BELIEVED_FOR,
    )  # fmt: skip
    return list(refused.order_by("number", "-at").distinct("number"))
