"""What the Numbers page reads from its address and from its forms. Shape only."""

from typing import Any

from django import forms

from numbers.columns import COLUMNS
from numbers.listing import ORDERS, PROBLEMS, STATUSES, UNUSED, Look
from numbers.models import PUBLIC_ID
from numbers.surroundings import Surroundings
from telephony.values import Capability, NumberType

ANY = ("", "Any")
LONGEST_TEXT = 80
MOST_AT_ONCE = 200


class ListForm(forms.Form):
    """The search, the filters and the order. The address holds all of it, so it can be shared.

    A filter that is not understood is an error and never ignored: whoever then picks "all of
    these" must not get more than was asked for.
    """

    q = forms.CharField(
        required=False, max_length=LONGEST_TEXT,
        error_messages={"max_length": f"Search for at most {LONGEST_TEXT} characters."},
    )  # fmt: skip
    status = forms.ChoiceField(
        required=False, choices=[ANY, *((key, label) for key, (label, _) in STATUSES.items())]
    )
    type = forms.ChoiceField(
        required=False, choices=[ANY, *((kind.value, kind.label) for kind in NumberType)]
    )
    country = forms.ChoiceField(required=False)
    can = forms.MultipleChoiceField(
        label="Can do", required=False,
        choices=[(kind.value, kind.label) for kind in Capability],
    )  # fmt: skip
    tag = forms.CharField(required=False, max_length=40)
    unused = forms.ChoiceField(required=False, choices=[ANY, *UNUSED.items()])
    problem = forms.ChoiceField(
        required=False, choices=[ANY, *((key, label) for key, (label, _) in PROBLEMS.items())]
    )
    sort = forms.ChoiceField(required=False, label="Sort by")

    def __init__(self, *args: Any, around: Surroundings, **kwargs: Any) -> None:
        kwargs["use_required_attribute"] = False
        super().__init__(*args, **kwargs)
        self.around = around
        self.fields["country"].choices = [ANY, *around.countries]  # type: ignore[attr-defined]
        self.fields["sort"].choices = sort_choices()  # type: ignore[attr-defined]
        for name in ("status", "type", "country", "unused", "problem", "sort"):
            self.fields[name].error_messages["invalid_choice"] = "There is no such choice here."
        self.fields["can"].error_messages["invalid_choice"] = "There is no such capability."

    def clean_tag(self) -> str:
        name = self.cleaned_data["tag"]
        if name and self.around.tag(name) is None:
            raise forms.ValidationError(f"There is no tag “{name}” in this workspace.")
        return name

    def look(self) -> Look:
        """What is asked for, from a valid form. The place in the list is read elsewhere: one
        that cannot be read means the beginning.
        """
        cleaned = self.cleaned_data
        order = cleaned["sort"] or "-created"
        return Look(
            text=cleaned["q"],
            status=cleaned["status"],
            number_type=cleaned["type"],
            country=cleaned["country"],
            capabilities=tuple(cleaned["can"]),
            tag=self.around.tag(cleaned["tag"]) if cleaned["tag"] else None,
            unused=cleaned["unused"],
            problem=cleaned["problem"],
            sort=order.removeprefix("-"),
            descending=order.startswith("-"),
            after=self.data.get("after", ""),
        )


def sort_choices() -> list[tuple[str, str]]:
    """Both directions of each order, the usual one first."""
    choices = []
    for key, order in ORDERS.items():
        usual, other = (f"-{key}", key) if order.starts_descending else (key, f"-{key}")
        choices += [(usual, order.label), (other, f"{order.label}, reversed")]
    return choices


class ColumnsForm(forms.Form):
    columns = forms.MultipleChoiceField(
        required=False, choices=[(column.key, column.label) for column in COLUMNS]
    )


class ChosenNumbersForm(forms.Form):
    """Several numbers, by their public ids. Which of them exist here is looked up later."""

    n = forms.Field(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["n"].widget = forms.MultipleHiddenInput()

    def clean_n(self) -> list[str]:
        ids = [text for text in self.cleaned_data["n"] or [] if PUBLIC_ID.fullmatch(text)]
        ids = list(dict.fromkeys(ids))
        if not ids:
            raise forms.ValidationError("Choose at least one number.")
        if len(ids) > MOST_AT_ONCE:
            raise forms.ValidationError(f"Choose at most {MOST_AT_ONCE} numbers at once.")
        return ids
