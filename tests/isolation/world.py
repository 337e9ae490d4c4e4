"""Acme with one of everything, and the people who may or may not see it."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from conftest import make_member, make_workspace
from interactions.models import (
    Call,
    Conversation,
    Direction,
    MediaFile,
    Medium,
    Message,
    NumberTest,
    Voicemail,
)
from numbers import ask
from numbers import quote as quotes
from numbers.list_models import BulkRun
from numbers.models import Number, NumberOrder
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from numbers.purchase_requests import PurchaseRequest
from numbers.reports import DiagnosisReport
from numbers.sync_models import Difference
from telephony import provider
from telephony.values import AvailableNumber, NumberQuery, NumberType
from wallet.models import TopUp
from workspaces import invitations
from workspaces.models import Invitation, Membership, User, Workspace
from workspaces.permissions import Role

OUTSIDER, ANONYMOUS = "outsider", "anonymous"
# The least powerful first: who is refused has changed nothing before the others come.
PEOPLE = (ANONYMOUS, OUTSIDER, "viewer", "member", "owner")
# What has been said in Acme, and by whom.
CONTACT, SAID = "+14155550123", "The parcel is at the gate"


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
    bulk_run: BulkRun
    top_up: TopUp
    conversation: Conversation
    picture: MediaFile
    voicemail: Voicemail
    test: NumberTest
    difference: Difference
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
            self.report.reference, self.bulk_run.public_id, self.top_up.reference,
            self.conversation.public_id, self.picture.public_id, self.voicemail.public_id,
            self.test.public_id, CONTACT, SAID,
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
    return World(
        acme, globex, people, order, number, available, invitation, request, report,
        bulk_run=_bulk_run(number, people["owner"]), top_up=_top_up(acme, people["owner"]),
        test=_test(number, people["owner"]), difference=_difference(number),
        **_interactions(number),
    )  # fmt: skip


def _bulk_run(number: Number, by: User) -> BulkRun:
    result = {"id": number.public_id, "number": number.e164, "why_not": ""}
    return BulkRun.objects.create(
        workspace=number.workspace, public_id="isolation123", action="tag", by=by,
        at=timezone.now(), results=[result],
    )  # fmt: skip


def _top_up(workspace: Workspace, by: User) -> TopUp:
    now = timezone.now()
    return TopUp.objects.create(
        workspace=workspace, wallet_id=workspace.pk, amount=Decimal(20), currency="USD", by=by,
        created_at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip


def _difference(number: Number) -> Difference:
    """Somebody has sent its calls elsewhere, maybe on purpose."""
    now = timezone.now()
    return Difference.objects.create(
        workspace=number.workspace, number=number, e164=number.e164,
        provider_sid=number.provider_sid, kind=Difference.Kind.WEBHOOKS, asks=True,
        theirs={"voice_url": "https://elsewhere.test/"}, first_seen_at=now, last_seen_at=now,
    )  # fmt: skip


def _test(number: Number, by: User) -> NumberTest:
    return NumberTest.objects.create(
        workspace=number.workspace, key=uuid.uuid4(), number=number, medium=Medium.VOICE,
        started_by=by, started_at=timezone.now(),
    )  # fmt: skip


def _interactions(number: Number) -> dict[str, Any]:
    """A conversation with a picture that is kept and a voicemail."""
    of, now = {"workspace": number.workspace}, timezone.now()
    conversation = Conversation.objects.create(
        **of, number=number, contact=CONTACT, last_at=now, last_text=SAID, unread=1
    )
    arrived = {
        **of, "conversation": conversation, "number": number, "direction": Direction.IN,
        "at": now, "ended_at": now, "settled_at": now,
    }  # fmt: skip
    message = Message.objects.create(
        **arrived, sid="MM" + "1" * 32, status="received", body=SAID, handled_at=now, pictures=1
    )
    call = Call.objects.create(
        **arrived, sid="CA" + "1" * 32, status="completed", outcome=Call.Outcome.VOICEMAIL
    )
    picture = MediaFile(
        **of, message=message, position=0, content_type="image/png", state=MediaFile.State.KEPT,
        next_try_at=now,
    )  # fmt: skip
    picture.file.save("isolation.png", ContentFile(b"a picture"), save=True)
    voicemail = Voicemail(
        **of, call=call, sid="RE" + "1" * 32, seconds=5, at=now, state=Voicemail.State.KEPT,
        next_try_at=now,
    )  # fmt: skip
    voicemail.audio.save("isolation.mp3", ContentFile(b"a voice"), save=True)
    return {"conversation": conversation, "picture": picture, "voicemail": voicemail}
