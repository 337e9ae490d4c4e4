"""Why a workspace cannot be archived yet (settings.ARCHIVE_BLOCKERS)."""

from django.urls import reverse

from lib.errors import Fix, Refusal
from numbers.models import Number, OrderLine
from workspaces.models import Workspace


class NumbersLeft(Refusal):
    code = "numbers_left"
    title = "There are numbers in it"
    money = "Nothing was changed."

    def __init__(self, workspace: Workspace, count: int) -> None:
        what = "1 number is" if count == 1 else f"{count} numbers are"
        super().__init__(
            f"{what} in this workspace, and each costs rent for as long as it is. Release what "
            "you do not need first.",
            fix=Fix("To the numbers", reverse("numbers:index", args=[workspace.slug])),
        )


class OrdersUnderWay(Refusal):
    code = "orders_under_way"
    title = "An order is under way"
    money = "Nothing was changed."

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            "A number is being bought in this workspace. Wait until its order is settled.",
            fix=Fix("To the numbers", reverse("numbers:index", args=[workspace.slug])),
        )


def numbers_left(workspace: Workspace) -> Refusal | None:
    """Inactive numbers count too: only what was given back costs nothing."""
    count = Number.objects.for_workspace(workspace).owned().count()
    return NumbersLeft(workspace, count) if count else None


def orders_under_way(workspace: Workspace) -> Refusal | None:
    unsettled = OrderLine.objects.for_workspace(workspace).unsettled()
    return OrdersUnderWay(workspace) if unsettled.exists() else None
