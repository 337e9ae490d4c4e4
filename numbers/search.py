"""Finding numbers to buy: what was asked, what there is, and what would work instead."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib import area_codes
from lib import e164 as formats
from lib.errors import Refusal
from numbers.catalogue import SoldCountry
from numbers.pricing import Price
from numbers.refusals import refusal_for
from telephony import provider
from telephony.errors import NotConfigured, ProviderError, TypeNotOffered
from telephony.values import (
    AddressRequirement,
    AvailableNumber,
    Capability,
    NumberQuery,
    NumberType,
)

log = logging.getLogger(__name__)

PER_TYPE = 20
AT_ONCE = 4
MOST_SUGGESTIONS = 4
MOST_ASKED = 8  # searches tried for them
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for. ``number_type`` None means any; ``where`` is one of
    ``anywhere``, ``start``, ``end`` and tells where ``pattern`` (digits or letters) stands.
    """

    country: SoldCountry
    area_code: str = ""
    number_type: NumberType | None = None
    capabilities: frozenset[Capability] = frozenset()
    pattern: str = ""
    where: str = "anywhere"

    @property
    def types(self) -> tuple[NumberType, ...]:
        """The types to ask the provider for: an area code is a place, so it means local ones,
        unless it is a toll-free prefix.
        """
        offered = self.country.number_types
        if self.number_type:
            return (self.number_type,)
        if not self.area_code:
            return offered
        if self.country.dialling_code == "1" and self.area_code in area_codes.NANP_TOLL_FREE:
            return (NumberType.TOLL_FREE,)
        return (NumberType.LOCAL,) if NumberType.LOCAL in offered else offered

    def query(self, number_type: NumberType, *, limit: int = PER_TYPE) -> NumberQuery:
        return NumberQuery(
            country=self.country.code,
            number_type=number_type,
            area_code=self.area_code,
            contains=self.pattern if self.where == "anywhere" else "",
            starts_with=self.pattern if self.where == "start" else "",
            ends_with=self.pattern if self.where == "end" else "",
            capabilities=self.capabilities,
            limit=limit,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """A number on offer. ``price`` is None where the provider tells none: not for sale."""

    number: AvailableNumber
    price: Price | None
    marked: SafeString


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A search that does find something: what it is, and how it differs from this one."""

    label: str
    wanted: Wanted


@dataclass(slots=True)
class Found:
    """``incomplete`` names types that could not be asked for, so that no answer is missing
    silently.
    """

    results: list[Result] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)

    @property
    def asks_for_address(self) -> bool:
        none = AddressRequirement.NONE
        return any(result.number.address_requirement != none for result in self.results)

    @property
    def reports_fax(self) -> bool:
        return any(Capability.FAX in result.number.capabilities for result in self.results)


def search_numbers(wanted: Wanted) -> Found:
    """Ask the provider, one call per type, and price the answers.

    With nothing found, ``suggestions`` holds searches that were tried and do find numbers.
    Raises a ``Refusal`` when the provider cannot be asked at all: an error is never shown
    as "no numbers found".
    """
    try:
        prices = wanted.country.prices()
    except ProviderError as error:
        raise _refusal(error, wanted, wanted.number_type) from error
    answers = _ask_at_once([wanted.query(kind) for kind in wanted.types])
    found, failures = Found(), []
    for kind, answer in zip(wanted.types, answers, strict=True):
        if isinstance(answer, TypeNotOffered):
            continue
        if isinstance(answer, ProviderError):
            failures.append(_refusal(answer, wanted, kind))
            found.incomplete.append(kind.label)
            if isinstance(answer, NotConfigured):
                raise failures[-1]
            continue
        found.results += [
            Result(number, prices.get(number.number_type), mark(number, wanted))
            for number in answer
        ]
    if failures and not found.results:
        raise failures[0]
    if not found.results:
        found.suggestions = suggest(wanted)
    return found


def find_one(*, country: str, number_type: NumberType, e164: str) -> AvailableNumber | None:
    """The number, if it can be bought this moment. Raises ``Refusal``."""
    national = formats.national_number(e164, country)
    area_code = area_codes.code_of(e164, country) if formats.dialling_code(country) == "1" else ""
    query = NumberQuery(
        country=country,
        number_type=number_type,
        area_code=area_code,  # the provider need not look through the whole country
        starts_with=national.removeprefix(area_code),
    )
    try:
        answer = provider.search(query)
    except ProviderError as error:
        raise refusal_for(error, country=country, number_type=number_type, e164=e164) from error
    return next((number for number in answer if number.e164 == e164), None)


def find_each(
    *, country: str, chosen: Sequence[tuple[str, NumberType]]
) -> list[AvailableNumber | None]:
    """``find_one`` for several, a few at a time, in their order."""
    return _side_by_side(
        lambda one: find_one(country=country, e164=one[0], number_type=one[1]), chosen
    )


def suggest(wanted: Wanted) -> list[Suggestion]:
    """Searches near this one that find something: each was asked for before it is offered.

    Places nearby come first, two of them at most while the whole country or another type has
    something too: a person may want either, and neighbours alone would hide both.
    """
    eased, wider = list(_eased(wanted)), list(_wider(wanted))
    nearby = list(_nearby(wanted))[: MOST_ASKED - len(eased) - len(wider)]
    nearby, eased, wider = _working(nearby, eased, wider)
    room = MOST_SUGGESTIONS - len(nearby[:2]) - len(wider[:2])
    return [*nearby[:2], *eased[:room], *wider, *nearby[2:]][:MOST_SUGGESTIONS]


def _working(*groups: list[Suggestion]) -> list[list[Suggestion]]:
    """Of each group those that find something; all are asked for at once."""
    queries = [one.wanted.query(one.wanted.types[0], limit=1) for group in groups for one in group]
    answers = iter(_ask_at_once(queries))
    return [
        [
            one
            for one in group
            if (answer := next(answers)) and not isinstance(answer, ProviderError)
        ]
        for group in groups
    ]


def _nearby(wanted: Wanted) -> Iterable[Suggestion]:
    """The same in another area code."""
    here = area_codes.find(wanted.country.code, wanted.area_code) if wanted.area_code else None
    if not here:
        return
    for other in area_codes.overlays_of(here)[:3]:
        yield Suggestion(f"{other.code}, the same area", replace(wanted, area_code=other.code))
    for other in area_codes.nearest(here, 3):
        yield Suggestion(
            f"{other.code}, {other.city} ({other.region})", replace(wanted, area_code=other.code)
        )


def _eased(wanted: Wanted) -> Iterable[Suggestion]:
    """The same place, with less asked of the number."""
    if wanted.pattern and wanted.where != "anywhere":
        yield Suggestion(
            f"{wanted.pattern} anywhere in the number", replace(wanted, where="anywhere")
        )
    if wanted.capabilities:
        yield Suggestion("Any capabilities", replace(wanted, capabilities=frozenset()))
    if wanted.pattern:
        yield Suggestion("Without the digits you asked for", replace(wanted, pattern=""))


def _wider(wanted: Wanted) -> Iterable[Suggestion]:
    """The whole country, then its other types."""
    country = formats.country_in_text(wanted.country.code)
    if wanted.area_code:
        anywhere = replace(wanted, area_code="")
        if NumberType.LOCAL in wanted.country.number_types:
            anywhere = replace(anywhere, number_type=NumberType.LOCAL)
        yield Suggestion(f"Anywhere in {country}", anywhere)
    for kind in wanted.country.number_types:
        if kind not in wanted.types:
            yield Suggestion(
                f"{kind.label} in {country}", replace(wanted, number_type=kind, area_code="")
            )


def _ask_at_once(queries: Sequence[NumberQuery]) -> list[list[AvailableNumber] | ProviderError]:
    """The answers in the order of the queries; a failure stands where its answer would."""
    return _side_by_side(_ask, queries)


def _ask(query: NumberQuery) -> list[AvailableNumber] | ProviderError:
    try:
        return provider.search(query)
    except ProviderError as error:
        log.warning("search failed: %s: %s", query, error)
        return error


def _side_by_side(call: Callable[[T], R], items: Sequence[T]) -> list[R]:
    if len(items) < 2:
        return [call(item) for item in items]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(call, items))


def _refusal(error: ProviderError, wanted: Wanted, kind: NumberType | None) -> Refusal:
    return refusal_for(error, country=wanted.country.code, number_type=kind)


def mark(number: AvailableNumber, wanted: Wanted) -> SafeString:
    """The number for reading, with the pattern that was asked for in ``<mark>``."""
    shown = formats.international(number.e164)
    digits = formats.digits_from(wanted.pattern) if wanted.pattern else ""
    places = [place for place, sign in enumerate(shown) if sign.isdigit()]
    text = "".join(shown[place] for place in places)
    skip = len(wanted.country.dialling_code)
    start = {
        "start": skip + len(wanted.area_code),
        "end": len(text) - len(digits),
    }.get(wanted.where, text.find(digits, skip))
    if not digits or start < 0 or text[start : start + len(digits)] != digits:
        return format_html("{}", shown)
    first, last = places[start], places[start + len(digits) - 1]
    return format_html(
        "{}<mark>{}</mark>{}", shown[:first], shown[first : last + 1], shown[last + 1 :]
    )
