"""Telling a person no."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fix:
    """What the person can do next: the words of a link and where it leads."""

    label: str
    url: str


class Refusal(Exception):
    """The answer is no, and this is the sentence that says so.

    ``sentence`` says what happened in words a person can act on. ``money`` says whether
    money moved. ``fix`` is the link that does something about it, where there is one.
    ``code`` names the cause for logs, tests and the order's row.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "That was not possible"
    status: ClassVar[int] = 422
    money: ClassVar[str] = "Nothing was charged."

    def __init__(self, sentence: str, *, fix: Fix | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fix = fix
