"""The columns of the Numbers page, and which of them a person sees."""

from collections.abc import Sequence
from dataclasses import dataclass

from numbers.list_models import ListPreference
from workspaces.models import User


@dataclass(frozen=True, slots=True)
class Column:
    """``order`` is the way to sort by it (``listing.ORDERS``)."""

    key: str
    label: str
    order: str
    shown_at_first: bool = True


# The number itself is always shown and is not among them.
COLUMNS = [
    Column("name", "Friendly name", "name"),
    Column("capabilities", "Capabilities", "capabilities"),
    Column("type", "Type", "type"),
    Column("country", "Country", "country"),
    Column("status", "Status", "status"),
    Column("created", "Created", "created"),
    Column("payment", "Next payment", "payment"),
    Column("price", "Per month", "price", shown_at_first=False),
    Column("used", "Last used", "used", shown_at_first=False),
    Column("answers", "Answered by", "answers"),
    Column("uses", "Used by", "uses", shown_at_first=False),
    Column("health", "Health", "health", shown_at_first=False),
]
NUMBER = Column("number", "Number", "number")


def shown(chosen: Sequence[str] | None) -> list[Column]:
    """The columns of a person who chose these; None for one who never did."""
    if chosen is None:
        return [column for column in COLUMNS if column.shown_at_first]
    return [column for column in COLUMNS if column.key in chosen]


def remember(*, user: User, columns: Sequence[str]) -> None:
    """Keep which columns the person wants to see, in every workspace and on every device."""
    ListPreference.objects.update_or_create(user=user, defaults={"columns": list(columns)})
