"""Why isn't it working? The troubleshooting lists, answered for one number with facts.

Facts of our own, and what the carrier says this moment. What calls and messages know is told
by the app above (``settings.NUMBER_CHECKS``).
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.module_loading import import_string

from lib import money
from lib.errors import Fix, Refusal
from numbers import account
from numbers.choice import barriers_of
from numbers.compare import Kind, compare
from numbers.models import Number, OrderLine
from numbers.number_refusals import NotAtCarrier
from numbers.provider_data import look_up
from numbers.refusals import ProviderDown, ProviderNotConfigured
from numbers.reports import DiagnosisReport, Finding, Verdict, rows_of
from numbers.usages import Usages, usages_of
from telephony.values import Capability, OwnedNumber
from wallet.addresses import add_funds_address
from wallet.models import Wallet
from workspaces.access import who_can, who_can_grant
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import (
    NUMBERS_EDIT,
    NUMBERS_RELEASE,
    ROUTES_EDIT,
    WALLET_TOP_UP,
    WALLET_VIEW,
)

INBOUND = "Calls or messages do not reach the app"
LIST = "It does not appear in the list"
CHOOSING = "It cannot be chosen for a campaign or an assistant"
COSTS = "Costs or charges that nobody expected"
GROUPS = (INBOUND, LIST, CHOOSING, COSTS)
UNUSED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks about which number; ``told`` is what the carrier has, or why it says nothing."""

    membership: Membership
    number: Number
    told: OwnedNumber | Refusal
    usages: Usages

    @property
    def workspace(self) -> Workspace:
        return self.membership.workspace

    def can(self, permission: str) -> bool:
        return self.membership.can(permission)

    def page(self, name: str = "detail") -> str:
        return reverse(f"numbers:{name}", args=[self.workspace.slug, self.number.public_id])

    def who(self, permission: str) -> str:
        return names_of(who_can(self.workspace, permission))


def diagnose_number(membership: Membership, number: Number) -> list[Finding]:
    """Every line of every list, in their order. Changes nothing; asks the carrier once."""
    number.workspace = membership.workspace
    try:
        told: OwnedNumber | Refusal = look_up(number).owned
    except Refusal as refusal:
        told = refusal
    usages = usages_of(membership.workspace, [number])[number.pk]
    asked = Asked(membership, number, told, usages)
    own = [
        _webhook_here(asked), _webhook_there(asked), _workspace(asked), _answered(asked),
        _status(asked), _at_carrier(asked), _inbound_money(asked), _permission(asked),
        _in_list(asked), _listed(asked), _refresh(asked), _order(asked), _search(asked),
        _contact(asked), _choosing_workspace(asked), _capabilities(asked),
        _choosing_status(asked), _purchased(asked), *_fees(asked),
    ]  # fmt: skip
    # One that does not answer is not asked again: somebody waits for the page.
    answers = isinstance(told, OwnedNumber | NotAtCarrier)
    others = [
        finding
        for path in settings.NUMBER_CHECKS
        for finding in import_string(path)(membership, number, answers)
    ]
    return sorted([*own, *others], key=lambda finding: GROUPS.index(finding.group))


def keep_number_report(membership: Membership, number: Number) -> DiagnosisReport:
    """Look into it now and keep what is found, under a reference for support."""
    return DiagnosisReport.objects.create(
        workspace=membership.workspace, by=membership.user, at=timezone.now(), number=number,
        search=number.e164, found=rows_of(diagnose_number(membership, number)),
    )  # fmt: skip


def names_of(people: list[User]) -> str:
    """``Olivia or Ada``, for a sentence on who can do something."""
    names = [str(user) for user in people]
    return " or ".join(names) if names else "an owner of the workspace"


# --- Calls or messages do not reach the app -------------------------------------------------


def _webhook_here(asked: Asked) -> Finding:
    cause, title = "webhook_here", "Webhook, as we know it"
    since = asked.number.webhooks_set_at
    if since is None:
        return Finding(
            cause, title, Verdict.PROBLEM,
            "This site has not set it at the carrier yet. It is repaired by itself, usually "
            "within a minute.",
            *compare_button(asked.membership, asked.number), group=INBOUND,
        )  # fmt: skip
    return Finding(
        cause, title, Verdict.OK, f"Set at the carrier on {_day(asked, since)}.", group=INBOUND
    )


