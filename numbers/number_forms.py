"""What people type about one number. Shape only; rules live in the operations."""

import re
from typing import Any

from django import forms

from numbers.list_models import TAG_NAME

MOST_TAGS = 20


def clean_tag_names(text: str) -> list[str]:
    """``vip, Sales`` → the names, each once whatever its case. Raises ``ValidationError``."""
    names: dict[str, str] = {}
    for part in text.split(","):
        if name := " ".join(part.split()):
            names.setdefault(name.lower(), name)
    for name in names.values():
        TAG_NAME(name)
        if len(name) > 40:
            raise forms.ValidationError("A tag has at most 40 characters.")
    if len(names) > MOST_TAGS:
        raise forms.ValidationError(f"A number has at most {MOST_TAGS} tags.")
    return list(names.values())


class NumberForm(forms.Form):
    friendly_name = forms.CharField(
        required=False, max_length=64,
        error_messages={"max_length": "The carrier takes at most 64 characters."},
    )  # fmt: skip
    tags = forms.CharField(required=False, max_length=900)
    notes = forms.CharField(required=False, max_length=2000, widget=forms.Textarea)

    def clean_tags(self) -> list[str]:
        return clean_tag_names(self.cleaned_data["tags"])


class ConfirmForm(forms.Form):
    """Before something is done to ``count`` numbers at once: nothing more is asked."""

    def __init__(self, *args: Any, count: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = count


class TagForm(ConfirmForm):
    tags = forms.CharField(max_length=900, error_messages={"required": "Write at least one tag."})

    def clean_tags(self) -> list[str]:
        names = clean_tag_names(self.cleaned_data["tags"])
        if not names:
            raise forms.ValidationError("Write at least one tag.")
        return names


class CountForm(ConfirmForm):
    """Whoever releases several numbers types how many they are."""

    typed = forms.CharField(required=False, max_length=20)

    def clean_typed(self) -> str:
        typed = self.cleaned_data["typed"]
        if typed != str(self.count):
            raise forms.ValidationError(f"Type {self.count} to release them.")
        return typed


class ReleaseForm(forms.Form):
    NOW, LATER = "now", "later"

    when = forms.ChoiceField(
        choices=[(NOW, "Now"), (LATER, "At the end of the paid month")],
        error_messages={"required": "Choose when."},
    )  # fmt: skip
    digits = forms.CharField(
        max_length=20, error_messages={"required": "Type the last four digits of the number."}
    )

    def clean_digits(self) -> str:
        return re.sub(r"[\s.()-]", "", self.cleaned_data["digits"])
