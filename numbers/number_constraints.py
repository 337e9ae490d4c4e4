"""What the database refuses about a number, whoever writes."""

from django.db import models
from django.db.models import Q

NUMBER_CONSTRAINTS: list[models.BaseConstraint] = [
    models.UniqueConstraint(
        fields=["e164"], condition=Q(released_at__isnull=True), name="number_owned_once"
    ),
    models.CheckConstraint(condition=Q(e164__regex=r"^\+[1-9][0-9]{6,14}$"), name="number_is_e164"),
    models.CheckConstraint(condition=Q(monthly_price__gte=0), name="number_price_positive"),
    models.CheckConstraint(
        condition=Q(locked_at__isnull=True) | Q(parked_at__isnull=True, release_at__isnull=True),
        name="number_locked_is_not_released",
    ),
    # What a tagging refers to: workspace and time of purchase stay the number's own.
    models.UniqueConstraint(fields=["workspace", "id", "created_at"], name="number_of_workspace"),
    # One that still works is never given back: somebody parked it, or it was not paid.
    models.CheckConstraint(
        condition=Q(giving_back_at__isnull=True)
        | Q(parked_at__isnull=False)
        | Q(suspended_at__isnull=False)
        | Q(vanished_at__isnull=False),
        name="number_given_back_when_inactive",
    ),
]
