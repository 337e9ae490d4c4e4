"""What a workspace wants to be warned of, and what it keeps back."""

from django.db import models
from django.db.models import Q

from wallet.models import money_field
from workspaces.models import Workspace, WorkspaceOwned

MOST_DAYS_KEPT = 90


class Precautions(WorkspaceOwned):
    """No row is the same as a row as it is made: no alert, nothing kept.

    ``low_since`` is set while the alert is told and the money has not risen again;
    ``crossings`` counts how often that happened.
    """

    workspace = models.OneToOneField(
        Workspace, primary_key=True, on_delete=models.PROTECT, related_name="precautions"
    )
    alert_below = money_field(null=True, help_text="Empty: no alert.")
    low_since = models.DateTimeField(null=True)
    crossings = models.PositiveIntegerField(default=0)
    keep_days = models.PositiveSmallIntegerField(
        default=0, help_text="So many days of rent ahead stay out of reach of outbound use."
    )

    class Meta:
        verbose_name_plural = "precautions"
        constraints = [
            models.CheckConstraint(
                condition=Q(alert_below__isnull=True) | Q(alert_below__gte=0),
                name="precautions_alert_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(keep_days__lte=MOST_DAYS_KEPT), name="precautions_days_in_range"
            ),
            models.CheckConstraint(
                condition=Q(low_since__isnull=True) | Q(alert_below__isnull=False),
                name="precautions_low_has_alert",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace"],
                condition=Q(alert_below__isnull=False),
                name="precautions_with_alert",
            ),
        ]

    def __str__(self) -> str:
        return f"Precautions of {self.workspace}"
