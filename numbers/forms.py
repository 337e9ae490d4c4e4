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
PLACES = [("anywhere", "anywhere"), ("start", "at the start"), ("end", "at the end")]


class SearchForm(forms.Form):
    """The search of the wizard, read from the address so that it can be shared."""

    country = forms.ChoiceField()
    area_code = forms.CharField(
        required=False, max_length=6,
        help_text="Leave empty to search the whole country.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    type = forms.ChoiceField(
        required=False,
        choices=[(ANY_TYPE, "Any type"), *[(kind.value, kind.label) for kind in NumberType]],
    )
    capabilities = forms.MultipleChoiceField(
        label="It must be able to", required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(kind.value, kind.label) for kind in Capability],
    )  # fmt: skip
    pattern = forms.CharField(
        label="Digits or letters", required=False, max_length=10,
        help_text="2 to 10, for example 777 or CAFE.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    where = forms.ChoiceField(label="Where in the number", required=False, choices=PLACES)

    def __init__(self, *args: Any, countries: list[SoldCountry], **kwargs: Any) -> None:
        kwargs["use_required_attribute"] = False
        super().__init__(*args, **kwargs)
        self.countries = {country.code: country for country in countries}
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
        return pattern

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        country, code = cleaned.get("country"), cleaned.get("area_code")
        if country and code and (problem := self._area_code_problem(country, code, cleaned)):
            self.add_error("area_code", problem)
        number_type = cleaned.get("type")
        if country and number_type and number_type not in self.countries[country].number_types:
            sold = self.countries[country]
            offered = " and ".join(kind.label for kind in sold.number_types)
            self.add_error(
                "type",
                f"{NumberType(number_type).label} numbers are not sold in {sold.name}. "
                f"There you can choose {offered}.",
            )
        return cleaned

    @staticmethod
    def _area_code_problem(country: str, code: str, cleaned: dict[str, Any]) -> str:
        if not re.fullmatch(r"[0-9]+", code, re.ASCII):
            return "An area code is made of digits, for example 212."
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
    """Which number of the results is reviewed."""

    number = forms.RegexField(r"^\+[1-9][0-9]{6,14}$")
    number_type = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in NumberType])
