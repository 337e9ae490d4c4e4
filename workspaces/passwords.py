"""Passwords that are long enough and still among the first that are guessed.

Of Django's 20,000 common passwords only 187 have 12 characters. What people make of the
others to reach that length is what a list of long ones would hold: digits and signs around
it, letters replaced by what looks like them, twice the same. So these are refused by rule,
offline (ASVS 5, 6.2.4), and the words of this place too (6.1.2, 6.2.11).
"""

import re

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from workspaces.models import User

# What somebody guesses who knows what this site is. docs/security.md names them.
WORDS_OF_THE_PLACE = {
    "numberdesk", "phonenumber", "phonenumbers", "telephone", "voicemail", "twilio", "stripe",
    "workspace", "workspaces", "wallet", "support",
}  # fmt: skip
LOOKS_LIKE = str.maketrans("@4831!05$7", "aabeiiosst")
IN_A_ROW = ["0123456789" * 3, "abcdefghijklmnopqrstuvwxyz" * 2, "qwertyuiopasdfghjklzxcvbnm"]
SHORTEST_WORD = 4  # below it, what is around the word counts for more


class GuessedFirst:
    """One of Django's password validators (AUTH_PASSWORD_VALIDATORS)."""

    def __init__(self) -> None:
        self.common: set[str] = CommonPasswordValidator().passwords

    def validate(self, password: str, user: User | None = None) -> None:
        text = password.lower()
        if _is_a_pattern(text) or self._is_a_word_in_disguise(text, _words_of(user)):
            raise ValidationError(
                "This password is among the first that are guessed. Take several words that have "
                "nothing to do with each other.",
                code="guessed_first",
            )

    def get_help_text(self) -> str:
        return "Not a common word with digits or signs around it."

    def _is_a_word_in_disguise(self, text: str, words: set[str]) -> bool:
        once = re.sub(r"^(.+?)\1+$", r"\1", text)
        ended = re.sub(r"[\W\d_]+$", "", once)
        for word in (ended, re.sub(r"^[\W\d_]+", "", ended), ended.translate(LOOKS_LIKE)):
            if len(word) >= SHORTEST_WORD and (word in self.common or _letters(word) in words):
                return True
        return False


def _is_a_pattern(text: str) -> bool:
    """``abcabcabcabc``, ``111111111111``, ``345678901234``, ``poiuytrewqlk``"""
    if re.fullmatch(r"(.{1,6})\1+", text):
        return True
    return any(text in row or text[::-1] in row for row in IN_A_ROW)


def _words_of(user: User | None) -> set[str]:
    """Those of the place, and the names of the workspaces that the person is in."""
    if user is None or user.pk is None:
        return WORDS_OF_THE_PLACE
    names = user.memberships.values_list("workspace__name", flat=True)
    return WORDS_OF_THE_PLACE | {_letters(name.lower()) for name in names}


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text)
