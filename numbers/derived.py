"""What follows from the facts of a number, as the database works it out with each change."""

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Concat, Lower

INACTIVE = (
    Q(deactivated_at__isnull=False)
    | Q(suspended_at__isnull=False)
    | Q(parked_at__isnull=False)
    | Q(vanished_at__isnull=False)
)

STATUS = Case(
    When(released_at__isnull=False, then=Value("released")),
    When(INACTIVE, then=Value("inactive")),
    default=Value("active"),
)


class Health(models.IntegerChoices):
    """What is wrong with it without anybody having wanted it so, the gravest last."""

    GOOD = 0
    CONNECTING = 1
    OUTBOUND_STOPPED = 2
    UNPAID = 3
    GONE = 4


HEALTH = Case(
    When(vanished_at__isnull=False, then=Value(4)),
    When(suspended_at__isnull=False, then=Value(3)),
    When(outbound_stopped_at__isnull=False, then=Value(2)),
    When(webhooks_set_at__isnull=True, then=Value(1)),
    default=Value(0),
)

# What a search for words looks through.
WORDS = Lower(Concat("friendly_name", Value(" "), "notes", output_field=models.TextField()))
