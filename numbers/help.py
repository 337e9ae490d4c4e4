"""Why isn't it working, for whom no number is at hand: it is missing, none can be chosen, or
something was charged. Looks a number up in any written form, in this workspace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from lib import e164 as formats
from lib import money
from lib.errors import Fix
from numbers.elsewhere import elsewhere
from numbers.finding import Asked, condition, phone_condition, understand
from numbers.list_models import Tag
from numbers.models import DiagnosisReport, Number, OrderLine
from numbers.number_rows import Row
from numbers.number_rows import rows_of as rows_of_list
from numbers.number_why import CHOOSING, COSTS, INBOUND, LIST, names_of
from numbers.reports import Finding, Verdict, rows_of
from wallet.models import Entry
from workspaces.access import who_can_grant
from workspaces.models import Membership, Workspace
from workspaces.permissions import NUMBERS_CREATE, WALLET_VIEW

MOST = 10
LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Which:
    """The numbers that it may be about, those with a problem first, the gravest before all."""

    rows: Sequence[Row]
    more: bool
    troubled: int

    @property
    def troubled_words(self) -> str:
        """``2 numbers have``, for a sentence; more than are shown are not counted."""
        if self.troubled == 1:
            return "1 number has"
        return f"More than {MOST} numbers have" if self.troubled > MOST else (
            f"{self.troubled} numbers have"
        )  # fmt: skip


def which(workspace: Workspace, text: str) -> Which:
    """The workspace's numbers that are meant by what was typed, in any form, those that were
    given back last; without a text any of them.
    """
    mine = Number.objects.for_workspace(workspace)
    asked = understand(text)
    if text:
        tags = Tag.objects.for_workspace(workspace).filter(name__icontains=text)
        found = mine.owned().filter(condition(workspace, asked, tags))
    else:
        found = mine.owned()
    numbers = list(found.order_by("-health", "-created_at", "-pk")[: MOST + 1])
    if asked.is_digits and len(numbers) <= MOST:
        released = mine.filter(phone_condition(asked), released_at__isnull=False)
        numbers += released.order_by("-released_at", "-pk")[: MOST + 1 - len(numbers)]
    return Which(
        rows_of_list(workspace, numbers[:MOST], {}),
        more=len(numbers) > MOST,
        troubled=sum(number.health != Number.Health.GOOD for number in numbers),
    )


def diagnose_without_number(membership: Membership, text: str) -> list[Finding]:
    """The lists for a number that is not here, or for none at all. Asks no carrier.

    One of another workspace reads as one that nobody has, unless the person sees that
    workspace too.
    """
    asked = understand(text)
    return [
        _inbound(membership, text), _workspace(membership, text, asked), _refresh(membership),
        _purchase(membership, asked), _search(membership, text), _support(text),
        *_choosing(membership), *_costs(membership),
    ]  # fmt: skip


def keep_help_report(membership: Membership, text: str) -> DiagnosisReport:
    return DiagnosisReport.objects.create(
        workspace=membership.workspace, by=membership.user, at=timezone.now(), search=text,
        found=rows_of(diagnose_without_number(membership, text)),
    )  # fmt: skip


def _address(membership: Membership, name: str, **query: str) -> str:
    address = reverse(f"numbers:{name}", args=[membership.workspace.slug])
    return f"{address}?{urlencode(query)}" if query else address


def _inbound(membership: Membership, text: str) -> Finding:
    cause, title, here = "inbound_number", "The number", membership.workspace
    if text:
        return Finding(
            cause, title, Verdict.PROBLEM, f"{text} is no number of {here}: what is sent to it "
            "does not arrive here.", Fix("Choose from the numbers", _address(membership, "help")),
            "Look whether it is written right, or choose one of the numbers.", group=INBOUND,
        )  # fmt: skip
    found = which(here, "")
    if not found.rows:
        return Finding(
            cause, title, Verdict.PROBLEM, f"{here} has no number that anything could reach.",
            _get_one(membership), "Get a number first.", group=INBOUND,
        )  # fmt: skip
    if found.troubled:
        return Finding(
            cause, title, Verdict.PROBLEM, f"{found.troubled_words} a problem that is known.",
            Fix("See them all", _address(membership, "index", problem="any")),
            "Choose the number above, and every cause is checked for it.", group=INBOUND,
        )  # fmt: skip
    return Finding(
        cause, title, Verdict.OK, "No number has a problem that is known.",
        Fix("Choose the number", f"{_address(membership, 'help')}#which"),
        "Choose the number above, and every cause is checked for it.", group=INBOUND,
    )  # fmt: skip


def _get_one(membership: Membership) -> Fix:
    may = membership.can(NUMBERS_CREATE)
    return Fix("Purchase a number" if may else "Ask for a number", _address(membership, "buy"))


def _workspace(membership: Membership, text: str, asked: Asked) -> Finding:
    cause, title, here = "list_workspace", "Active workspace", membership.workspace
    others = elsewhere(user=membership.user, here=here, asked=asked)
    if others:
        found = others[0]
        return Finding(
            cause, title, Verdict.PROBLEM,
            f"{formats.international(found.e164)} is in {found.workspace}, and this is {here}.",
            Fix("Open it there", found.url), "Switch the workspace.", group=LIST,
        )  # fmt: skip
    if text:
        return Finding(
            cause, title, Verdict.PROBLEM, f"There is no number {text} in {here}, nor in another "
            "workspace of yours.", Fix("Show your workspaces", reverse("workspaces")),
            "Look whether it was bought in another workspace.", group=LIST,
        )  # fmt: skip
    return Finding(cause, title, Verdict.OK, f"You look at the numbers of {here}. Others are in "
                   "your other workspaces.", Fix("Show your workspaces", reverse("workspaces")),
                   group=LIST)  # fmt: skip


def _refresh(membership: Membership) -> Finding:
    return Finding(
        "refresh", "Reload", Verdict.OK, "The list is read anew each time.",
        Fix("Reload the list", _address(membership, "index")), group=LIST,
    )  # fmt: skip


def _purchase(membership: Membership, asked: Asked) -> Finding:
    cause, title = "order", "Purchase"
    lines = OrderLine.objects.for_workspace(membership.workspace).select_related("order")
    if asked.is_digits:
        lines = lines.filter(phone_condition(asked))
    waiting = lines.unsettled().order_by("-pk").first()
    if waiting is not None:
        return Finding(
            cause, title, Verdict.PROBLEM, f"{waiting.international} is ordered and the carrier "
            f"has still to confirm it. You are not charged twice.", _order(membership, waiting),
            "Wait: it appears by itself.", group=LIST,
        )  # fmt: skip
    refused = lines.filter(state=OrderLine.State.REFUSED, settled_at__gte=timezone.now() - LATELY)
    line = refused.order_by("-pk").first()
    if line is not None:
        return Finding(
            cause, title, Verdict.PROBLEM, f"The purchase of {line.international} was not "
            f"completed: {line.refusal_sentence}", _order(membership, line), "Look at the order "
            "and buy again.", group=LIST,
        )  # fmt: skip
    return Finding(cause, title, Verdict.OK, "No purchase is under way, and none failed in the "
                   "last 30 days.", group=LIST)  # fmt: skip


def _order(membership: Membership, line: OrderLine) -> Fix:
    where = [membership.workspace.slug, line.order.reference]
    return Fix("See the order", reverse("numbers:order", args=where))


def _search(membership: Membership, text: str) -> Finding:
    return Finding(
        "search", "Search", Verdict.OK, "The search finds a number by any of its digits.",
        Fix("Search the list", _address(membership, "index", **({"q": text} if text else {}))),
        group=LIST,
    )  # fmt: skip


def _support(text: str) -> Finding:
    query = urlencode({"subject": f"Number not in the list {text}".strip()})
    return Finding(
        "support", "Support", Verdict.OK, "Was it paid for and is still missing? Tell support the "
        "reference that you get below.",
        Fix("Write to support", f"mailto:{settings.SUPPORT_EMAIL}?{query}"), group=LIST,
    )  # fmt: skip


def _choosing(membership: Membership) -> list[Finding]:
    workspace = membership.workspace
    active = Number.objects.for_workspace(workspace).active()
    count = active.count()
    index = Fix("See the numbers", _address(membership, "index"))
    if not count:
        return [
            Finding("purchased", "Numbers purchased", Verdict.PROBLEM, f"{workspace} has no "
                    "active number to choose.", _get_one(membership), "Get a number first.",
                    group=CHOOSING)
        ]  # fmt: skip
    off = Number.objects.for_workspace(workspace).owned().filter(status="inactive").count()
    voice = active.filter(capabilities__contains=["voice"]).count()
    sms = active.filter(capabilities__contains=["sms"]).count()
    lacks = " or ".join(what for what, able in (("Voice", voice), ("SMS", sms)) if not able)
    return [
        Finding("choose_workspace", "Workspace", Verdict.OK, f"Only numbers of {workspace} can be "
                "chosen here.", Fix("Show your workspaces", reverse("workspaces")),
                group=CHOOSING),
        Finding("purchased", "Numbers purchased", Verdict.OK, f"{count} active.", index,
                group=CHOOSING),
        Finding("capabilities", "Capabilities", Verdict.PROBLEM if lacks else Verdict.OK,
                f"{voice} can do Voice, {sms} can do SMS.",
                Fix(f"Buy one that does {lacks}", _address(membership, "buy")) if lacks else index,
                group=CHOOSING),
        Finding("choose_status", "Number status", Verdict.PROBLEM if off else Verdict.OK,
                f"{off} inactive: only active numbers can be chosen.",
                Fix("See them", _address(membership, "index", status="inactive")) if off else None,
                group=CHOOSING),
    ]  # fmt: skip


def _costs(membership: Membership) -> list[Finding]:
    if not membership.can(WALLET_VIEW):
        granters = names_of(who_can_grant(membership.workspace))
        return [
            Finding("monthly_fee", "Monthly fees", Verdict.UNKNOWN, "What things cost is shown to "
                    "those with the permission wallet_view.", None, f"{granters} can grant it.",
                    group=COSTS)
        ]  # fmt: skip
    rates = Fix("Look prices up", reverse("interactions:rates", args=[membership.workspace.slug]))
    wallet = reverse("wallet:index", args=[membership.workspace.slug])
    return [
        Finding("monthly_fee", "Monthly fees", Verdict.OK, "Each number costs its fee every month, "
                "whether it is used or not.", Fix("See what each costs",
                _address(membership, "costs")), group=COSTS),
        Finding("last_charge", "Charges", Verdict.OK, _last_charge(membership),
                Fix("See the statement", wallet), group=COSTS),
        Finding("per_minute", "Charges per minute and message", Verdict.OK, "Calls are charged per "
                "minute, messages per segment and picture.", rates, group=COSTS),
        Finding("international", "International rates", Verdict.OK, "Other countries have prices "
                "of their own.", rates, group=COSTS),
        Finding("audit", "Use", Verdict.OK, "A number that nobody uses costs its fee all the same.",
                Fix("See what nobody uses", _address(membership, "unused")), group=COSTS),
    ]  # fmt: skip


def _last_charge(membership: Membership) -> str:
    charges = Entry.objects.filter(wallet=membership.workspace.pk, amount__lt=0)
    entry = charges.select_related("wallet").order_by("-seq").first()
    if entry is None:
        return "Nothing has been charged so far."
    return f"The last charge was {money.show(-entry.amount, entry.wallet.currency)}: {entry.text}."