def _webhook_there(asked: Asked) -> Finding:
    cause, title = "webhook_there", "Webhook, as the carrier has it"
    if isinstance(asked.told, Refusal):
        return Finding(cause, title, Verdict.UNKNOWN, "It shows once the carrier tells what it "
                       "has.", group=INBOUND)  # fmt: skip
    found = {finding.kind: finding for finding in compare(asked.number, asked.told)}
    if Kind.OVERRIDDEN in found:
        what = " and ".join(name.replace("_", " ") for name in found[Kind.OVERRIDDEN].theirs)
        return Finding(
            cause, title, Verdict.PROBLEM,
            f"The carrier hands them to something else that is set on the number: {what}.",
            *compare_button(asked.membership, asked.number), group=INBOUND,
        )  # fmt: skip
    if Kind.WEBHOOKS in found:
        return Finding(
            cause, title, Verdict.PROBLEM, _sent_where(found[Kind.WEBHOOKS].theirs),
            *compare_button(asked.membership, asked.number), group=INBOUND,
        )  # fmt: skip
    return Finding(
        cause, title, Verdict.OK, "Calls and messages are sent to this site.", group=INBOUND
    )


def _sent_where(theirs: dict[str, str]) -> str:
    addresses = [value for name, value in theirs.items() if name.endswith("_url")]
    if not addresses:
        return "The carrier asks this site by GET for some of it, and it answers to POST alone."
    there = [url for url in addresses if url]
    where = f"to {', '.join(dict.fromkeys(there))}" if there else "nowhere"
    return f"The carrier sends some of it {where}."


def compare_button(membership: Membership, number: Number) -> tuple[Fix | None, str, bool]:
    """The button that compares and sets right, what to do in words, and that it is a button."""
    workspace = membership.workspace
    if not membership.can(NUMBERS_EDIT) or number.released_at:
        who = names_of(who_can(workspace, NUMBERS_EDIT))
        return None, f"Ask {who} to compare the number with the carrier.", False
    address = reverse("numbers:check", args=[workspace.slug, number.public_id])
    return (
        Fix("Compare and set right", address),
        "Compare it with the carrier: what nobody has meant is set right at once.", True,
    )  # fmt: skip


def _workspace(asked: Asked) -> Finding:
    return Finding(
        "workspace", "Workspace", Verdict.OK,
        f"The number belongs to {asked.workspace}: its calls and messages arrive there and in no "
        "other workspace.", _inbox(asked), group=INBOUND,
    )  # fmt: skip


def _inbox(asked: Asked) -> Fix:
    address = reverse("interactions:index", args=[asked.workspace.slug])
    return Fix("Open its inbox", f"{address}?number={asked.number.public_id}")


def _answered(asked: Asked) -> Finding:
    cause, title = "answered", "Who answers"
    route = Fix("Decide who answers", reverse(
        "interactions:route", args=[asked.workspace.slug, asked.number.public_id]
    )) if asked.can(ROUTES_EDIT) and not asked.number.released_at else None  # fmt: skip
    if asked.usages.answered_by:
        who = ", ".join(f"{usage.what}: {usage.name}" for usage in asked.usages.answered_by)
        return Finding(cause, title, Verdict.OK, f"{who}.", route, group=INBOUND)
    todo = "Choose a phone, an announcement or an assistant."
    if route is None:
        todo = f"{asked.who(ROUTES_EDIT)} can choose a phone, an announcement or an assistant."
    return Finding(
        cause, title, Verdict.PROBLEM,
        "Nobody is chosen to answer calls: callers reach voicemail. Messages are kept in the "
        "inbox.", route, todo, group=INBOUND,
    )  # fmt: skip


