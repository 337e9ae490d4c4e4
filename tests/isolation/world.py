"""Acme with one of everything, and the people who may or may not see it."""

from dataclasses import dataclass, field

from django.utils import timezone

from conftest import make_member, make_workspace
from numbers import ask
from numbers import quote as quotes
from numbers.models import Number, NumberOrder
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from numbers.purchase_requests import PurchaseRequest
from numbers.reports import DiagnosisReport
from telephony import provider
from telephony.values import AvailableNumber, NumberQuery, NumberType
from workspaces import invitations
from workspaces.models import Invitation, Membership, User, Workspace
from workspaces.permissions import Role

OUTSIDER, ANONYMOUS = "outsider", "anonymous"
# The least powerful first: who is refused has changed nothing before the others come.
PEOPLE = (ANONYMOUS, OUTSIDER, "viewer", "member", "owner")


@dataclass
class World:
    """What sample arguments are taken from. ``person`` is who is asking just now."""

    acme: Workspace
    globex: Workspace
    people: dict[str, User]
    order: NumberOrder
    number: Number
    available: AvailableNumber
    invitation: Invitation
    request: PurchaseRequest
    report: DiagnosisReport
    person: str = "owner"
    workspace: Workspace = field(init=False)

    def __post_init__(self) -> None:
        self.workspace = self.acme

    @property
    def user(self) -> User | None:
        return self.people.get(self.person)

    def signed_quote(self) -> str:
        """As the review page would have given it to this person in this workspace."""
        if self.user is None:
            return "none"
        quote = quotes.new_quote(self.available, price_of("US", NumberType.LOCAL), "country=US")
        return quotes.sign(quote, workspace=self.workspace, by=self.user)

    def member_id(self) -> str:
        """Of the viewer, whom others change."""
        return Membership.objects.get(user=self.people["viewer"]).public_id

    def marks_of_acme(self) -> list[str]:
        """What must never be read by anyone outside Acme."""
        number = self.number
        return [
            number.e164, number.international, number.national, number.public_id,
            number.provider_sid, self.order.reference, "owner@acme.test", "viewer@acme.test",
            self.member_id(), self.invitation.public_id, self.request.reference,
            self.report.reference,
        ]  # fmt: skip


def build() -> World:
    """Needs the simulator and the database."""
    acme, globex = make_workspace("acme", "Acme", "50.00"), make_workspace("globex", "Globex", "9")
    people = {role: make_member(acme, Role(role), f"{role}@acme.test") for role in PEOPLE[2:]}
    people[OUTSIDER] = make_member(globex, Role.OWNER, "owner@globex.test")
    wanted = NumberQuery(country="US", number_type=NumberType.LOCAL, area_code="212", limit=2)
    bought, available = provider.search(wanted)
    quote = quotes.new_quote(bought, price_of("US", NumberType.LOCAL), "country=US")
    order = purchase_number(workspace=acme, by=people["owner"], quote=quote)
    number = Number.objects.for_workspace(acme).get()
    by = Membership.objects.get(user=people["owner"])
    invitation = invitations.invite(by=by, email="new@acme.test", role=Role.VIEWER)
    wish = quotes.new_quote(available, price_of("US", NumberType.LOCAL), "country=US")
    request = ask.ask_for(workspace=acme, by=people["viewer"], quote=wish)
    report = DiagnosisReport.objects.create(
        workspace=acme, by=people["viewer"], at=timezone.now(), search="", found=[]
    )
    return World(acme, globex, people, order, number, available, invitation, request, report)
