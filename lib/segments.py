"""How many segments a text takes, and in which alphabet: what a message costs hangs on it.

GSM 03.38: 160 characters alone, 153 a segment where there are more, and some characters
take two. One character outside that alphabet (an emoji, a typographic quote) and the whole
text is sent as UCS-2: 70 alone, 67 a segment, an emoji taking two.
"""

from dataclasses import dataclass

GSM_ONE = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWO = frozenset("\f^{}\\[~]|€")
LONGEST_TEXT = 1600  # the provider takes no more


@dataclass(frozen=True, slots=True)
class Segments:
    """``left`` is how many units still fit into the last segment; ``because`` are the first
    characters that made it UCS-2.
    """

    count: int
    units: int
    left: int
    alphabet: str
    because: tuple[str, ...] = ()

    @property
    def is_gsm(self) -> bool:
        return self.alphabet == "GSM-7"


def count(text: str) -> Segments:
    """An empty text takes no segment."""
    outside = tuple(dict.fromkeys(sign for sign in text if sign not in GSM_ONE | GSM_TWO))
    if outside:
        widths = [len(sign.encode("utf-16-le")) // 2 for sign in text]
        alphabet, alone, each = "UCS-2", 70, 67
    else:
        widths = [2 if sign in GSM_TWO else 1 for sign in text]
        alphabet, alone, each = "GSM-7", 160, 153
    units = sum(widths)
    if units <= alone:
        return Segments(int(units > 0), units, alone - units, alphabet, outside[:3])
    segments, room = 1, each
    for width in widths:  # what takes two units is never cut in two
        if width > room:
            segments, room = segments + 1, each
        room -= width
    return Segments(segments, units, room, alphabet, outside[:3])
