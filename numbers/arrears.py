"""Wallets whose money did not cover the rent, and what happens when money comes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Exists, F, OuterRef

from numbers.models import RentArrears, RentDue
from wallet.ledger import LockedWallet
from workspaces.models import Workspace


def note(tried: Sequence[int], short: Mapping[int, LockedWallet], at: datetime) -> None:
    """Keep which of the wallets that were tried are short, and forget those that paid."""
    paid = [pk for pk in tried if pk not in short]
    if paid:
        RentArrears.objects.filter(pk__in=paid).delete()
    if short:
        RentArrears.objects.bulk_create(
            [
                RentArrears(workspace_id=pk, since=at, tried_at=at, tried_version=wallet.version)
                for pk, wallet in short.items()
            ],
            update_conflicts=True, unique_fields=["workspace"],
            update_fields=["tried_at", "tried_version"],
        )  # fmt: skip


def arrears_of(workspace: Workspace | None) -> RentArrears | None:
    """For the banner of the pages: whether something that fell due found no money."""
    return getattr(workspace, "rentarrears", None)


def worth_trying() -> list[Workspace]:
    """Workspaces in arrears whose wallet has moved since it was found short."""
    moved = RentArrears.objects.exclude(tried_version=F("workspace__wallet__version"))
    return [row.workspace for row in moved.select_related("workspace").order_by("since")]


def forget_those_without_debt(at: datetime) -> None:
    """What was owed may have gone another way: released, waived, parked."""
    owing = RentDue.objects.filter(workspace=OuterRef("pk"), billed=True, due_at__lte=at)
    RentArrears.objects.filter(~Exists(owing)).delete()


def first_prices(workspaces: Sequence[int], at: datetime) -> dict[int, Decimal]:
    """What the month costs that would be paid first, for each that owes one."""
    if not workspaces:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (workspace_id) workspace_id, price "
            "FROM numbers_rent_owed(%s, %s) "
            "ORDER BY workspace_id, due_at, bought_at, number_id",
            [list(workspaces), at],
        )
        return dict(cursor.fetchall())
