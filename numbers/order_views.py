"""Reviewing numbers, ordering them, and what became of the order."""

from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lib import htmx, rate_limit
from lib.doorbell import ring
from lib.errors import Fix, Refusal
from numbers import quote as quotes
from numbers import tasks
from numbers.catalogue import SoldCountry, sold_countries
from numbers.forms import ChosenForm, SearchForm, query_string_of
from numbers.models import NumberOrder
from numbers.order_log import story_of
from numbers.place import MOST_NUMBERS, repriced
from numbers.purchase import purchase_number
from numbers.quote import Quote
from numbers.receipt import receipt_of
from numbers.refusals import PriceChanged, TooManyNumbers
from numbers.rent_periods import period_start
from numbers.review import Chosen, Reviewed, leave_out_unmet, review_numbers, unmet_requirement
from numbers.views import count_search, or_try_again
from wallet.addresses import add_funds_address
from wallet.ledger import InsufficientFunds
from wallet.models import Wallet
from wallet.ring_fence import kept_by
from workspaces.access import WorkspaceRequest, who_can_grant, workspace_view
from workspaces.permissions import NUMBERS_CREATE, NUMBERS_VIEW


@require_safe
@workspace_view(NUMBERS_VIEW)
def review(request: WorkspaceRequest) -> HttpResponse:
    """Everything about the chosen numbers before they are bought; the form confirms exactly
    this.
    """
    try:
        countries = sold_countries()
    except Refusal as refusal:
        return review_refused(request, or_try_again(request, refusal), "")
    chosen_form = ChosenForm(request.GET)
    search_form = SearchForm(request.GET, countries=countries)
    if not chosen_form.is_valid() or not search_form.is_valid():
        return redirect("numbers:buy", workspace_slug=request.workspace.slug)
    wanted = search_form.wanted()
    back, chosen = query_string_of(wanted), chosen_form.chosen()
    if not chosen:
        messages.warning(request, "Tick the numbers that you want to review.")
        return redirect(search_again(request, back).url)
    count_search(request)
    try:
        reviewed = _review(request, wanted.country, chosen)
    except Refusal as refusal:
        return review_refused(request, refusal, back)
    quote = quotes.quote_of(reviewed.numbers, back)
    return _render_review(request, quote, left_out=reviewed.left_out)


def _review(request: WorkspaceRequest, country: SoldCountry, chosen: list[Chosen]) -> Reviewed:
    if len(chosen) > MOST_NUMBERS:
        raise TooManyNumbers(len(chosen), most=MOST_NUMBERS)
    reviewed = review_numbers(
        workspace=request.workspace, country=country.code, chosen=chosen, price=country.price_of
    )
    if len(chosen) > 1:
        leave_out_unmet(reviewed)
    if not reviewed.numbers:
        raise reviewed.left_out[0][1]
    return reviewed


def _render_review(
    request: WorkspaceRequest, quote: Quote, *, status: int = 200, **context: object
) -> HttpResponse:
    context |= cost_context(request, quote)
    template = "review_several.html" if len(quote) > 1 else "review.html"
    return render(request, f"numbers/{template}", context, status=status)


def cost_context(request: WorkspaceRequest, quote: Quote) -> dict:
    """What confirming the quote costs and leaves, and whether this person may do it."""
    mine = Wallet.objects.select_related("workspace__precautions")
    wallet = request.wallet = mine.get(workspace=request.workspace)
    may_buy = request.membership.can(NUMBERS_CREATE)
    after = wallet.available - quote.price.amount
    zone = ZoneInfo(request.workspace.time_zone)
    return {
        "quote": quote,
        "number": quote.number,
        "region_refusal": unmet_requirement(quote.number) if len(quote) == 1 else None,
        "signed_quote": quotes.sign(quote, workspace=request.workspace, by=request.user),
        "next_payment_on": period_start(timezone.now(), 1).astimezone(zone),
        "wallet": wallet,
        "balance_after": after,
        "missing": -after if after < 0 else None,
        "eaten": eaten_of_what_is_kept(wallet, after),
        "add_funds": add_funds_address(
            request.workspace, max(-after, Decimal(0)), _review_address(request, quote)
        ),
        "may_buy": may_buy,
        "granters": [] if may_buy else who_can_grant(request.workspace),
        "back": quote.search,
    }


