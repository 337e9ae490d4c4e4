"""Segments: the two alphabets, their lengths, and what may not be cut."""

import pytest

from lib import segments


@pytest.mark.parametrize(
    ("text", "count", "alphabet", "left"),
    [
        ("", 0, "GSM-7", 160),
        ("a" * 160, 1, "GSM-7", 0),
        ("a" * 161, 2, "GSM-7", 145),
        ("a" * 306, 2, "GSM-7", 0),
        ("a" * 307, 3, "GSM-7", 152),
        ("€" * 80, 1, "GSM-7", 0),
        ("€" * 81, 2, "GSM-7", 143),
        ("ж" * 70, 1, "UCS-2", 0),
        ("ж" * 71, 2, "UCS-2", 63),
        ("ж" * 134, 2, "UCS-2", 0),
        ("😀" * 35, 1, "UCS-2", 0),
        ("😀" * 36, 2, "UCS-2", 61),
    ],
)
def test_a_text_takes_as_many_segments_as_the_alphabet_says(text, count, alphabet, left):
    counted = segments.count(text)
    assert (counted.count, counted.alphabet, counted.left) == (count, alphabet, left)


def test_one_emoji_changes_the_alphabet_of_the_whole_text():
    assert segments.count("a" * 160).count == 1
    with_emoji = segments.count("a" * 159 + "😀")
    assert (with_emoji.count, with_emoji.alphabet, with_emoji.because) == (3, "UCS-2", ("😀",))


def test_a_character_of_two_units_is_not_cut_at_the_end_of_a_segment():
    # 152 + an escape pair would end in the middle of the pair.
    assert segments.count("a" * 152 + "€" + "a" * 152).count == 3
    assert segments.count("a" * 151 + "€" + "a" * 153).count == 2


def test_a_typographic_quote_is_named_as_the_cause():
    assert segments.count("It’s here").because == ("’",)
