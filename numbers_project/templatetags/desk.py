"""The few tags that every template may use."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib import e164 as formats
from lib import money as amounts
from lib import user_agent
from telephony.values import FAX_NOTE, AddressRequirement, AvailableNumber, Capability
from workspaces.models import Workspace

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; with a label it is an image with that name, else decoration."""
    sprite = staticfiles_storage.url("icons.svg")
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><title>{}</title>'
            '<use href="{}#{}"/></svg>', label, label, sprite, name,
        )  # fmt: skip
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name
    )


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """``{{ wallet.balance|money:wallet.currency }}`` → ``$50.00``"""
    return amounts.show(amount, currency)


@register.filter
def day(moment: datetime, workspace: Workspace) -> str:
    """The date in the workspace's time zone: ``24 Dec 2026``."""
    return date_format(moment.astimezone(ZoneInfo(workspace.time_zone)), "j M Y")


@register.filter
def clock(moment: datetime, workspace: Workspace) -> str:
    """Date and time in the workspace's time zone: ``24 Dec 2026, 14:05 EST``."""
    return date_format(moment.astimezone(ZoneInfo(workspace.time_zone)), "j M Y, H:i T")


@register.filter
def second(moment: datetime, workspace: Workspace) -> str:
    """To the second, for a log: ``24 Dec 2026, 14:05:09``."""
    return date_format(moment.astimezone(ZoneInfo(workspace.time_zone)), "j M Y, H:i:s")


@register.filter
def duration(seconds: int) -> str:
    """``75`` → ``1 min 15 s``"""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter
def country_name(code: str) -> str:
    return formats.country_name(code)


@register.filter
def the_country(code: str) -> str:
    """The name as it stands in a sentence: ``the United States``."""
    return formats.country_in_text(code)


@register.filter
def international(e164: str) -> str:
    return formats.international(e164)


@register.filter
def browser_name(text: str) -> str:
    return user_agent.in_words(text)


@register.filter
def place(number: AvailableNumber) -> str:
    """``New York, NY``; a city that is its own region only once, a number of nowhere by country."""
    parts = dict.fromkeys(filter(None, [number.locality, number.region]))
    return ", ".join(parts) or formats.country_name(number.country)


@register.filter
def address_needed(number: AvailableNumber) -> str:
    """What the country asks of whoever buys this number, as it stands after "needs"."""
    match number.address_requirement:
        case AddressRequirement.LOCAL:
            return "an address in the same area"
        case AddressRequirement.FOREIGN:
            return f"an address outside {formats.country_in_text(number.country)}"
        case _:
            return "a registered address"


@register.inclusion_tag("numbers/_capabilities.html")
def capabilities(has: list[str] | frozenset[str], words: bool = False) -> dict:
    """The four icons: what the number can do, in words for screen readers and on hover;
    with ``words`` the name of each stands beside its icon.
    """
    rows = []
    for kind in Capability:
        able = kind in has
        told = (
            FAX_NOTE
            if able and kind == Capability.FAX
            else f"{kind.label}: {'yes' if able else 'no'}"
        )
        rows.append({"name": kind.value, "able": able, "label": kind.label, "told": told})
    return {"rows": rows, "in_words": words}
