"""Phone numbers as text: E.164 for the machine, other forms for people."""

import re
from functools import lru_cache

import phonenumbers
from babel import Locale

KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_e164(text: str) -> bool:
    return bool(E164.fullmatch(text))


def international(e164: str) -> str:
    """``+12125550123`` → ``+1 212-555-0123``"""
    return _format(e164, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def national(e164: str) -> str:
    """``+12125550123`` → ``(212) 555-0123``"""
    return _format(e164, phonenumbers.PhoneNumberFormat.NATIONAL)


def national_number(e164: str, country: str) -> str:
    """What follows the country code."""
    return e164.removeprefix("+").removeprefix(dialling_code(country))


def dialling_code(country: str) -> str:
    """``US`` → ``1``, ``GB`` → ``44``; empty for a country without one."""
    code = phonenumbers.country_code_for_region(country)
    return str(code) if code else ""


def country_of(e164: str) -> str:
    """``+12125550123`` → ``US``; empty where it cannot be told. Toll-free +1 counts as US."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(number)
    region = region or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return "" if region in (None, "ZZ", "001") else str(region)


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    return dict(Locale("en").territories)


def country_name(country: str) -> str:
    """The English name; the code itself where there is none."""
    return _country_names().get(country, country)


# Countries that take an article in a sentence.
WITH_ARTICLE = frozenset(
    {"AE", "BS", "CD", "CF", "DO", "GB", "KM", "KY", "MH", "MV", "NL", "PH", "US", "VI"}
)


def country_in_text(country: str) -> str:
    """The name as it stands in a sentence: ``the United States``, ``Germany``."""
    article = "the " if country in WITH_ARTICLE else ""
    return article + country_name(country)


def from_text(text: str, country: str) -> str:
    """What a person typed, in E.164; without a country code it is a number of ``country``.

    Empty where it is no valid number. Emergency and other short numbers are none.
    """
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_short(text: str) -> bool:
    """Whether it is as short as an emergency or service number: ``911``, ``112``, ``0800``."""
    return bool(re.fullmatch(r"[\s+*#()-]*([0-9][\s*#()-]*){1,5}", text, re.ASCII))


def is_premium(e164: str) -> bool:
    """Whether calling it costs the caller extra, by its kind."""
    kind = phonenumbers.number_type(phonenumbers.parse(e164))
    return kind in (phonenumbers.PhoneNumberType.PREMIUM_RATE,
                    phonenumbers.PhoneNumberType.SHARED_COST)  # fmt: skip


def digits_from(text: str) -> str:
    """The digits of whatever a person typed; letters as on a telephone's keys."""
    return re.sub(r"[^0-9]", "", text.upper().translate(KEYPAD))


def _format(e164: str, form: int) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164), form)
    except phonenumbers.NumberParseException:
        return e164
