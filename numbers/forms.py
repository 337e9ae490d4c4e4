"""What a person types to find a number. Shape only; rules live in the operations."""

import re
from typing import Any
from urllib.parse import urlencode

from django import forms

from lib import area_codes
from lib import e164 as formats
from numbers.catalogue import SoldCountry
from numbers.search import Wanted
from telephony.values import Capability, NumberType

ANY_TYPE = ""
PICK = re.compile(rf"({'|'.join(NumberType)}):(\+[1-9][0-9]{{6,14}})")
PLACES = [("anywhere", "anywhere"), ("start", "at the start"), ("end", "at the end")]


class SearchForm(forms.Form):
    """The search of the wizard, read from the address so that it can be shared."""

    country = forms.ChoiceField(
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose a country.")
    )
    area_code = forms.CharField(
        required=False, max_length=12,
        error_messages={"max_length": "An area code has at most six digits."},
    )  # fmt: skip
    type = forms.ChoiceField(
        required=False,
        choices=[(ANY_TYPE, "Any type"), *[(kind.value, kind.label) for kind in NumberType]],
        error_messages={"invalid_choice": "Choose one of these types."},
    )
    capabilities = forms.MultipleChoiceField(
        required=False,
        choices=[(kind.value, kind.label) for kind in Capability],
        error_messages={"invalid_choice": "Choose among these four."},
    )
    pattern = forms.CharField(
        required=False, max_length=20,
        error_messages={"max_length": "Give at most ten digits or letters."},
    )  # fmt: skip
    where = forms.ChoiceField(
        required=False, choices=PLACES,
        error_messages={"invalid_choice": "Choose one of these places."},
    )  # fmt: skip

    def __init__(self, *args: Any, countries: list[SoldCountry], **kwargs: Any) -> None:
        kwargs["use_required_attribute"] = False
        super().__init__(*args, **kwargs)
        self.countries = {country.code: country for country in countries}
        # Where the area code is wrong: the words and the query string of what was meant.
        self.instead: tuple[str, str] | None = None
        self.fields["country"].choices = [(c.code, str(c)) for c in countries]  # type: ignore[attr-defined]

    def clean_area_code(self) -> str:
        return re.sub(r"[\s()+.-]", "", self.cleaned_data["area_code"])

    def clean_pattern(self) -> str:
        pattern = re.sub(r"[\s().-]", "", self.cleaned_data["pattern"]).upper()
        if not pattern:
            return ""
        if not re.fullmatch(r"[0-9A-Z]+", pattern, re.ASCII):
            raise forms.ValidationError("Use digits and the letters A to Z only.")
        if len(pattern) < 2:
            raise forms.ValidationError("Give at least two digits or letters.")
        if len(pattern) > 10:
            raise forms.ValidationError("Give at most ten digits or letters.")
        return pattern

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        country, code = cleaned.get("country"), cleaned.get("area_code")
        if country and code and (problem := self._area_code_problem(country, code, cleaned)):
            self.add_error("area_code", problem)
            self.instead = self._meant(country, code)
        number_type = cleaned.get("type")
        if country and number_type and number_type not in self.countries[country].number_types:
            offered = " or ".join(kind.label for kind in self.countries[country].number_types)
            self.add_error(
                "type",
                f"{NumberType(number_type).label} numbers are not sold in "
                f"{formats.country_in_text(country)}. Choose {offered}.",
            )
        return cleaned

    @staticmethod
    def _area_code_problem(country: str, code: str, cleaned: dict[str, Any]) -> str:
        if not re.fullmatch(r"[0-9]+", code, re.ASCII):
            return "An area code is made of digits, for example 212."
        if len(code) > 6:
            return "An area code has at most six digits."
        if formats.dialling_code(country) != "1":
            return ""  # our list of area codes is complete for +1 only; the provider knows
        toll_free = code in area_codes.NANP_TOLL_FREE
        chosen = cleaned.get("type")
        if toll_free and chosen in (ANY_TYPE, NumberType.TOLL_FREE):
            return ""
        if chosen == NumberType.TOLL_FREE and not toll_free:
            prefixes = ", ".join(area_codes.NANP_TOLL_FREE)
            return f"Toll-free numbers have no place. Leave this empty or use one of {prefixes}."
        if area_codes.find(country, code):
            return ""
        return area_codes.explain_invalid(country, code)

    def _meant(self, country: str, code: str) -> tuple[str, str] | None:
        """The search in which this area code would be right, one click away."""
        if area_codes.find(country, code):
            local = {"country": country, "area_code": code, "type": NumberType.LOCAL}
            return "Search local numbers there", urlencode(local)
        if code in area_codes.NANP_TOLL_FREE and formats.dialling_code(country) == "1":
            toll_free = {"country": country, "area_code": code, "type": NumberType.TOLL_FREE}
            return f"Search toll-free numbers with {code}", urlencode(toll_free)
        other = area_codes.elsewhere(country, code)
        if other is None or other.country not in self.countries:
            return None
        there = urlencode({"country": other.country, "area_code": code})
        return f"Search {code} in {formats.country_in_text(other.country)}", there

    def wanted(self) -> Wanted:
        """What is asked for, from a valid form."""
        cleaned = self.cleaned_data
        return Wanted(
            country=self.countries[cleaned["country"]],
            area_code=cleaned["area_code"],
            number_type=NumberType(cleaned["type"]) if cleaned["type"] else None,
            capabilities=frozenset(map(Capability, cleaned["capabilities"])),
            pattern=cleaned["pattern"],
            where=cleaned["where"] or "anywhere",
        )


