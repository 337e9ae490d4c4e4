"""What a person types into the search of the Numbers page, and the rows that it means.

A phone number in any written form, a part of one, its last digits, or words of a name, a note
or a tag. Every form leads to an index (``number_indexes.py``).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, Value
from django.db.models.functions import Reverse
from django.db.models.lookups import StartsWith

from lib import e164 as formats
from numbers.list_models import Tag, Tagging
from numbers.models import Number
from numbers.number_indexes import NAME
from workspaces.models import Workspace

# What people put between and around digits; no-break spaces and dashes of every length.
BETWEEN = r"\s()\[\]./·‐-―−-"
HIDDEN = re.compile(rf"^(?:…|\.\.+|\*+|•+|[xX]{{2,}})[{BETWEEN}]*")
PHONE = re.compile(rf"^[{BETWEEN}]*\+?[0-9{BETWEEN}]*[0-9][0-9{BETWEEN}]*$")
# As links write numbers.
SCHEME = re.compile(r"^(?:tel|sms|callto):", re.IGNORECASE)
# "+44 (0)20 …": the zero in brackets is dialled inside the country only.
NATIONAL_ZERO = re.compile(r"\(0\)")
FEWEST_FOR_TRIGRAMS = 3
MOST_WORDS = 5
# Letters and digits as on the keys, 1-800-FLOWERS: shorter ones are words.
FEWEST_ON_KEYS = 7


@dataclass(frozen=True, slots=True)
class Asked:
    """``starts`` are beginnings of an E.164, ``parts`` stand anywhere in it, ``ending`` at its
    end; ``words`` are those of a name, a note or a tag.
    """

    starts: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    ending: str = ""
    words: tuple[str, ...] = ()

    @property
    def is_digits(self) -> bool:
        return bool(self.starts or self.parts or self.ending) and not self.words


def understand(text: str) -> Asked:
    """Read what was typed. Nothing but spaces and signs asks for nothing."""
    text = SCHEME.sub("", _plain_digits(text.strip()))
    if hidden := HIDDEN.match(text):
        rest = text[hidden.end() :]
        if PHONE.match(rest):
            return Asked(ending=formats.digits_from(rest))
    if PHONE.match(text):
        return _phone(NATIONAL_ZERO.sub("", text))
    words = tuple(text.lower().split()[:MOST_WORDS])
    on_keys = formats.digits_from(text)
    has_both = any(sign.isdigit() for sign in text) and len(on_keys) >= FEWEST_ON_KEYS
    return Asked(parts=(on_keys,) if has_both else (), words=words)


def _plain_digits(text: str) -> str:
    """The digits of any script, also wide ones, as 0 to 9."""
    text = "".join(str(unicodedata.decimal(sign, sign)) for sign in text)
    return text.replace("\N{FULLWIDTH PLUS SIGN}", "+")


def _phone(text: str) -> Asked:
    digits = formats.digits_from(text)
    if text.lstrip().startswith("+"):
        return Asked(starts=(f"+{digits}",))
    starts, parts = [], [digits]
    for abroad in ("011", "00"):  # dialled before the country code, in America and elsewhere
        if digits.startswith(abroad) and len(digits) > len(abroad) + 3:
            starts.append(f"+{digits.removeprefix(abroad)}")
    if digits.startswith("0") and len(digits) > FEWEST_FOR_TRIGRAMS + 1:
        parts.append(digits.lstrip("0") or digits)  # dialled inside the country
    return Asked(starts=tuple(starts), parts=tuple(parts))


def phone_condition(asked: Asked) -> Q:
    """The numbers with these digits, wherever they are."""
    found = Q()
    for start in asked.starts:
        found |= Q(e164__startswith=start)
    for part in asked.parts:
        found |= Q(e164__contains=part)
    if asked.ending:
        found |= Q(StartsWith(Reverse(F("e164")), Value(asked.ending[::-1])))
    return found


def condition(workspace: Workspace, asked: Asked, tags: Iterable[Tag] = ()) -> Q:
    """The numbers of the workspace that are meant. ``tags`` are those that the words name."""
    found = phone_condition(asked)
    if not asked.words:
        return found
    found |= _words(asked.words)
    if ids := [tag.pk for tag in tags]:
        # Each side along its own index; joined by OR, neither index could be followed.
        named = Number.objects.for_workspace(workspace).owned().filter(found)
        tagged = Tagging.objects.for_workspace(workspace).filter(tag__in=ids)
        return Q(pk__in=named.values("pk").union(tagged.values("number")))
    return found


def _words(words: tuple[str, ...]) -> Q:
    if len(words) == 1 and len(words[0]) < FEWEST_FOR_TRIGRAMS:
        return Q(StartsWith(NAME, Value(words[0])))
    found = Q()
    for word in words:
        found &= Q(words__contains=word)
    return found