def _status(asked: Asked, group: str = INBOUND, cause: str = "status") -> Finding:
    title, number = "Number status", asked.number
    if number.released_at:
        return Finding(
            cause, title, Verdict.PROBLEM, "It was given back to the carrier for good.",
            Fix("Buy another number", reverse("numbers:buy", args=[asked.workspace.slug])),
            "Buy another one.", group=group,
        )  # fmt: skip
    match number.inactive_because:
        case Number.Because.VANISHED:
            words = "Inactive: the carrier does not have it any more."
            return Finding(cause, title, Verdict.PROBLEM, words, support(number),
                           "Write to support.", group=group)  # fmt: skip
        case Number.Because.PARKED:
            may = asked.can(NUMBERS_RELEASE) and not number.giving_back_at
            return Finding(
                cause, title, Verdict.PROBLEM, "Inactive: it is released.",
                Fix("Undo the release", asked.page("undo_release")) if may else None,
                "Undo the release." if may else f"Ask {asked.who(NUMBERS_RELEASE)} to undo it.",
                by_post=may, group=group,
            )  # fmt: skip
        case Number.Because.SUSPENDED:
            words = "Inactive: its monthly fee is overdue."
            return Finding(cause, title, Verdict.PROBLEM, words, *_funds(asked), group=group)
        case Number.Because.DEACTIVATED:
            may = asked.can(NUMBERS_EDIT)
            return Finding(
                cause, title, Verdict.PROBLEM, "Inactive: somebody switched it off.",
                Fix("Switch it on", asked.page("activate")) if may else None,
                "Switch it on." if may else f"Ask {asked.who(NUMBERS_EDIT)} to switch it on.",
                by_post=may, group=group,
            )  # fmt: skip
    return Finding(cause, title, Verdict.OK, "Active.", group=group)


def _funds(asked: Asked) -> tuple[Fix | None, str]:
    if not asked.can(WALLET_TOP_UP):
        return None, f"Ask {asked.who(WALLET_TOP_UP)} to add funds."
    address = add_funds_address(asked.workspace, Decimal(0), asked.page("number_why"))
    return Fix("Add funds", address), "Add funds, and it works again by itself."


def _at_carrier(asked: Asked) -> Finding:
    cause, title, told = "at_carrier", "At the carrier", asked.told
    if isinstance(told, OwnedNumber) and account.trouble():
        told = ProviderNotConfigured("suspended")
    if isinstance(told, NotAtCarrier):
        return Finding(
            cause, title, Verdict.PROBLEM, "The carrier does not have the number in the account "
            "any more.", *compare_button(asked.membership, asked.number), group=INBOUND,
        )  # fmt: skip
    if isinstance(told, ProviderDown):
        return Finding(
            cause, title, Verdict.UNKNOWN,
            "The carrier does not answer at the moment, so it cannot be checked.",
            Fix("Check again", asked.page("number_why")), "Try again in a minute.", group=INBOUND,
        )  # fmt: skip
    if isinstance(told, Refusal):
        return Finding(cause, title, Verdict.PROBLEM, told.sentence, told.fix,
                       "Write to support.", group=INBOUND)  # fmt: skip
    if told.status not in ("", "in-use"):
        return Finding(
            cause, title, Verdict.PROBLEM, f"The carrier says: {told.status}.",
            support(asked.number), "Write to support: it has to be put in use again there.",
            group=INBOUND,
        )  # fmt: skip
    return Finding(cause, title, Verdict.OK, "In use, and the account is in order.", group=INBOUND)


def _inbound_money(asked: Asked) -> Finding:
    cause, title = "balance", "Money for what comes in"
    wallet = Wallet.objects.get(workspace=asked.workspace)
    left = wallet.available + wallet.credit_limit
    sees = asked.can(WALLET_VIEW)
    shown = f"{money.show(wallet.available, wallet.currency)} is available. " if sees else ""
    if left <= 0:
        return Finding(
            cause, title, Verdict.PROBLEM,
            f"{shown}The wallet and its credit are used up: callers are turned away politely.",
            *_funds(asked), group=INBOUND,
        )  # fmt: skip
    if asked.number.outbound_stopped_at:
        return Finding(
            cause, title, Verdict.PROBLEM, f"{shown}Its monthly fee is overdue: it still receives, "
            "but nothing is sent or called from it.", *_funds(asked), group=INBOUND,
        )  # fmt: skip
    return Finding(
        cause, title, Verdict.OK, f"{shown}There is enough for calls and messages.", group=INBOUND
    )