def query_string_of(wanted: Wanted) -> str:
    """The address of a search, without what is left at its default."""
    parts: list[tuple[str, str]] = [("country", wanted.country.code)]
    if wanted.area_code:
        parts.append(("area_code", wanted.area_code))
    if wanted.number_type:
        parts.append(("type", wanted.number_type))
    parts += [("capabilities", capability) for capability in sorted(wanted.capabilities)]
    if wanted.pattern:
        parts += [("pattern", wanted.pattern), ("where", wanted.where)]
    return urlencode(parts)


class ChosenForm(forms.Form):
    """Which numbers of the results are reviewed: one by its link, or several that were ticked.

    ``pick`` holds type and number of each, as ``local:+12125550123``.
    """

    number = forms.RegexField(r"^\+[1-9][0-9]{6,14}$", required=False)
    number_type = forms.ChoiceField(
        required=False, choices=[(kind.value, kind.label) for kind in NumberType]
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        picks = dict.fromkeys(self.data.getlist("pick"))  # type: ignore[attr-defined]  # a QueryDict
        chosen = [PICK.fullmatch(pick) for pick in picks]
        if not all(chosen):
            raise forms.ValidationError("That is not a number of the results.")
        cleaned["chosen"] = [(match[2], NumberType(match[1])) for match in chosen if match]
        if cleaned.get("number") and cleaned.get("number_type"):
            one = (cleaned["number"], NumberType(cleaned["number_type"]))
            cleaned["chosen"].insert(0, one)
        return cleaned

    def chosen(self) -> list[tuple[str, NumberType]]:
        """What was chosen, from a valid form; empty if nothing was."""
        return self.cleaned_data["chosen"]


class LimitsForm(forms.Form):
    """How much a workspace may buy in a day."""

    spend_per_day = forms.DecimalField(
        label="Spend on numbers a day", required=False, min_value=0, max_digits=12,
        decimal_places=2, error_messages={"min_value": "Give an amount, or 0 to allow none."},
    )  # fmt: skip
    numbers_per_day = forms.IntegerField(
        label="Numbers a day", required=False, min_value=0, max_value=10_000,
        error_messages={"min_value": "Give a number, or 0 to allow none."},
    )  # fmt: skip


class ReasonForm(forms.Form):
    """A few words of a person."""

    reason = forms.CharField(
        max_length=300, error_messages={"required": "Say why, so that it can be put right."}
    )


class NoteForm(forms.Form):
    note = forms.CharField(max_length=300, required=False)
