"""From a line of the wallet's statement to the call or message that caused it."""

import re
from collections.abc import Sequence

from django.urls import reverse

from wallet.models import Entry, Kind
from workspaces.models import Workspace

PUBLIC_ID = re.compile(r"[-\w]{12}")


def statement_addresses(workspace: Workspace, entries: Sequence[Entry]) -> dict[int, str]:
    """Looked up when somebody follows it: a page of the statement asks for none of them."""
    return {
        entry.seq: reverse("interactions:of_line", args=[workspace.slug, entry.reference])
        for entry in entries
        if entry.kind in (Kind.USAGE, Kind.REFUND)
        and PUBLIC_ID.fullmatch(entry.reference)
        and not entry.reference.startswith("RENT-")
    }
