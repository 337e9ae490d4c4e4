"""What follows from the facts of a number, as the database works it out with each change."""

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Concat, Greatest, Lower

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
    """What is wrong with it without anybody having wanted it so, the gravest last.

    From ``UNPAID`` on it is broken: something that it is there for does not happen. What
    stands before is a warning. ``DIFFERS``, ``ELSEWHERE``, ``NOT_IN_USE`` and ``GONE`` come
    from open differences too, which a trigger sums up in ``carrier_trouble``.
    """

    GOOD = 0, "OK"
    CONNECTING = 1, "Connecting"
    DIFFERS = 2, "Not the same at the carrier"
    HELD = 3, "The carrier does not take it back yet"
    OUTBOUND_STOPPED = 4, "Nothing is sent: its fee is overdue"
    UNPAID = 10, "Its fee is overdue"
    ELSEWHERE = 11, "Calls or messages go somewhere else"
    NOT_IN_USE = 12, "Not in use at the carrier"
    GONE = 13, "Not at the carrier"

    @property
    def level(self) -> str:
        """``ok``, ``warning`` or ``broken``."""
        if self == Health.GOOD:
            return "ok"
        return "warning" if self < Health.UNPAID else "broken"


def _when(condition: Q, health: int) -> Case:
    return Case(When(condition, then=Value(health)), default=Value(0))


HEALTH = Case(
    When(released_at__isnull=False, then=Value(0)),
    default=Greatest(
        _when(Q(webhooks_set_at__isnull=True), 1),
        _when(Q(giving_back_at__isnull=False) & ~Q(give_back_refusal=""), 3),
        _when(Q(outbound_stopped_at__isnull=False), 4),
        _when(Q(suspended_at__isnull=False), 10),
        _when(Q(vanished_at__isnull=False), 13),
        "carrier_trouble",
        output_field=models.SmallIntegerField(),
    ),
    output_field=models.SmallIntegerField(),
)

# What a search for words looks through.
WORDS = Lower(Concat("friendly_name", Value(" "), "notes", output_field=models.TextField()))
