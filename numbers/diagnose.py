"""Why can't I buy? Each known cause is looked into for this workspace and this person."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from lib import e164 as formats
from lib import money
from lib.errors import Fix, Refusal
from numbers.limits import limits_of, ordered_today
from numbers.pricing import Price, prices_in
from numbers.refusals import ProviderNotConfigured, ProviderRefused
from numbers.reports import DiagnosisReport, Finding, Verdict, rows_of
from numbers.review import unmet_requirement
from numbers.search import Found, Wanted, search_numbers
from telephony import provider
from telephony.errors import NotConfigured, ProviderError, ProviderUnavailable
from wallet.addresses import add_funds_address
from wallet.models import Wallet
from workspaces.access import who_can_grant
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import NUMBERS_CREATE, WALLET_TOP_UP, WALLET_VIEW


@dataclass(frozen=True, slots=True)
class Question:
    """Who would like to buy, where, and what; ``search`` is the query string of ``wanted``."""

    membership: Membership
    wanted: Wanted
    search: str

    @property
    def workspace(self) -> Workspace:
        return self.membership.workspace

    @property
    def country(self) -> str:
        """As it stands in a sentence."""
        return formats.country_in_text(self.wanted.country.code)

    def can(self, permission: str) -> bool:
        return self.membership.can(permission)

    def buy_page(self, search: str | None = None) -> str:
        query = self.search if search is None else search
        return f"{reverse('numbers:buy', args=[self.workspace.slug])}?{query}"


def diagnose(question: Question) -> list[Finding]:
    """The troubleshooting list, answered with facts of this moment. Changes nothing."""
    price = _cheapest(question)
    try:
        found: Found | Refusal = search_numbers(question.wanted)
    except Refusal as refusal:
        found = refusal
    return [
        _balance(question, price),
        _permission(question),
        _limits(question, price),
        _availability(question, found),
        _credentials(),
        _region(question, found),
    ]


def keep_report(question: Question) -> DiagnosisReport:
    """Look into it now and keep what is found, under a reference for support."""
    return DiagnosisReport.objects.create(
        workspace=question.workspace, by=question.membership.user, at=timezone.now(),
        search=question.search, found=rows_of(diagnose(question)),
    )  # fmt: skip


def _cheapest(question: Question) -> Price | None:
    try:
        prices = prices_in(question.wanted.country.code)
    except ProviderError:
        return None
    wanted = [prices[kind] for kind in question.wanted.types if kind in prices]
    return min(wanted, key=lambda price: price.amount, default=None)


def _balance(question: Question, price: Price | None) -> Finding:
    cause, title = "balance", "Wallet balance"
    wallet = Wallet.objects.get(workspace=question.workspace)
    if price is None:
        return Finding(cause, title, Verdict.UNKNOWN, "The price of such a number is not known.")
    missing = price.amount - wallet.available
    has = f"{money.show(wallet.available, wallet.currency)} is available"
    if not question.can(WALLET_VIEW):
        has = "There is not enough money" if missing > 0 else "There is enough money"
    costs = f"{has}; the cheapest such number costs {price} for its first month."
    if missing <= 0:
        return Finding(cause, title, Verdict.OK, costs)
    shown = money.show(missing, wallet.currency)
    if not question.can(WALLET_TOP_UP):
        ask = f"{costs} Ask {_people(who_can_grant(question.workspace))} to add funds."
        return Finding(cause, title, Verdict.PROBLEM, ask)
    address = add_funds_address(question.workspace, missing, question.buy_page())
    return Finding(
        cause, title, Verdict.PROBLEM, f"{costs} {shown} is missing.", Fix("Add funds", address)
    )


def _permission(question: Question) -> Finding:
    cause, title, workspace = "permission", "Permission to buy", question.workspace
    if question.can(NUMBERS_CREATE):
        have = f"You have the permission numbers_create in {workspace}."
        return Finding(cause, title, Verdict.OK, have)
    return Finding(
        cause, title, Verdict.PROBLEM,
        f"You do not have the permission numbers_create in {workspace}. "
        f"{_people(who_can_grant(workspace))} can grant it, or you can ask for a number on its "
        "review page.",
        Fix("Choose a number and ask for it", question.buy_page()),
    )  # fmt: skip


def _limits(question: Question, price: Price | None) -> Finding:
    cause, title, workspace = "limits", "Limits for today", question.workspace
    limits, today = limits_of(workspace), ordered_today(workspace)
    currency = Wallet.objects.get(workspace=workspace).currency
    evidence = f"{today.numbers} of {limits.numbers_per_day} numbers were ordered today"
    if question.can(WALLET_VIEW):
        spent = money.show(today.spent, currency)
        evidence += f", for {spent} of {money.show(limits.spend_per_day, currency)}"
    cost = price.amount if price else Decimal(0)
    full = today.numbers >= limits.numbers_per_day or today.spent + cost > limits.spend_per_day
    fix = Fix("See the limits", reverse("numbers:limits", args=[workspace.slug]))
    if full:
        return Finding(cause, title, Verdict.PROBLEM, f"{evidence}: no more fit in.", fix)
    return Finding(cause, title, Verdict.OK, f"{evidence}.")


def _availability(question: Question, found: Found | Refusal) -> Finding:
    cause, title = "availability", "Numbers available"
    if isinstance(found, Refusal):
        return Finding(cause, title, Verdict.UNKNOWN, found.sentence)
    if found.results:
        example = formats.international(found.results[0].number.e164)
        has = f"The carrier has numbers for this search, for example {example}."
        return Finding(cause, title, Verdict.OK, has, Fix("See them", question.buy_page()))
    area = f" in area code {question.wanted.area_code}" if question.wanted.area_code else ""
    none = f"The carrier has none{area} in {question.country} that fit this search."
    return Finding(cause, title, Verdict.PROBLEM, none, _instead(question, found))


def _instead(question: Question, found: Found) -> Fix:
    from numbers.forms import query_string_of  # forms know what is searched for

    for suggestion in found.suggestions:
        query = query_string_of(suggestion.wanted)
        return Fix(f"Search instead: {suggestion.label}", question.buy_page(query))
    return Fix("Search elsewhere", question.buy_page(""))


def _credentials() -> Finding:
    cause, title = "credentials", "Twilio credentials"
    try:
        account = provider.account()
    except NotConfigured as error:
        refusal = ProviderNotConfigured(error.reason)
        return Finding(cause, title, Verdict.PROBLEM, refusal.sentence, refusal.fix)
    except ProviderUnavailable:
        quiet = "The provider does not answer at the moment, so they cannot be checked."
        return Finding(cause, title, Verdict.UNKNOWN, quiet)
    except ProviderError as error:
        refused = ProviderRefused(error)
        return Finding(cause, title, Verdict.PROBLEM, refused.sentence, refused.fix)
    if account.status != "active":
        refusal = ProviderNotConfigured("suspended")
        return Finding(cause, title, Verdict.PROBLEM, refusal.sentence, refusal.fix)
    if account.kind == "Trial":
        trial = "The provider's account is a trial, which buys one number at most."
        support = Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}")
        return Finding(cause, title, Verdict.PROBLEM, trial, support)
    return Finding(cause, title, Verdict.OK, "The provider accepts them; its account is active.")


def _region(question: Question, found: Found | Refusal) -> Finding:
    cause, title = "region", "Rules of the country"
    elsewhere = Fix("Choose another country", question.buy_page(""))
    if isinstance(found, Refusal):
        if found.code == "not_offered":
            return Finding(cause, title, Verdict.PROBLEM, found.sentence, elsewhere)
        return Finding(cause, title, Verdict.UNKNOWN, "They show once the carrier answers.")
    refusals = [unmet_requirement(result.number) for result in found.results]
    unmet = [refusal for refusal in refusals if refusal is not None]
    if unmet and len(unmet) == len(refusals):
        return Finding(cause, title, Verdict.PROBLEM, unmet[0].sentence, elsewhere)
    if not refusals:
        sold = f"Numbers are sold in {question.country}; what they ask for shows on each of them."
        return Finding(cause, title, Verdict.OK, sold)
    some = " Some of those found do, and say so." if unmet else ""
    free = f"Numbers in {question.country} can be bought without a registered address.{some}"
    return Finding(cause, title, Verdict.OK, free)


def _people(people: Sequence[User]) -> str:
    return " or ".join(map(str, people)) or "Your administrator"
