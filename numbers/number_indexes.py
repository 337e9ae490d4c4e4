"""What makes a hundred thousand numbers feel like three: one index for each way to look.

Each begins with the workspace. The list shows numbers that are owned, so most leave out
those that were given back, and each ends with what it is sorted by, so that any page of any
filter is a short walk along one index. The due date
is in none and not even in the table: rent moves it every month (``rent_models.py``).
"""

from datetime import UTC, datetime

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db.models import Func, Index, Q, Value
from django.db.models.functions import Coalesce, Lower, Reverse

OWNED = Q(released_at__isnull=True)
# A number that was never used counts as used longest ago: so the column can be sorted both
# ways along one index, and "not used since" is one stretch of it.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LAST_USE = Coalesce("last_used_at", Value(NEVER))
NAME = Lower("friendly_name")


def walk(name: str, *fields: str | Func) -> Index:
    """The owned numbers of a workspace in the order of the fields."""
    return Index("workspace", *fields, "id", name=name, condition=OWNED)


def waiting(name: str, field: str, condition: Q) -> Index:
    """The few rows, of all workspaces, that a sweep looks for."""
    return Index(fields=[field], name=name, condition=condition)


NUMBER_INDEXES = [
    # Sorted by a column.
    walk("number_by_created", "created_at"),
    walk("number_by_e164", "e164"),
    walk("number_by_name", NAME),
    walk("number_by_capabilities", "capabilities"),
    walk("number_by_place", "country", "area_code"),
    walk("number_by_price", "monthly_price"),
    walk("number_by_last_use", LAST_USE),
    walk("number_by_answerer", "answered_by"),
    walk("number_by_user", "used_by"),
    # Filtered by a column and newest first; also sorted by it.
    walk("number_of_country", "country", "created_at"),
    walk("number_of_type", "number_type", "created_at"),
    walk("number_of_status", "status", "created_at"),
    walk("number_of_health", "health", "created_at"),
    Index(
        "workspace",
        "created_at",
        "id",
        name="number_never_used",
        condition=OWNED & Q(last_used_at__isnull=True),
    ),
    Index(
        "workspace",
        "created_at",
        "id",
        name="number_switched_off",
        condition=OWNED & Q(deactivated_at__isnull=False),
    ),
    Index("workspace", "released_at", "id", name="number_given_back", condition=~OWNED),
    # Digits anywhere and words in name or note (trigrams), and what a number can do.
    GinIndex(
        "workspace",
        OpClass("e164", "gin_trgm_ops"),
        "capabilities",
        name="number_digits",
        condition=OWNED,
    ),
    GinIndex("workspace", OpClass("words", "gin_trgm_ops"), name="number_words", condition=OWNED),
    # The last digits, which trigrams do not know from digits in the middle.
    Index(
        "workspace",
        OpClass(Reverse("e164"), "text_pattern_ops"),
        name="number_last_digits",
        condition=OWNED,
    ),
    # What waits for a sweep.
    waiting("number_webhooks_missing", "webhooks_set_at", Q(webhooks_set_at__isnull=True)),
    waiting("number_name_unsent", "name_unsent_since", Q(name_unsent_since__isnull=False)),
    waiting(
        "number_release_scheduled",
        "release_at",
        Q(release_at__isnull=False, parked_at__isnull=True),
    ),
    Index(
        fields=["workspace"],
        name="number_stopped_by_rent",
        condition=Q(outbound_stopped_at__isnull=False) | Q(suspended_at__isnull=False),
    ),
    waiting(
        "number_being_given_back",
        "giving_back_at",
        Q(giving_back_at__isnull=False, released_at__isnull=True),
    ),
    waiting("number_parked", "parked_at", Q(parked_at__isnull=False, released_at__isnull=True)),
]
