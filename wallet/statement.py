"""The statement: filtered, newest first, page by page, and as a file."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.module_loading import import_string

from wallet.models import Entry, Kind, Wallet
from workspaces.models import Workspace

PAGE = 50
CSV_HEAD = ["No.", "Date (UTC)", "Kind", "What", "Reference", "Amount", "Balance", "Currency",
            "Reason"]  # fmt: skip
# A spreadsheet would take a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FilterForm(forms.Form):
    """What the address may ask of the statement."""

    kind = forms.ChoiceField(required=False, choices=[("", "Everything"), *Kind.choices])
    q = forms.CharField(
        required=False, max_length=80, label="Number, text or reference",
        widget=forms.TextInput(attrs={"type": "search"}),
    )  # fmt: skip
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"})
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "The end is before the beginning.")
        return cleaned

    def period(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """From the first moment of the first day to the first after the last one."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        begin = datetime.combine(since, time.min, zone).astimezone(UTC) if since else None
        after = until and until.year < 9999 and until + timedelta(days=1)
        end = datetime.combine(after, time.min, zone).astimezone(UTC) if after else None
        return begin, end

    def query(self, **change: object) -> str:
        """The filter as a query string, without the place in it."""
        kept = {
            name: self.cleaned_data[name]
            for name in ("kind", "q", "since", "until")
            if self.cleaned_data.get(name)
        }
        return urlencode(kept | change)

    @property
    def is_used(self) -> bool:
        return bool(self.is_valid() and self.query())


def entries_of(
    wallet: Wallet, *, kind: str = "", text: str = "", after_seq: int = 0, to_seq: int | None = None
) -> QuerySet[Entry]:
    """The entries numbered above ``after_seq``, up to ``to_seq``, newest first."""
    entries = Entry.objects.filter(wallet=wallet, seq__gt=after_seq).order_by("-seq")
    if to_seq is not None:
        entries = entries.filter(seq__lte=to_seq)
    if kind:
        entries = entries.filter(kind=kind)
    if text:
        digits = "".join(letter for letter in text if letter.isdigit())
        words = Q(text__icontains=text) | Q(reference__icontains=text)
        # A number is written with spaces and dashes in the text, and as anybody likes here.
        is_number = len(digits) > 3 and not any(letter.isalpha() for letter in text)
        if is_number:
            words |= Q(text__regex=r"\D*".join(digits)) | Q(seq__in=_found(wallet, digits))
        entries = entries.filter(words)
    return entries


def _found(wallet: Wallet, digits: str) -> list[int]:
    """The seqs of entries that are about numbers with these digits and do not name them."""
    return [
        seq for path in settings.STATEMENT_FINDERS for seq in import_string(path)(wallet.pk, digits)
    ]


def causes(workspace: Workspace, entries: Sequence[Entry]) -> dict[int, str]:
    """The addresses of what caused these entries, by their seq, where there is a page."""
    found: dict[int, str] = {}
    for path in settings.STATEMENT_CAUSES:
        found |= import_string(path)(workspace, entries)
    return found


def top_up_addresses(workspace: Workspace, entries: Sequence[Entry]) -> dict[int, str]:
    return {
        entry.seq: reverse("wallet:top_up", args=[workspace.slug, entry.reference])
        for entry in entries
        if entry.reference.startswith("TOP-")
    }


class _Echo:
    def write(self, line: str) -> str:
        return line


def as_csv(entries: QuerySet[Entry], currency: str) -> Iterator[str]:
    """Line by line from a cursor on the server: a million lines take no more memory than one."""
    writer = csv.writer(_Echo())
    yield writer.writerow(CSV_HEAD)
    columns = ("seq", "created_at", "kind", "text", "reference", "amount", "balance_after",
               "reason")  # fmt: skip
    labels = dict(Kind.choices)
    with transaction.atomic():  # a cursor lives in a transaction
        for seq, at, kind, text, reference, amount, balance, reason in entries.values_list(
            *columns
        ).iterator(chunk_size=2000):
            yield writer.writerow([
                seq, f"{at:%Y-%m-%d %H:%M:%S}", labels[kind], _plain(text), _plain(reference),
                amount, balance, currency, _plain(reason),
            ])  # fmt: skip


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
