"""Choosing a number for a campaign, an assistant or an appointment line.

The field offers the numbers of one workspace and no other. Those that would not work are
shown, but cannot be chosen, each with the reason and a link that does something about it. It
works without JavaScript: finding is a button of the form it stands in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.safestring import mark_safe

from lib.errors import Fix
from numbers.finding import condition, understand
from numbers.list_models import Tag
from numbers.models import PUBLIC_ID, Number
from numbers.number_rows import capability_icons
from telephony.values import Capability
from wallet.addresses import add_funds_address
from workspaces.models import Workspace

SHOWN = 10
LONGEST_SEARCH = 80


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why a number cannot be chosen, in a few words, and what can be done about it."""

    reason: str
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    number: Number
    barrier: Barrier | None
    is_chosen: bool

    @property
    def capabilities(self) -> str:
        return capability_icons(tuple(self.number.capabilities))


@dataclass(frozen=True, slots=True)
class Choices:
    """Some numbers to choose from; ``more`` says that others match too."""

    choices: Sequence[Choice]
    more: bool
    text: str

    @property
    def usable(self) -> int:
        return sum(choice.barrier is None for choice in self.choices)


def barriers_of(
    workspace: Workspace, numbers: Sequence[Number], needs: Collection[Capability]
) -> Mapping[int, Barrier]:
    """Why these cannot be chosen, by primary key; a number that can is not among them.

    ``settings.NUMBER_BARRIERS`` lists functions ``(workspace, numbers, needs) -> dict`` that
    know more than the number itself tells, such as that a registration is missing.
    """
    found: dict[int, Barrier] = {}
    for path in settings.NUMBER_BARRIERS:
        found |= import_string(path)(workspace, numbers, needs)
    for number in numbers:
        if barrier := _own_barrier(workspace, number, needs):
            found[number.pk] = barrier
    return found


def _own_barrier(
    workspace: Workspace, number: Number, needs: Collection[Capability]
) -> Barrier | None:
    """What the number itself tells, the gravest first."""
    page = reverse("numbers:detail", args=[workspace.slug, number.public_id])
    match number.inactive_because:
        case Number.Because.VANISHED:
            return Barrier("Inactive: the carrier does not have it", Fix("See what to do", page))
        case Number.Because.PARKED:
            return Barrier("Released", Fix("Undo the release", f"{page}#release"))
        case Number.Because.SUSPENDED:
            return Barrier("Inactive: its monthly fee is overdue", _add_funds(workspace, page))
        case Number.Because.DEACTIVATED:
            return Barrier("Inactive: switched off", Fix("Switch it on", page))
    if number.carrier_trouble == Number.Health.NOT_IN_USE:
        return Barrier("Not in use at the carrier", Fix("See what differs", f"{page}checks/"))
    if number.outbound_stopped_at:
        return Barrier("Its monthly fee is overdue", _add_funds(workspace, page))
    missing = [kind for kind in Capability if kind in needs and not number.can(kind)]
    if missing:
        words = " and ".join(kind.label for kind in missing)
        buy = reverse("numbers:buy", args=[workspace.slug])
        wanted = urlencode([("country", number.country), *(("capabilities", k) for k in needs)])
        return Barrier(f"Cannot do {words}", Fix(f"Buy one that does {words}", f"{buy}?{wanted}"))
    return None


def _add_funds(workspace: Workspace, page: str) -> Fix:
    return Fix("Add funds", add_funds_address(workspace, Decimal(0), page))


def choices_for(
    workspace: Workspace, *, needs: Collection[Capability] = (), text: str = "", chosen: str = ""
) -> Choices:
    """Numbers that match the text, those that can be used first; the chosen one is always
    among them.
    """
    numbers = Number.objects.for_workspace(workspace).owned().with_tags()
    if text := text.strip():
        named = Tag.objects.for_workspace(workspace).filter(name__icontains=text)
        numbers = numbers.filter(condition(workspace, understand(text), named))
    found = list(numbers.order_by("status", "e164")[: SHOWN + 1])
    shown = found[:SHOWN]
    if PUBLIC_ID.fullmatch(chosen) and all(number.public_id != chosen for number in shown):
        mine = Number.objects.for_workspace(workspace).owned().with_tags()
        shown = [*mine.filter(public_id=chosen), *shown]
    barriers = barriers_of(workspace, shown, needs)
    choices = [
        Choice(number, barriers.get(number.pk), number.public_id == chosen) for number in shown
    ]
    return Choices(
        sorted(choices, key=lambda choice: (choice.barrier is not None, not choice.is_chosen)),
        more=len(found) > SHOWN,
        text=text,
    )