def _permission(asked: Asked) -> Finding:
    cause, title = "permission", "Your permissions"
    missing = [code for code in (ROUTES_EDIT, NUMBERS_EDIT) if not asked.can(code)]
    if not missing:
        return Finding(
            cause, title, Verdict.OK, "You may change the number and decide who answers.",
            group=INBOUND,
        )  # fmt: skip
    granters = names_of(who_can_grant(asked.workspace))
    return Finding(
        cause, title, Verdict.PROBLEM,
        f"You do not have {' and '.join(missing)} in {asked.workspace}, so you can look and not "
        "repair.", None, f"{granters} can grant it.", group=INBOUND,
    )  # fmt: skip


# --- It does not appear in the list ---------------------------------------------------------


def _in_list(asked: Asked) -> Finding:
    return Finding(
        "list_workspace", "Active workspace", Verdict.OK,
        f"It is in {asked.workspace}. The list of another workspace does not show it: switch at "
        "the top of the page.", Fix("Show your workspaces", reverse("workspaces")), group=LIST,
    )  # fmt: skip


def _listed(asked: Asked) -> Finding:
    cause, title, number = "listed", "Shown in the list", asked.number
    if number.released_at:
        return Finding(
            cause, title, Verdict.PROBLEM, "It was given back, and the list leaves such numbers "
            "out.", Fix("Show it", _list(asked, status="released")),
            "Choose the status Given back in the filter.", group=LIST,
        )  # fmt: skip
    return Finding(cause, title, Verdict.OK, "Yes, unless a filter leaves it out.",
                   Fix("Show all numbers", _list(asked, q="")), group=LIST)  # fmt: skip


def _list(asked: Asked, **query: str) -> str:
    query = {"q": asked.number.e164, **query}
    text = urlencode({name: value for name, value in query.items() if value})
    address = reverse("numbers:index", args=[asked.workspace.slug])
    return f"{address}?{text}" if text else address


def _refresh(asked: Asked) -> Finding:
    return Finding(
        "refresh", "Reload", Verdict.OK, "The list is read anew each time, and a number is in it "
        "as soon as the carrier has confirmed the purchase.",
        Fix("Reload the list", _list(asked, q="")), group=LIST,
    )  # fmt: skip


def _order(asked: Asked) -> Finding:
    cause, title = "order", "Purchase"
    lines = OrderLine.objects.for_workspace(asked.workspace).filter(number=asked.number)
    line = lines.select_related("order").first()
    if line is None:
        return Finding(cause, title, Verdict.OK, "Support assigned it.", group=LIST)
    address = reverse("numbers:order", args=[asked.workspace.slug, line.order.reference])
    words = f"Completed with order {line.order.reference}."
    return Finding(cause, title, Verdict.OK, words, Fix("See the order", address), group=LIST)


def _search(asked: Asked) -> Finding:
    return Finding(
        "search", "Search", Verdict.OK, f"It is found by its digits, for example by "
        f"{asked.number.e164[-4:]}.", Fix("Find it", _list(
            asked, q=asked.number.e164, status="released" if asked.number.released_at else "",
        )), group=LIST,
    )  # fmt: skip


def _contact(asked: Asked) -> Finding:
    return Finding(
        "support", "Support", Verdict.OK, "If it is missing all the same, tell support the "
        "reference that you get below.", support(asked.number), group=LIST,
    )  # fmt: skip


# --- It cannot be chosen --------------------------------------------------------------------


def _choosing_workspace(asked: Asked) -> Finding:
    return Finding(
        "choose_workspace", "Workspace", Verdict.OK,
        f"It can be chosen in {asked.workspace} and in no other workspace. For another one, buy "
        "one there.", Fix("Show your workspaces", reverse("workspaces")), group=CHOOSING,
    )  # fmt: skip


