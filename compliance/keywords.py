"""What a contact asks for with a word alone: STOP, START or HELP.

The words are those that the provider acts upon for long codes, in any case, when they are
the whole message. It posts them to us all the same and answers them itself, so none of
them may be answered again.
"""

from enum import StrEnum


class Keyword(StrEnum):
    STOP = "STOP"
    START = "START"
    HELP = "HELP"


WORDS = {
    Keyword.STOP: {
        "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT",
    },
    Keyword.START: {"START", "YES", "UNSTOP"},
    Keyword.HELP: {"HELP", "INFO"},
}  # fmt: skip
MEANING = {word: keyword for keyword, words in WORDS.items() for word in words}


def keyword_in(body: str, *, reported: str = "") -> Keyword | None:
    """The keyword that the message is. ``reported`` is the provider's own reading, which wins."""
    return MEANING.get(reported.upper()) or MEANING.get(body.strip().upper().rstrip(".!"))
