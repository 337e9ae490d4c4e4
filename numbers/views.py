"""The search of the wizard that buys."""

from urllib.parse import parse_qsl

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from lib import area_codes, htmx, rate_limit
from lib.errors import Fix, Refusal
from numbers import search
from numbers.catalogue import sold_countries
from numbers.forms import SearchForm, query_string_of
from numbers.place import MOST_NUMBERS
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import NUMBERS_CREATE, NUMBERS_VIEW

DEFAULT_COUNTRY = "US"


@require_safe
@workspace_view(NUMBERS_VIEW)
def buy(request: WorkspaceRequest) -> HttpResponse:
    """The search of the wizard. Its address holds the search, so it can be shared."""
    context: dict = {"may_buy": request.membership.can(NUMBERS_CREATE)}
    try:
        countries = sold_countries()
    except Refusal as refusal:
        context["refusal"] = or_try_again(request, refusal)
        return render(request, "numbers/buy.html", context, status=refusal.status)
    searched = "country" in request.GET
    form = SearchForm(request.GET if searched else None, countries=countries,
                      initial={"country": DEFAULT_COUNTRY, "where": "anywhere"})  # fmt: skip
    if htmx.asks_for(request, "area-code-note"):
        return render(request, "numbers/_area_code_note.html", _area_code_note(form))
    context |= {"form": form, **_area_code_note(form), **_search(request, form, searched)}
    if not htmx.asks_for(request, "search"):
        return render(request, "numbers/buy.html", context, status=context["status"])
    fragment = render(request, "numbers/_search.html", context, status=context["status"])
    # The address to share: without the fields that were left as they are.
    return push_url(fragment, f"?{context['search']}") if "search" in context else fragment


def _search(request: WorkspaceRequest, form: SearchForm, searched: bool) -> dict:
    if not searched:
        return {"status": 200}
    if not form.is_valid():
        return {"status": 422}
    wanted = form.wanted()
    count_search(request)
    try:
        found = search.search_numbers(wanted)
    except Refusal as refusal:
        refusal = or_try_again(request, refusal)
        return {"refusal": refusal, "wanted": wanted, "status": refusal.status}
    return {
        "found": found,
        "wanted": wanted,
        "search": query_string_of(wanted),
        "search_fields": parse_qsl(query_string_of(wanted)),
        "most_numbers": MOST_NUMBERS,
        "suggestions": [
            (suggestion.label, query_string_of(suggestion.wanted))
            for suggestion in found.suggestions
        ],
        "status": 200,
    }


def or_try_again(request: WorkspaceRequest, refusal: Refusal) -> Refusal:
    refusal.fix = refusal.fix or Fix("Try again", request.get_full_path())
    return refusal


def count_search(request: WorkspaceRequest) -> None:
    """Each person may ask the provider so often a minute; ``TooOften`` says when again."""
    rate_limit.spend("search", who=request.user.pk, what="searches")


def _area_code_note(form: SearchForm) -> dict:
    """The place that the area code in the form stands for, or what is wrong with it."""
    if not form.is_bound:
        return {}
    if not form.is_valid():
        return {"problems": form.errors.get("area_code", []), "instead": form.instead}
    wanted = form.wanted()
    return {"place": area_codes.find(wanted.country.code, wanted.area_code)}
