"""Every bullet of the troubleshooting lists, as a person meets it: what is the case, the sentence
that is seen, and the fix beside it, which leads where it says or does what it says.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from conftest import make_member
from numbers.catalogue import refresh_everything
from numbers.models import DiagnosisReport, Number
from numbers.purchase import purchase_number
from numbers.quote import Quote
from tests.browser.audit import audit
from tests.browser.steps import BUY
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import Role

HELP, LIST = "/w/acme/numbers/help/", "/w/acme/numbers/"
WHY_NOT_BUY = "/w/acme/numbers/why/"
IN_ORDER, IN_THE_WAY, NOT_CHECKED = "In order", "is in the way", "Could not be checked"
FROM_BUYING = "This keeps you from buying"


@dataclass
class World:
    """Acme with Olivia, its owner, and one number that is the same here and at the carrier;
    Globex, where she is an admin and which has another number and $2.00.
    """

    acme: Workspace
    owner: User
    number: Number
    elsewhere: Number
    quote: Quote
    simulator: Any

    def at_carrier(self, **fields: object) -> None:
        self.simulator.app.state.update(self.simulator.account, self.number.provider_sid, fields)

    def here(self, **facts: object) -> None:
        Number.objects.filter(pk=self.number.pk).update(**facts)

    def order_without_answer(self) -> None:
        self.simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
        purchase_number(workspace=self.acme, by=self.owner, quote=self.quote)

    def demote(self, role: Role) -> None:
        """Somebody else owns acme, and Olivia may do less."""
        make_member(self.acme, Role.OWNER, "ada@acme.test", "Ada")
        Membership.objects.filter(workspace=self.acme, user=self.owner).update(role=role)


@pytest.fixture
def world(acme, globex, owner, connected, make_number, quote, simulator) -> World:
    Number.objects.filter(pk=connected.pk).update(last_used_at=timezone.now())
    Membership.objects.create(workspace=globex, user=owner, role=Role.ADMIN)
    other = make_number(globex, "+13105550199")
    return World(acme, owner, connected, other, quote, simulator)


@dataclass
class Seen:
    """What is seen at ``page`` (``{number}``: the number's own) in a line, and what its fix
    does: ``leads`` to an address, or ``tells`` something on the page that comes.
    """

    case: Callable[[World], object]
    page: str
    line: str
    verdict: str
    sentence: str
    fix: str
    leads: str = ""
    tells: str = ""


def as_it_is(world: World) -> None:
    """Nothing has to be the case."""


WHY = "/w/acme/numbers/{number}/why/"
MAIL = r"^mailto:.*@"
CANNOT_BUY = "Cannot purchase a number"
NOT_REACHING = "Inbound calls or messages not reaching the app"
NOT_LISTED = "Purchased number not appearing in list"
CANNOT_SELECT = "Cannot select number in campaign or assistant"
COSTS = "Unexpected costs or charges"

BULLETS: dict[tuple[str, str], Seen] = {
    (CANNOT_BUY, "Insufficient wallet balance"): Seen(
        as_it_is, "/w/globex/numbers/why/?country=US&type=toll_free", "balance", FROM_BUYING,
        "$0.58 is missing.", "Add funds", leads=r"/w/globex/wallet/.*missing=0\.58",
    ),
    (CANNOT_BUY, "No purchase permission"): Seen(
        lambda w: w.demote(Role.VIEWER), WHY_NOT_BUY, "permission", FROM_BUYING,
        "You do not have the permission numbers_create in Acme. Ada can grant it",
        "Choose a number and ask for it", leads=re.escape(BUY),
    ),
    (CANNOT_BUY, "Provider availability"): Seen(
        as_it_is, f"{WHY_NOT_BUY}?country=US&area_code=310", "availability", FROM_BUYING,
        "The carrier has none in area code 310", "Search instead: 424, the same area",
        leads=r"/buy/\?.*area_code=424",
    ),
    (CANNOT_BUY, "Twilio credentials"): Seen(
        lambda w: w.simulator.fault("unauthorized", times=-1), WHY_NOT_BUY, "credentials",
        FROM_BUYING, "The Twilio credentials of this site are missing or wrong.",
        "Write to support", leads=MAIL,
    ),
    (CANNOT_BUY, "Region restrictions"): Seen(
        as_it_is, f"{WHY_NOT_BUY}?country=DE", "region", FROM_BUYING,
        "a registered address", "Choose another country", leads=r"/w/acme/numbers/buy/",
    ),
    (NOT_REACHING, "Webhook configuration"): Seen(
        lambda w: w.at_carrier(voice_url=""), WHY, "webhook_there", IN_THE_WAY,
        "The carrier sends some of it nowhere.", "Compare and set right",
        tells="is the same here and at the carrier",
    ),
    (NOT_REACHING, "Active workspace"): Seen(
        as_it_is, f"{HELP}?number=%2B13105550199", "list_workspace", IN_THE_WAY,
        "is in Globex, and this is Acme. Switch the workspace.", "Open it there",
        leads=r"/w/globex/numbers/[\w-]+/$",
    ),
    (NOT_REACHING, "AI assistant assigned"): Seen(
        as_it_is, WHY, "answered", IN_THE_WAY, "Nobody is chosen to answer calls",
        "Decide who answers", leads=r"/w/acme/.*/route/$",
    ),
    (NOT_REACHING, "Number status"): Seen(
        lambda w: w.here(deactivated_at=timezone.now()), WHY, "status", IN_THE_WAY,
        "Inactive: somebody switched it off.", "Switch it on", tells="is switched on.",
    ),
    (NOT_REACHING, "Provider status"): Seen(
        lambda w: w.at_carrier(status="pending"), WHY, "at_carrier", IN_THE_WAY,
        "The carrier says: pending. Write to support: it has to be put in use again there.",
        "Write to support", leads=MAIL,
    ),
    (NOT_REACHING, "Test the number"): Seen(
        as_it_is, WHY, "test", IN_ORDER, "A test call or message goes the whole way",
        "Test it", leads=r"/test/$",
    ),
    (NOT_LISTED, "Check active workspace"): Seen(
        as_it_is, WHY, "list_workspace", IN_ORDER,
        "It is in Acme. The list of another workspace does not show it", "Show your workspaces",
        leads=r"/workspaces/$",
    ),
    (NOT_LISTED, "Refresh the page"): Seen(
        as_it_is, HELP, "refresh", IN_ORDER, "The list is read anew each time.",
        "Reload the list", leads=f"{LIST}$",
    ),
    (NOT_LISTED, "Check purchase status"): Seen(
        lambda w: w.order_without_answer(), HELP, "order", IN_THE_WAY,
        "is ordered and the carrier has still to confirm it. You are not charged twice.",
        "See the order", leads=r"/numbers/orders/ORD-\w+/$",
    ),
    (NOT_LISTED, "Search for the number"): Seen(
        as_it_is, WHY, "search", IN_ORDER, "It is found by its digits, for example by 0123.",
        "Find it", leads=rf"{LIST}\?q=%2B12125550123",
    ),
    (NOT_LISTED, "Contact support"): Seen(
        as_it_is, f"{HELP}?number=5550177", "support", IN_ORDER,
        "Tell support the reference that you get below.", "Write to support", leads=MAIL,
    ),
    (CANNOT_SELECT, "Wrong workspace"): Seen(
        as_it_is, WHY, "choose_workspace", IN_ORDER,
        "It can be chosen in Acme and in no other workspace.", "Show your workspaces",
        leads=r"/workspaces/$",
    ),
    (CANNOT_SELECT, "Number capabilities"): Seen(
        lambda w: w.here(capabilities=["voice"]), WHY, "capabilities", IN_THE_WAY,
        "It can do Voice. It cannot be chosen for SMS.", "Buy one that does SMS",
        leads=r"/buy/\?country=US&capabilities=sms",
    ),
    (CANNOT_SELECT, "Number status"): Seen(
        lambda w: w.here(suspended_at=timezone.now()), WHY, "choose_status", IN_THE_WAY,
        "Inactive: its monthly fee is overdue.", "Add funds", leads=r"/w/acme/wallet/add/",
    ),
    (CANNOT_SELECT, "No numbers purchased"): Seen(
        lambda w: w.here(released_at=timezone.now()), HELP, "purchased", IN_THE_WAY,
        "Acme has no active number to choose.", "Purchase a number", leads=re.escape(BUY),
    ),
    (COSTS, "Monthly fees"): Seen(
        as_it_is, WHY, "monthly_fee", IN_ORDER, "$1.38 a month, whether it is used or not",
        "See what it cost, month by month", leads=r"/costs/$",
    ),
    (COSTS, "Per-minute charges"): Seen(
        as_it_is, WHY, "per_minute", IN_ORDER, "$0.00 this month for 0 calls",
        "See what it cost, month by month", leads=r"/costs/$",
    ),
    (COSTS, "Per-message charges"): Seen(
        as_it_is, WHY, "per_message", IN_ORDER, "$0.00 this month for 0 messages",
        "See the price of a message", leads=r"/rates/$",
    ),
    (COSTS, "International rates"): Seen(
        as_it_is, WHY, "international", IN_ORDER,
        "Calls and messages to other countries have prices of their own.", "Look prices up",
        leads=r"/rates/$",
    ),
    (COSTS, "Best practice"): Seen(
        lambda w: w.here(last_used_at=timezone.now() - timedelta(days=45)), WHY, "audit",
        IN_THE_WAY, "and its fee goes on. Release it if nobody needs it.",
        "See what nobody uses", leads=r"/costs/unused/$",
    ),
}  # fmt: skip
HOW_MANY = {CANNOT_BUY: 5, NOT_REACHING: 6, NOT_LISTED: 5, CANNOT_SELECT: 4, COSTS: 5}
every_bullet = pytest.mark.parametrize("bullet", BULLETS, ids=": ".join)


def test_no_bullet_is_left_out():
    of = [heading for heading, _ in BULLETS]
    assert {heading: of.count(heading) for heading in of} == HOW_MANY


def line_of(page: Page, cause: str) -> Locator:
    return page.locator(f"#line-{cause}")


@every_bullet
def test_a_bullet_is_found_said_and_mended(browse, world, bullet):
    seen = BULLETS[bullet]
    refresh_everything()  # the countries are known, as on a site that has run for a while
    seen.case(world)
    page = browse(world.owner, seen.page.replace("{number}", world.number.public_id))
    line = line_of(page, seen.line)
    expect(line.get_by_role("img", name=seen.verdict)).to_be_visible()
    expect(line).to_contain_text(re.compile(r"\s+".join(map(re.escape, seen.sentence.split()))))
    fix = line.get_by_role("button" if seen.tells else "link", name=seen.fix)
    if seen.leads == MAIL:
        expect(fix).to_have_attribute("href", re.compile(MAIL))
        return
    answered = []
    page.on("response", lambda answer: answered.append((answer.url, answer.status)))
    fix.click()
    if seen.tells:
        expect(page.get_by_text(seen.tells)).to_be_visible()
    else:
        expect(page).to_have_url(re.compile(seen.leads))
    page.wait_for_load_state()
    assert [url for url, status in answered if status >= 400] == []


FAILED = {
    "buying": (CANNOT_BUY, "Provider availability"),
    "a number": (NOT_REACHING, "Webhook configuration"),
    "no number at hand": (NOT_LISTED, "Check purchase status"),
}


@pytest.mark.parametrize("bullet", FAILED.values(), ids=FAILED)
def test_the_reference_of_a_failed_line_opens_for_staff(browse, world, staff, bullet):
    seen = BULLETS[bullet]
    seen.case(world)
    page = browse(world.owner, seen.page.replace("{number}", world.number.public_id))
    page.get_by_role("button", name="Get a reference for support").first.click()
    expect(page.get_by_role("heading", name="Tell support this reference")).to_be_visible()
    report = DiagnosisReport.objects.get()
    [(reference, line)] = [one for one in report.lines if one[1].cause == seen.line]
    expect(line_of(page, seen.line).get_by_text(reference, exact=True)).to_be_visible()
    audit(page)
    admin = browse(staff, f"/admin/find/?q={reference}")
    admin.get_by_role("link", name=report.reference).first.click()
    told = admin.get_by_text(re.compile(f"^{reference} "))
    expect(told).to_contain_text(line.evidence)