def eaten_of_what_is_kept(wallet: Wallet, after: Decimal) -> Decimal:
    """How much of the money that is kept for rent a purchase takes, which leaves ``after``."""
    precautions = getattr(wallet.workspace, "precautions", None)
    if precautions is None or after < 0:
        return Decimal(0)
    kept = kept_by(precautions, timezone.now())
    return max(min(kept - after, kept), Decimal(0))


def review_refused(request: WorkspaceRequest, refusal: Refusal, back: str) -> HttpResponse:
    if refusal.fix is None:
        refusal.fix = search_again(request, back)
    return render(
        request, "numbers/review_refused.html", {"refusal": refusal, "back": back},
        status=refusal.status,
    )  # fmt: skip


def search_again(request: WorkspaceRequest, query_string: str) -> Fix:
    address = reverse("numbers:buy", args=[request.workspace.slug])
    return Fix("Search again", f"{address}?{query_string}" if query_string else address)


def _review_address(request: WorkspaceRequest, quote: Quote) -> str:
    numbers = [one.number for one in quote.numbers]
    if len(numbers) == 1:
        chosen = [("number", numbers[0].e164), ("number_type", numbers[0].number_type)]
    else:
        chosen = [("pick", f"{number.number_type}:{number.e164}") for number in numbers]
    address = reverse("numbers:review", args=[request.workspace.slug])
    return f"{address}?{quote.search}&{urlencode(chosen)}"


@require_POST
@workspace_view(NUMBERS_CREATE)
def place_order(request: WorkspaceRequest) -> HttpResponse:
    """Buy what the review page showed; sent twice, it is one order."""
    rate_limit.spend("purchase", who=request.workspace.pk, what="orders")
    try:
        quote = quotes.read(
            request.POST.get("quote", ""), workspace=request.workspace, by=request.user
        )
    except Refusal as refusal:
        return review_refused(request, refusal, "")
    try:
        order = purchase_number(workspace=request.workspace, by=request.user, quote=quote)
    except Refusal as refusal:
        return _order_refused(request, quote, refusal)
    return redirect("numbers:order", workspace_slug=request.workspace.slug,
                    reference=order.reference)  # fmt: skip


def _order_refused(request: WorkspaceRequest, quote: Quote, refusal: Refusal) -> HttpResponse:
    """Money and price can be put right on the review page; anything else needs a new search."""
    if not isinstance(refusal, InsufficientFunds | PriceChanged):
        return review_refused(request, refusal, quote.search)
    quote = replace(quote, numbers=repriced(quote))
    if isinstance(refusal, InsufficientFunds):
        refusal.fix = Fix("Add funds", cost_context(request, quote)["add_funds"])
    return _render_review(request, quote, status=422, refusal=refusal)


@require_safe
@workspace_view(NUMBERS_VIEW)
def order(request: WorkspaceRequest, reference: str) -> HttpResponse:
    """What became of an order. While it is being checked, the page asks again by itself."""
    found = get_object_or_404(
        NumberOrder.objects.for_workspace(request.workspace).select_related(
            "hold", "placed_by", "workspace"
        ),
        reference=reference,
    )
    receipt = receipt_of(found)
    if receipt.is_due:
        ring(tasks.settle_order, found.workspace_id, found.pk)
    fragment = f"numbers/_order{'_several' if len(receipt.lines) > 1 else ''}.html"
    context = {
        "order": found,
        "receipt": receipt,
        "lines": receipt.lines,
        "line": receipt.lines[0],
        "story": story_of(found),
        "unsettled": not receipt.is_settled,
        "fragment": fragment,
        "search_again": search_again(request, found.search),
    }
    template = fragment if htmx.asks_for(request, "order") else "numbers/order.html"
    return render(request, template, context)
