"""Findings kept under a reference, so that support sees what the person saw."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import models
from django.urls import reverse

from lib.errors import Fix
from numbers.models import UNMISTAKABLE, Number
from workspaces.models import User, WorkspaceOwned


class Verdict(StrEnum):
    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause: what was looked into, what was found, and what helps.

    ``todo`` says what to do in words. ``fix`` does it: a link, or with ``by_post`` a button
    that changes something. ``group`` is the question that the cause belongs to.
    """

    cause: str
    title: str
    verdict: Verdict
    evidence: str
    fix: Fix | None = None
    todo: str = ""
    by_post: bool = False
    group: str = ""

    @property
    def is_problem(self) -> bool:
        return self.verdict == Verdict.PROBLEM


def in_short(findings: Sequence[Finding]) -> tuple[Verdict, str]:
    """All of them in a sentence."""
    verdicts = [finding.verdict for finding in findings]
    problems = verdicts.count(Verdict.PROBLEM)
    if problems > 1:
        return Verdict.PROBLEM, f"{problems} things keep you from buying."
    if problems:
        return Verdict.PROBLEM, "One thing keeps you from buying."
    if Verdict.UNKNOWN in verdicts:
        return Verdict.UNKNOWN, "Not everything could be checked. Check again in a minute."
    return Verdict.OK, "Nothing here keeps you from buying."


def new_report_reference() -> str:
    return "WHY-" + "".join(secrets.choice(UNMISTAKABLE) for _ in range(8))


class DiagnosisReport(WorkspaceOwned):
    """What was found, when, for whom."""

    reference = models.CharField(
        max_length=12, unique=True, default=new_report_reference, editable=False
    )
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()
    search = models.CharField(max_length=500, blank=True, help_text="What was searched for.")
    # Empty where it is about buying, or about a number that is not here.
    number = models.ForeignKey(Number, null=True, on_delete=models.PROTECT, db_index=False)
    found = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="diagnosis_newest_first")]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("numbers:diagnosis", args=[self.workspace.slug, self.reference])

    @property
    def findings(self) -> list[Finding]:
        return [_finding(row) for row in self.found]

    @property
    def lines(self) -> list[tuple[str, Finding]]:
        """Each with the reference of its line, ``WHY-7K3MQ9XA-3``."""
        return [
            (f"{self.reference}-{place}", finding)
            for place, finding in enumerate(self.findings, start=1)
        ]


def rows_of(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [_row(finding) for finding in findings]


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause, "title": finding.title, "verdict": finding.verdict,
        "evidence": finding.evidence,
        "fix": [finding.fix.label, finding.fix.url] if finding.fix else None,
        "todo": finding.todo, "by_post": finding.by_post, "group": finding.group,
    }  # fmt: skip


def _finding(row: dict[str, Any]) -> Finding:
    return Finding(
        row["cause"], row["title"], Verdict(row["verdict"]), row["evidence"],
        Fix(*row["fix"]) if row["fix"] else None, row.get("todo", ""),
        row.get("by_post", False), row.get("group", ""),
    )  # fmt: skip
