"""What arrived and was turned away: support staff look here when "nothing arrives"."""

from typing import ClassVar

from django.db import models

from interactions.models.routes import Medium
from numbers.models import Number


class ArrivedForNobody(models.Model):
    """A call or message that no workspace took. ``number`` is empty for one we do not have."""

    class Because(models.TextChoices):
        UNKNOWN = "unknown", "No workspace has this number"
        DEACTIVATED = "deactivated", "The number is switched off"
        SUSPENDED = "suspended", "The number's monthly fee is overdue"
        PARKED = "parked", "The number is being released"
        VANISHED = "vanished", "The number was marked as gone"
        NO_MONEY = "no_money", "The workspace has used up its money and credit"

    ADVICE: ClassVar[dict[str, str]] = {
        "unknown": "If the account at the carrier has the number, the differences tell of it: "
        "there it can be given to a workspace or back to the carrier. If not, its former owner "
        "has left an address of this site at their number.",
        "deactivated": "A member of the workspace switches it on again on the number’s page.",
        "suspended": "Once the workspace adds funds, the number works again by itself.",
        "parked": "A member who may release numbers can undo it on the number’s page, until it "
        "is given back.",
        "vanished": "It is at the carrier after all, or nothing would arrive from it: compare "
        "the number with the carrier.",
        "no_money": "Add funds to the workspace’s wallet, or raise its credit limit. Those who "
        "can pay were told by mail.",
    }

    sid = models.CharField(max_length=34, unique=True)
    medium = models.CharField(max_length=7, choices=Medium)
    caller = models.CharField("from", max_length=64, blank=True)
    called = models.CharField("to", max_length=64, blank=True)
    because = models.CharField(max_length=12, choices=Because)
    number = models.ForeignKey(Number, null=True, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "arrived for nobody"
        indexes = [models.Index(fields=["-at", "-id"], name="stray_newest_first")]

    def __str__(self) -> str:
        return f"{self.called}: {self.get_because_display()}"


class RefusedWebhook(models.Model):
    """How often, in one hour, requests to one address were not the provider's."""

    class Because(models.TextChoices):
        UNSIGNED = "unsigned", "No signature"
        FORGED = "forged", "Wrong signature"
        MALFORMED = "malformed", "Not readable"
        TOO_LARGE = "too_large", "Too large"

    ADVICE: ClassVar[dict[str, str]] = {
        "forged": "If the provider sent it, TWILIO_AUTH_TOKEN or PUBLIC_BASE_URL is wrong here.",
    }

    hour = models.DateTimeField()
    path = models.CharField(max_length=120)
    because = models.CharField(max_length=10, choices=Because)
    count = models.PositiveIntegerField()
    last_at = models.DateTimeField()
    last_origin = models.CharField("last from address", max_length=60, blank=True)
    last_called = models.CharField("last called number", max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "path", "because"], name="refused_webhook_hour_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.hour:%Y-%m-%d %H:00}: {self.count} x {self.because}"