def _search_text(text: Any) -> str:
    return str(text or "")[:LONGEST_SEARCH].replace("\x00", "").strip()


class NumberPicker(forms.Widget):
    """Radio buttons with a search. Its button, or Enter after typing, sends the form it stands
    in: the field then says that something is still to be chosen, and the form comes back with
    what was found. With JavaScript only the numbers are fetched.

    Enter anywhere else sends the form as its own button would, so the search's button must not
    be the first of the form: an unseen one stands before it.
    """

    template_name = "numbers/_picker.html"
    workspace: Workspace
    needs: Collection[Capability] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = _search_text(data.get(f"{name}_find"))
        listed = _search_text(data.get(f"{name}_found", text))
        return Picked(
            chosen=str(data.get(name) or ""),
            text=text,
            is_finding=f"{name}_search" in data or text != listed,
        )

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}_search" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        picked = value if isinstance(value, Picked) else Picked(chosen=str(value or ""))
        context = super().get_context(name, None, attrs)
        context["widget"] |= {
            "picker": picked,
            "found": choices_for(
                self.workspace, needs=self.needs, text=picked.text, chosen=picked.chosen
            ),
            "choices_url": reverse("numbers:choices", args=[self.workspace.slug]),
            "buy_url": reverse("numbers:buy", args=[self.workspace.slug]),
            "needs": sorted(self.needs),
        }
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> Any:
        """With the project's own templates and tags, whatever renders the rest of the form."""
        html = render_to_string(template_name, context)
        return mark_safe(html)  # noqa: S308  a template, which escapes  # nosec B308 B703

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return ""  # a group of radio buttons is named by its legend

    def use_required_attribute(self, initial: Any) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Picked:
    """What came back from the picker."""

    chosen: str = ""
    text: str = ""
    is_finding: bool = False


class NumberChoiceField(forms.Field):
    """A number of the workspace that can do what it is wanted for.

    ``needs`` are capabilities. Cleans to a ``Number``, or None where it is not required. The
    workspace is given with ``for_workspace`` in the form's ``__init__``.
    """

    widget = NumberPicker
    default_error_messages = {
        "required": "Choose a number.",
        "finding": "Choose one of the numbers that were found.",
        "elsewhere": "This number is not in this workspace. Choose one that is listed here.",
        "barred": "{number} cannot be used: {reason}. Choose another one.",
    }

    def __init__(self, *, needs: Iterable[Capability] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.needs = frozenset(needs)
        self.widget.needs = self.needs

    def for_workspace(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.widget.workspace = workspace

    def prepare_value(self, value: Any) -> Any:
        return value.public_id if isinstance(value, Number) else value

    def clean(self, value: Any) -> Number | None:
        picked = value if isinstance(value, Picked) else Picked(chosen=str(value or ""))
        if picked.is_finding:
            raise forms.ValidationError(self.error_messages["finding"], code="finding")
        if not picked.chosen:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return None
        return self._usable(picked.chosen)

    def _usable(self, public_id: str) -> Number:
        mine = Number.objects.for_workspace(self.workspace).owned()
        known = PUBLIC_ID.fullmatch(public_id)
        number = mine.filter(public_id=public_id).first() if known else None
        if number is None:
            raise forms.ValidationError(self.error_messages["elsewhere"], code="elsewhere")
        barrier = barriers_of(self.workspace, [number], self.needs).get(number.pk)
        if barrier is not None:
            reason = barrier.reason[:1].lower() + barrier.reason[1:]
            raise forms.ValidationError(
                self.error_messages["barred"].format(number=number.international, reason=reason),
                code="barred",
            )
        return number

    def has_changed(self, initial: Any, data: Any) -> bool:
        chosen = data.chosen if isinstance(data, Picked) else data
        return (self.prepare_value(initial) or "") != (chosen or "")
