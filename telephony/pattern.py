"""Twilio's ``Contains``, from what a person asks for.

A pattern has 2 to 16 signs. A leading ``+`` anchors it at the start of the E.164, a trailing
``$`` at its end, and nothing may stand for "anything" between two digits (Twilio's OpenAPI
description of AvailablePhoneNumbers). So only one part of a search that names several can be
sent; the answers are held against all of them here.
"""

from dataclasses import dataclass

from lib import e164 as formats
from telephony.values import NumberQuery

LONGEST = 16
# Area codes are a filter of their own here, and ignored elsewhere, Puerto Rico included.
AREA_CODE_COUNTRIES = ("US", "CA")


@dataclass(frozen=True, slots=True)
class Pattern:
    """``contains`` is what is sent, if anything; ``is_whole`` when that says everything."""

    contains: str
    is_whole: bool


def area_code_filter(query: NumberQuery) -> int | None:
    is_filter = query.area_code and query.country in AREA_CODE_COUNTRIES
    return int(query.area_code) if is_filter else None


def pattern_for(query: NumberQuery) -> Pattern:
    """The part of the search that leaves the fewest numbers, as far as it can be sent."""
    start, country_code = _start(query), formats.dialling_code(query.country)
    parts = {
        f"+{country_code}{start}" if start else "": len(start),
        query.contains: len(query.contains),
        f"{query.ends_with}$" if query.ends_with else "": len(query.ends_with),
    }
    parts.pop("", None)
    can_be_sent = [text for text in parts if _letters_and_digits(text) >= 2]
    best = max(can_be_sent, key=lambda text: parts[text], default="")
    contains = best[-LONGEST:] if best.endswith("$") else best[:LONGEST]
    return Pattern(contains, is_whole=set(parts) <= {contains} and not _crosses(query, contains))


def fits(query: NumberQuery, e164: str) -> bool:
    """Whether the number is what was asked for, apart from type and capabilities."""
    number = formats.national_number(e164, query.country)
    return (
        number.startswith(formats.digits_from(query.area_code + query.starts_with))
        and formats.digits_from(query.contains) in number
        and number.endswith(formats.digits_from(query.ends_with))
    )


def _start(query: NumberQuery) -> str:
    """What the national number begins with, where that is not sent as an area code."""
    if area_code_filter(query) and not query.starts_with:
        return ""
    return query.area_code + query.starts_with


def _crosses(query: NumberQuery, contains: str) -> bool:
    """Whether it may be found in the country code too, or across its end."""
    digits, country_code = formats.digits_from(contains), formats.dialling_code(query.country)
    ends = [country_code[place:] for place in range(len(country_code))]
    return contains == query.contains != "" and any(
        digits.startswith(end) or end.startswith(digits) for end in ends
    )


def _letters_and_digits(text: str) -> int:
    return sum(sign.isalnum() for sign in text)
