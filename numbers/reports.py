"""Findings kept under a reference, so that support sees what the person saw."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import models
from django.urls import reverse

from lib.errors import Fix
from numbers.models import UNMISTAKABLE
from workspaces.models import User, WorkspaceOwned


class Verdict(StrEnum):
    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause: what was looked into, what was found, and what helps."""

    cause: str
    title: str
    verdict: Verdict
    evidence: str
    fix: Fix | None = None


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
    search = models.CharField(max_length=500, help_text="What was searched for.")
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


def rows_of(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [_row(finding) for finding in findings]


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause, "title": finding.title, "verdict": finding.verdict,
        "evidence": finding.evidence,
        "fix": [finding.fix.label, finding.fix.url] if finding.fix else None,
    }  # fmt: skip


def _finding(row: dict[str, Any]) -> Finding:
    return Finding(
        row["cause"], row["title"], Verdict(row["verdict"]), row["evidence"],
        Fix(*row["fix"]) if row["fix"] else None,
    )  # fmt: skip
