"""Finding rates the way people ask for them: by country, by prefix, by a whole number."""

from dataclasses import dataclass, field

from interactions import rates
from interactions.models import UsageRate
from lib import e164 as formats
from numbers.models import Number
from workspaces.models import Workspace

MOST_COUNTRIES = 8
MOST_ROWS = 400
INCOMING = {
    UsageRate.Kind.CALL_IN: "a minute",
    UsageRate.Kind.SMS_IN: "a text segment",
    UsageRate.Kind.MMS_IN: "a picture message",
}


@dataclass(slots=True)
class CountryRates:
    """The rates of one country, ready to be shown: (what, price) pairs."""

    code: str
    name: str
    incoming: list[tuple[str, str]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """``to_number`` is the answer to a search for one number: what a minute, a text and a
    picture message cost.
    """

    countries: list[CountryRates]
    to_number: dict[str, str] | None = None
    more: bool = False


def find_rates(workspace: Workspace, text: str) -> Found:
    """Rates that fit what was typed; the countries of the workspace's numbers if nothing was."""
    text = text.strip()
    e164 = formats.from_text(text, "US") if text.startswith("+") else ""
    if e164:
        return Found(_countries([formats.country_of(e164)]), _to_number(e164))
    if not text:
        own = Number.objects.for_workspace(workspace).owned().values_list("country", flat=True)
        return Found(_countries(sorted(set(own.distinct())) or ["US"]))
    codes = _codes(text)
    return Found(_countries(codes[:MOST_COUNTRIES]), more=len(codes) > MOST_COUNTRIES)


def _codes(text: str) -> list[str]:
    digits = formats.digits_from(text) if any(sign.isdigit() for sign in text) else ""
    if digits:
        rows = UsageRate.objects.filter(prefix__startswith=digits)
        codes = set(rows.values_list("country", flat=True).distinct())
    else:
        known = UsageRate.objects.values_list("country", flat=True).distinct()
        codes = {
            code
            for code in known
            if text.upper() == code or text.lower() in formats.country_name(code).lower()
        }
    return sorted(codes, key=formats.country_name)


def _to_number(e164: str) -> dict[str, str]:
    call, message = rates.call_rate_to(e164), rates.message_rate_to(e164)
    picture = rates.picture_rate_to(e164)
    return {
        "number": formats.international(e164),
        "minute": call.price_shown if call else "not possible",
        "segment": message.price_shown if message else "not possible",
        "picture": picture.price_shown if picture else "not possible",
    }


def _countries(codes: list[str]) -> list[CountryRates]:
    """One query for all of them; a country of which nothing is known is left out."""
    rows = UsageRate.objects.filter(country__in=codes).order_by("prefix", "number_type")
    found = {code: CountryRates(code, formats.country_name(code)) for code in codes}
    for rate in rows[:MOST_ROWS]:
        country = found[rate.country]
        match rate.kind:
            case UsageRate.Kind.CALL_IN | UsageRate.Kind.SMS_IN | UsageRate.Kind.MMS_IN:
                kind = rate.number_type.replace("_", "-").capitalize()
                what = f"{kind} number, {INCOMING[UsageRate.Kind(rate.kind)]}"
                country.incoming.append((what, rate.price_shown))
            case UsageRate.Kind.CALL_OUT:
                country.calls.append((f"+{rate.prefix}…", rate.price_shown))
            case UsageRate.Kind.SMS_OUT:
                country.messages.append(("A text, per segment", rate.price_shown))
            case UsageRate.Kind.MMS_OUT:
                country.messages.append(("A picture message", rate.price_shown))
    return [one for one in found.values() if one.incoming or one.calls or one.messages]
