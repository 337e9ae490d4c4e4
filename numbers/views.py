"""The wizard that buys, and the orders it places."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lib import area_codes, htmx
from lib.errors import Fix, Refusal
from numbers import quote as quotes
from numbers import search, tasks
from numbers.catalogue import SoldCountry, sold_countries
from numbers.forms import ChosenForm, SearchForm, query_string_of
from numbers.models import Number, NumberOrder, OrderLine
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from numbers.refusals import (
    AlreadyYours,
    NumberJustTaken,
    PriceChanged,
    RegionRestricted,
    refusal_for,
)
from numbers.rent_periods import period_start
from numbers.settle import due_lines
from telephony.errors import ProviderError
from telephony.values import AddressRequirement, NumberType
from wallet.addresses import add_funds_address
from wallet.ledger import InsufficientFunds
from wallet.models import Wallet
from workspaces.access import WorkspaceRequest, who_can_grant, workspace_view
from workspaces.permissions import NUMBERS_CREATE, NUMBERS_VIEW

DEFAULT_COUNTRY = "US"


@require_safe
@workspace_view(NUMBERS_VIEW)
def buy(request: WorkspaceRequest) -> HttpResponse:
    """The search of the wizard. Its address holds the search, so it can be shared."""
    try:
        countries = sold_countries()
    except ProviderError as error:
        refusal = refusal_for(error, country=DEFAULT_COUNTRY, number_type=None)
        return render(request, "numbers/buy.html", {"refusal": refusal}, status=503)
    searched = "country" in request.GET
    form = SearchForm(request.GET if searched else None, countries=countries,
                      initial={"country": DEFAULT_COUNTRY, "where": "anywhere"})  # fmt: skip
    if htmx.asks_for(request, "area-code-note"):
        return render(request, "numbers/_area_code_note.html", _area_code_note(form))
    context = {"form": form, **_area_code_note(form), **_search(request, form, searched)}
    template = "_search.html" if htmx.asks_for(request, "search") else "buy.html"
    return render(request, f"numbers/{template}", context, status=context["status"])


def _search(request: WorkspaceRequest, form: SearchForm, searched: bool) -> dict:
    if not searched:
        return {"status": 200}
    if not form.is_valid():
        return {"status": 422}
    wanted = form.wanted()
    try:
        found = search.search_numbers(wanted)
    except Refusal as refusal:
        return {"refusal": refusal, "wanted": wanted, "status": 503}
    return {
        "found": found,
        "wanted": wanted,
        "search": query_string_of(wanted),
        "suggestions": [
            (suggestion.label, query_string_of(suggestion.wanted))
            for suggestion in found.suggestions
        ],
        "status": 200,
    }


def _area_code_note(form: SearchForm) -> dict:
    """The place that the area code in the form stands for, or what is wrong with it."""
    if not form.is_bound:
        return {}
    if not form.is_valid():
        return {"problems": form.errors.get("area_code", [])}
    wanted = form.wanted()
    return {"place": area_codes.find(wanted.country.code, wanted.area_code)}


@require_safe
@workspace_view(NUMBERS_VIEW)
def review(request: WorkspaceRequest) -> HttpResponse:
    """Everything about one number before it is bought; the form confirms exactly this."""
    chosen = ChosenForm(request.GET)
    countries = {country.code: country for country in sold_countries()}
    search_form = SearchForm(request.GET, countries=list(countries.values()))
    if not chosen.is_valid() or not search_form.is_valid():
        return redirect("numbers:buy", workspace_slug=request.workspace.slug)
    wanted = search_form.wanted()
    back = query_string_of(wanted)
    try:
        quote = _quote(request, chosen, wanted.country, back)
    except Refusal as refusal:
        return _review_refused(request, refusal, back)
    return render(request, "numbers/review.html", _review_context(request, quote))


def _quote(
    request: WorkspaceRequest, chosen: ChosenForm, country: SoldCountry, back: str
) -> quotes.Quote:
    e164 = chosen.cleaned_data["number"]
    number_type = NumberType(chosen.cleaned_data["number_type"])
    if Number.objects.for_workspace(request.workspace).owned().filter(e164=e164).exists():
        raise AlreadyYours(e164, request.workspace)
    number = search.find_one(country=country.code, number_type=number_type, e164=e164)
    if number is None:
        raise NumberJustTaken(e164)
    return quotes.new_quote(number, price_of(country.code, number_type), back)


def _review_context(request: WorkspaceRequest, quote: quotes.Quote) -> dict:
    wallet = Wallet.objects.get(workspace=request.workspace)
    may_buy = request.membership.can(NUMBERS_CREATE)
    after = wallet.available - quote.price.amount
    zone = ZoneInfo(request.workspace.time_zone)
    number = quote.number
    unmet = (
        number.address_requirement != AddressRequirement.NONE
        and number.country not in settings.TWILIO_ADDRESS_SIDS
    )
    return {
        "quote": quote,
        "number": number,
        "region_refusal": RegionRestricted(country=number.country, requirement="address")
        if unmet
        else None,
        "signed_quote": quotes.sign(quote, workspace=request.workspace, by=request.user),
        "next_payment_on": _next_payment(timezone.now(), zone),
        "wallet": wallet,
        "balance_after": after,
        "missing": -after if after < 0 else None,
        "add_funds": add_funds_address(
            request.workspace, max(-after, Decimal(0)), _review_address(request, quote)
        ),
        "may_buy": may_buy,
        "granters": [] if may_buy else who_can_grant(request.workspace),
        "back": quote.search,
    }


def _next_payment(now: datetime, zone: ZoneInfo) -> datetime:
    return period_start(now, 1).astimezone(zone)


def _review_refused(request: WorkspaceRequest, refusal: Refusal, back: str) -> HttpResponse:
    if refusal.fix is None:
        refusal.fix = _search_again(request, back)
    return render(
        request, "numbers/review_refused.html", {"refusal": refusal, "back": back},
        status=refusal.status,
    )  # fmt: skip


def _search_again(request: WorkspaceRequest, query_string: str) -> Fix:
    address = reverse("numbers:buy", args=[request.workspace.slug])
    return Fix("Search again", f"{address}?{query_string}" if query_string else address)


def _review_address(request: WorkspaceRequest, quote: quotes.Quote) -> str:
    number = quote.number
    chosen = urlencode({"number": number.e164, "number_type": number.number_type})
    address = reverse("numbers:review", args=[request.workspace.slug])
    return f"{address}?{quote.search}&{chosen}"


@require_POST
@workspace_view(NUMBERS_CREATE)
def place_order(request: WorkspaceRequest) -> HttpResponse:
    """Buy what the review page showed; sent twice, it is one order."""
    try:
        quote = quotes.read(
            request.POST.get("quote", ""), workspace=request.workspace, by=request.user
        )
    except Refusal as refusal:
        return _review_refused(request, refusal, "")
    try:
        order = purchase_number(workspace=request.workspace, by=request.user, quote=quote)
    except Refusal as refusal:
        return _order_refused(request, quote, refusal)
    return redirect("numbers:order", workspace_slug=request.workspace.slug,
                    reference=order.reference)  # fmt: skip


def _order_refused(
    request: WorkspaceRequest, quote: quotes.Quote, refusal: Refusal
) -> HttpResponse:
    """Money and price can be put right on the review page; anything else needs a new search."""
    if not isinstance(refusal, InsufficientFunds | PriceChanged):
        return _review_refused(request, refusal, quote.search)
    number = quote.number
    quote = replace(quote, price=price_of(number.country, number.number_type))
    context = _review_context(request, quote)
    if isinstance(refusal, InsufficientFunds):
        refusal.fix = Fix("Add funds", context["add_funds"])
    context["refusal"] = refusal
    return render(request, "numbers/review.html", context, status=422)


@require_safe
@workspace_view(NUMBERS_VIEW)
def order(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """What became of an order. While it is being checked, the page asks again by itself."""
    found = get_object_or_404(
        NumberOrder.objects.for_workspace(request.workspace).select_related("hold", "placed_by"),
        reference=reference,
    )
    lines = list(found.lines.select_related("number"))
    unsettled = any(line.state in OrderLine.UNSETTLED for line in lines)
    if unsettled and due_lines(found.pk):
        tasks.settle_order.delay(found.pk)
    context = {
        "order": found,
        "line": lines[0],
        "unsettled": unsettled,
        "search_again": _search_again(request, found.search),
    }
    template = "_order.html" if htmx.asks_for(request, "order") else "order.html"
    return render(request, f"numbers/{template}", context)