def _capabilities(asked: Asked) -> Finding:
    cause, title, number = "capabilities", "Capabilities", asked.number
    has = [kind.label for kind in Capability if number.can(kind)]
    missing = [kind for kind in (Capability.VOICE, Capability.SMS) if not number.can(kind)]
    words = f"It can do {' and '.join(has) or 'nothing that the carrier reports'}."
    if not missing:
        return Finding(cause, title, Verdict.OK, words, group=CHOOSING)
    lacks = " and ".join(kind.label for kind in missing)
    query = [("country", number.country), *(("capabilities", kind) for kind in missing)]
    buy = f"{reverse('numbers:buy', args=[asked.workspace.slug])}?{urlencode(query)}"
    return Finding(
        cause, title, Verdict.PROBLEM, f"{words} It cannot be chosen for {lacks}.",
        Fix(f"Buy one that does {lacks}", buy), f"Choose another number for {lacks}.",
        group=CHOOSING,
    )  # fmt: skip


def _choosing_status(asked: Asked) -> Finding:
    status = _status(asked, CHOOSING, "choose_status")
    if status.is_problem:
        return status
    barrier = barriers_of(asked.workspace, [asked.number], ()).get(asked.number.pk)
    if barrier is None:
        return status
    return Finding("choose_status", "Number status", Verdict.PROBLEM, f"{barrier.reason}.",
                   barrier.fix, group=CHOOSING)  # fmt: skip


def _purchased(asked: Asked) -> Finding:
    count = Number.objects.for_workspace(asked.workspace).active().count()
    words = f"{asked.workspace} has {count} active number{'' if count == 1 else 's'}."
    if count:
        return Finding("purchased", "Numbers purchased", Verdict.OK, words, group=CHOOSING)
    buy = reverse("numbers:buy", args=[asked.workspace.slug])
    return Finding(
        "purchased", "Numbers purchased", Verdict.PROBLEM, words,
        Fix("Purchase a number", buy), "Purchase a number first.", group=CHOOSING,
    )  # fmt: skip


# --- Costs ----------------------------------------------------------------------------------


def _fees(asked: Asked) -> list[Finding]:
    if not asked.can(WALLET_VIEW):
        granters = names_of(who_can_grant(asked.workspace))
        return [
            Finding("monthly_fee", "Monthly fee", Verdict.UNKNOWN, "What it costs is shown to "
                    "those with the permission wallet_view.", None, f"{granters} can grant it.",
                    group=COSTS)
        ]  # fmt: skip
    return [_monthly_fee(asked), _audit_of_numbers(asked)]


def _monthly_fee(asked: Asked) -> Finding:
    number = asked.number
    price = money.show(number.monthly_price, number.currency)
    costs = Fix("See what it cost, month by month", asked.page("number_costs"))
    if number.released_at or number.parked_at:
        return Finding("monthly_fee", "Monthly fee", Verdict.OK, "Nothing is charged for it any "
                       "more.", costs, group=COSTS)  # fmt: skip
    return Finding(
        "monthly_fee", "Monthly fee", Verdict.OK,
        f"{price} a month, whether it is used or not; the next on "
        f"{_day(asked, number.paid_until)}.", costs, group=COSTS,
    )  # fmt: skip


def _audit_of_numbers(asked: Asked) -> Finding:
    cause, title, number = "audit", "Use", asked.number
    unused = Fix("See what nobody uses", reverse("numbers:unused", args=[asked.workspace.slug]))
    since = number.last_used_at or number.created_at
    if timezone.now() - since <= UNUSED_AFTER or number.released_at or number.parked_at:
        return Finding(cause, title, Verdict.OK, "It was used or bought in the last 30 days. Look "
                       "through your numbers now and then.", unused, group=COSTS)  # fmt: skip
    return Finding(
        cause, title, Verdict.PROBLEM,
        f"No call or message since {_day(asked, since)}, and its fee goes on.", unused,
        "Release it if nobody needs it.", group=COSTS,
    )  # fmt: skip


def support(number: Number) -> Fix:
    query = urlencode({"subject": number.international})
    return Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}?{query}")


def _day(asked: Asked, moment: object) -> str:
    local = moment.astimezone(ZoneInfo(asked.workspace.time_zone))  # type: ignore[attr-defined]
    return date_format(local, "j M Y")
