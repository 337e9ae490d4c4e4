"""A number as a row of the list: everything in words, so that the template only places it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe

from lib import money
from numbers.models import Number
from numbers.usages import Usages
from telephony.values import FAX_NOTE, Capability, NumberType
from workspaces.models import Workspace

LEVELS = {"ok": ("OK", "good"), "warning": ("Warning", "warn"), "broken": ("Broken", "bad")}
REASONS = {
    Number.Because.VANISHED: "not at the carrier",
    Number.Because.PARKED: "released",
    Number.Because.SUSPENDED: "fee overdue",
    Number.Because.DEACTIVATED: "switched off",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One number. ``usages`` is empty where nobody answers and nothing uses it."""

    number: Number
    url: str
    zone: ZoneInfo
    today: date
    usages: Usages

    @property
    def type_label(self) -> str:
        return NumberType(self.number.number_type).label

    @property
    def place(self) -> str:
        number = self.number
        return f"{number.country} · {number.area_code}" if number.area_code else number.country

    @property
    def city(self) -> str:
        return self.number.locality

    @property
    def capabilities(self) -> SafeString:
        return capability_icons(tuple(self.number.capabilities))

    @property
    def status(self) -> str:
        return status_words(self.number)

    @property
    def status_look(self) -> str:
        number = self.number
        if number.status != Number.Status.ACTIVE:
            return "off"
        return self.health_look

    @property
    def created(self) -> str:
        return self._day(self.number.created_at)

    @property
    def payment(self) -> str:
        """Empty for a number for which nothing will be charged any more."""
        number = self.number
        return "" if number.parked_at or number.released_at else self._day(number.paid_until)

    @property
    def price(self) -> str:
        return price_words(self.number)

    @property
    def used(self) -> str:
        return ago(self.number.last_used_at, self.today, self.zone)

    @property
    def health(self) -> str:
        """``OK``, or what is wrong."""
        return Number.Health(self.number.health).label

    @property
    def health_level(self) -> str:
        return LEVELS[Number.Health(self.number.health).level][0]

    @property
    def health_look(self) -> str:
        return LEVELS[Number.Health(self.number.health).level][1]

    def _day(self, moment: datetime) -> str:
        """``24 Nov``; with its year where that is another one."""
        local = moment.astimezone(self.zone)
        return date_format(local, "j M" if local.year == self.today.year else "j M Y")


def rows_of(
    workspace: Workspace, numbers: Sequence[Number], usages: Mapping[int, Usages]
) -> list[Row]:
    zone = ZoneInfo(workspace.time_zone)
    today = timezone.now().astimezone(zone).date()
    # One look at the URL map instead of one a row.
    base = reverse("numbers:index", args=[workspace.slug])
    return [
        Row(number, f"{base}{number.public_id}/", zone, today, usages.get(number.pk, Usages()))
        for number in numbers
    ]


def status_words(number: Number) -> str:
    """``Active``; ``Inactive: switched off``; what is said of it in one line."""
    because = number.inactive_because
    if because:
        return f"Inactive: {REASONS[because]}"
    if number.released_at:
        return "Given back"
    if number.health == Number.Health.CONNECTING:
        return "Active, connecting"
    return "Active"


@lru_cache(maxsize=1024)
def _shown(amount: object, currency: str) -> str:
    return money.show(amount, currency)  # type: ignore[arg-type]


def price_words(number: Number) -> str:
    return _shown(number.monthly_price, number.currency)


def ago(moment: datetime | None, today: date, zone: ZoneInfo) -> str:
    """``today``, ``12 days ago``, or the date where that says more."""
    if moment is None:
        return "never"
    local = moment.astimezone(zone)
    days = (today - local.date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 60 else date_format(local, "j M Y")


@lru_cache(maxsize=64)
def capability_icons(has: tuple[str, ...]) -> SafeString:
    """The icons of what the number can do: there are sixteen of these, made once each."""
    able = [kind for kind in Capability if kind in has]
    told = [FAX_NOTE if kind == Capability.FAX else kind.label for kind in able]
    words = ", ".join(told) or "Nothing that the carrier reports"
    html = render_to_string("numbers/_row_capabilities.html", {"able": able, "words": words})
    return mark_safe(html.replace("\n", ""))  # noqa: S308  our template  # nosec B308 B703
