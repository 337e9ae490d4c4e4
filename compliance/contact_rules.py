"""Whether a workspace may contact someone now."""

from compliance.models import OptOut
from lib import e164 as formats
from lib.errors import Refusal
from workspaces.models import Workspace


class OptedOut(Refusal):
    code = "opted_out"
    title = "This contact has opted out"
    money = "Nothing was sent and nothing was charged."

    def __init__(self, opt_out: OptOut) -> None:
        super().__init__(
            f"{formats.international(opt_out.contact)} wrote {opt_out.said!r} to "
            f"{formats.international(opt_out.said_to)} on {opt_out.opted_out_at:%-d %B %Y}. "
            "Texts can be sent again once they write START."
        )


def may_contact(*, workspace: Workspace, contact: str) -> None:
    """Raises ``OptedOut`` where the contact asked this workspace to stop."""
    if (opt_out := opt_out_of(workspace=workspace, contact=contact)) is not None:
        raise OptedOut(opt_out)


def opt_out_of(*, workspace: Workspace, contact: str) -> OptOut | None:
    """The opt-out in force, if there is one."""
    rows = OptOut.objects.for_workspace(workspace)
    return rows.filter(contact=contact, opted_in_at=None).first()
