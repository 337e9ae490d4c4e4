"""What beat does every hour, by hand."""

from argparse import ArgumentParser
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from lib import money
from lib.errors import Refusal
from numbers import dunning, rent, rent_preview
from numbers.models import RentRun
from workspaces.models import Workspace


class Command(BaseCommand):
    help = "Charge every month of rent that has begun, then take the steps that are due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at", metavar="TIME", type=parsed,
            help="As if it were this time: 2026-11-24T08:00Z. Never one that has not come.",
        )  # fmt: skip
        parser.add_argument("--workspace", metavar="SLUG", help="Only this one.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done.")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = None
        if slug := options["workspace"]:
            workspace = Workspace.objects.filter(slug=slug).first()
            if workspace is None:
                raise CommandError(f"There is no workspace {slug}.")
        try:
            if options["dry_run"]:
                self._preview(options["at"], workspace)
            else:
                self._collect(options["at"], workspace)
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} {refusal.money}") from refusal

    def _collect(self, at: datetime | None, workspace: Workspace | None) -> None:
        run = rent.collect_due(at, workspace=workspace, cause=RentRun.Cause.COMMAND)
        steps = dunning.advance(at) if workspace is None else 0
        seconds = (run.ended_at or run.started_at) - run.started_at
        self.stdout.write(
            f"{run}: charged {months(run.payments)} in {wallets(run.wallets)}, "
            f"{sums(run.sums)}, in {seconds.total_seconds():.1f} s."
        )
        if run.left:
            self.stdout.write(f"Not covered: {months(run.left)}, {sums(run.left_sums)}.")
        if run.busy:
            self.stdout.write(f"Left for the next run, since busy: {wallets(run.busy)}.")
        if steps:
            self.stdout.write(f"Steps and reminders for unpaid numbers: {steps}.")

    def _preview(self, at: datetime | None, workspace: Workspace | None) -> None:
        paid, left = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
        paid_months = left_months = workspaces = 0
        for row in rent_preview.preview(at, workspace=workspace):
            workspaces += bool(row.months)
            paid_months, left_months = paid_months + row.months, left_months + row.left_months
            paid[row.currency] += row.amount
            left[row.currency] += row.left_amount
            if row.left_months:
                self.stdout.write(
                    f"{row.slug}: {money.show(row.available, row.currency)} covers {row.months} "
                    f"of {months(row.months + row.left_months)}; "
                    f"{money.show(row.left_amount, row.currency)} would be left."
                )
        self.stdout.write(
            f"Would charge {months(paid_months)} in {wallets(workspaces)}, {sums(paid)}."
        )
        if left_months:
            self.stdout.write(f"Would not be covered: {months(left_months)}, {sums(left)}.")
        self.stdout.write("Nothing was charged.")


def parsed(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def months(count: int) -> str:
    return f"{count} month{'' if count == 1 else 's'}"


def wallets(count: int) -> str:
    return f"{count} wallet{'' if count == 1 else 's'}"


def sums(by_currency: dict[str, Any]) -> str:
    shown = [money.show(Decimal(amount), currency) for currency, amount in by_currency.items()]
    return " and ".join(shown) or "nothing"
