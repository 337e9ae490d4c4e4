"""Who must not be contacted by a workspace, and why."""

from django.db import models

from workspaces.models import WorkspaceOwned


class OptOut(WorkspaceOwned):
    """A contact that asked a workspace to stop. Kept when it asks to start again."""

    contact = models.CharField(max_length=64)
    opted_out_at = models.DateTimeField()
    opted_in_at = models.DateTimeField(
        null=True, blank=True, help_text="When the contact asked to start again."
    )
    # The words that asked for it, and the number that they were sent to.
    said = models.CharField(max_length=160)
    said_to = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "contact"],
                condition=models.Q(opted_in_at__isnull=True),
                name="opt_out_once_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} since {self.opted_out_at:%Y-%m-%d}"
