"""Support staff look at a workspace as one of its members sees it.

Only looking: whatever would change something is refused, whoever the member is, and pages
that need a permission to change are closed, and so is what the staff role may not see in the
admin. The staff person stays who they are: every event names them. It ends by itself after a
quarter of an hour, and with one click before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

from lib.errors import Refusal
from workspaces import audit
from workspaces.models import Membership, User
from workspaces.permissions import AUDIT_VIEW, INBOX_VIEW, NUMBERS_VIEW, WALLET_VIEW

ENDS_AFTER = timedelta(minutes=15)
MAY = "workspaces.act_as_member"
KEY = "acting"
# What can be looked at, and what of the admin a staff role must be able to see for it.
LOOKING = {
    NUMBERS_VIEW: ("numbers.view_number",),
    INBOX_VIEW: ("interactions.view_call", "interactions.view_message"),
    WALLET_VIEW: ("wallet.view_wallet", "wallet.view_entry"),
    AUDIT_VIEW: ("workspaces.view_auditevent",),
}


class ReasonMissing(Refusal):
    code = "reason_missing"
    title = "Say why"
    money = "Nothing was changed."

    def __init__(self) -> None:
        super().__init__("Write down why: the workspace reads it in its activity.")


class OnlyLooking(Refusal):
    code = "only_looking"
    status = 403
    title = "You are only looking"
    money = "Nothing was changed."

    def __init__(self, name: str) -> None:
        super().__init__(
            f"You look at this workspace as {name} sees it, so nothing can be changed. End it, and "
            "do it in the support admin."
        )


@dataclass(frozen=True, slots=True)
class Acting:
    """As whom, and until when."""

    member: Membership
    until: datetime

    def seen_by(self, staff: User) -> Membership:
        """The member's place, with nothing in it that changes anything, and nothing that this
        staff person may not see in the admin.
        """
        member = Membership(
            pk=self.member.pk, public_id=self.member.public_id, workspace=self.member.workspace,
            user=self.member.user, role=self.member.role,
        )  # fmt: skip
        member.limited_to = what_is_seen(staff, self.member)
        return member


def what_is_seen(staff: User, member: Membership) -> frozenset[str]:
    """Both may look at it: the member here, and the staff person in the admin."""
    mine = {code for code, needed in LOOKING.items() if staff.has_perms(needed)}
    return member.permissions() & mine


def begin(*, request: HttpRequest, by: User, member: Membership, reason: str) -> None:
    """From now on the session sees the workspace as the member does. Raises ``ReasonMissing``."""
    if not reason.strip():
        raise ReasonMissing
    until = timezone.now() + ENDS_AFTER
    audit.record(
        workspace=member.workspace, by=by, action="workspace.support_looks",
        subject=member.workspace, text=f"Support looks at it as {member.user} sees it: {reason}",
        details={"until": until.isoformat(timespec="seconds")},
    )  # fmt: skip
    request.session[KEY] = {"member": member.pk, "until": until.isoformat()}


def end(*, request: HttpRequest, by: User) -> None:
    """Nothing happens where nobody acts."""
    acting = acting_in(request)
    if request.session.pop(KEY, None) is None or acting is None:
        return
    audit.record(
        workspace=acting.member.workspace, by=by, action="workspace.support_left",
        subject=acting.member.workspace, text="Support looks at it no more",
    )  # fmt: skip


def acting_in(request: HttpRequest) -> Acting | None:
    """As whom the session acts at this moment. One query, and only for staff who do."""
    user = getattr(request, "user", None)
    if user is None or not user.is_staff or KEY not in request.session:
        return None
    kept = request.session[KEY]
    until = datetime.fromisoformat(kept["until"])
    if until <= timezone.now():
        del request.session[KEY]
        return None
    if not user.has_perm(MAY):
        return None
    known: Acting | None = getattr(request, "acting", None)
    if known is None:
        members = Membership.objects.select_related("workspace", "user")
        member = members.filter(pk=kept["member"], user__is_active=True).first()
        known = Acting(member, until) if member else None
        request.acting = known  # type: ignore[attr-defined]
    return known
