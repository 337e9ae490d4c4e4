"""Numbers whose approved documents are missing at the carrier: one of ``NUMBER_BARRIERS``.

Where a country asks for documents, the carrier sells no number without them, but it can take
them off later: they were refused or have expired. The comparison sees that (``compare.py``).
"""

from collections.abc import Collection, Sequence

from django.db.models import Q
from django.urls import reverse

from lib.errors import Fix
from numbers.choice import Barrier
from numbers.models import Number
from numbers.sync_models import Difference
from telephony.values import Capability
from workspaces.models import Workspace


def barriers(
    workspace: Workspace, numbers: Sequence[Number], needs: Collection[Capability]
) -> dict[int, Barrier]:
    """Those of the numbers that had documents at the carrier and have none now; one query."""
    taken_off = Difference.objects.filter(
        Q(ended_at=None) | Q(number__bundle_sid=""), workspace=workspace, number__in=numbers,
        kind=Difference.Kind.BUNDLE, theirs__bundle_sid="",
    )  # fmt: skip
    return {
        pk: Barrier(
            "Registration missing: the carrier has no approved documents for it",
            Fix("Compare with the carrier", reverse("numbers:checks", args=[workspace.slug, name])),
        )
        for pk, name in taken_off.values_list("number", "number__public_id")
    }
