"""Recompute all money from the entries and name each difference."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wallet.models import Entry
from wallet.verify import verify
from workspaces.models import Workspace


class Command(BaseCommand):
    help = "Recompute every balance, hold and running balance from the entries. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", metavar="SLUG", help="only the wallet of this one")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace, entries = None, Entry.objects.all()
        if slug := options["workspace"]:
            workspace = Workspace.objects.filter(slug=slug).first()
            if workspace is None:
                raise CommandError(f"There is no workspace {slug}.")
            entries = entries.filter(wallet_id=workspace.pk)
        began = time.monotonic()
        wrong = 0
        for discrepancy in verify(workspace):
            self.stdout.write(str(discrepancy))
            wrong += 1
        seconds = time.monotonic() - began
        if wrong:
            raise CommandError(f"{wrong} figures are wrong. Nothing was changed.")
        self.stdout.write(f"{entries.count():,} entries, all figures right ({seconds:.1f} s).")
