"""What a permission opens is on no page of somebody from whom it was withdrawn.

Each page has a gate, but some show a part of what another gate keeps: a balance beside a
price, a message beside a number.
"""

import pytest
from django.http import HttpResponse

from conftest import make_member, signed_in
from lib import money
from tests.isolation import world as worlds
from tests.isolation.test_every_url import address_of, undone
from tests.isolation.url_table import TABLE, Row
from tests.isolation.world import CONTACT, SAID, World
from wallet.models import Wallet
from workspaces import audit
from workspaces.models import Membership, User
from workspaces.permissions import AUDIT_VIEW, INBOX_VIEW, MEMBERS_MANAGE, WALLET_VIEW, Role

pytestmark = pytest.mark.django_db

DONE = "Something that only the activity tells"


@pytest.fixture
def world(simulator, db) -> World:
    world = worlds.build()
    audit.record(
        workspace=world.acme, by=world.people["owner"], action="number.renamed",
        subject=world.number, text=DONE,
    )  # fmt: skip
    return world


def marks(world: World, permission: str) -> list[str]:
    """What pages with this permission show, and no other may."""
    wallet = Wallet.objects.get(workspace=world.acme)
    return {
        INBOX_VIEW: [SAID, CONTACT, "+1 415-555-0123", "(415) 555-0123",
                     world.conversation.public_id, world.voicemail.public_id],
        WALLET_VIEW: [money.show(wallet.balance, "USD"), f"{wallet.balance:.2f}"],
        AUDIT_VIEW: [DONE],
        MEMBERS_MANAGE: [world.invitation.public_id, world.member_id()],
    }[permission]  # fmt: skip


def text_of(response: HttpResponse) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode(errors="replace")


def ask_as(person: User, row: Row, world: World) -> HttpResponse:
    client, query = signed_in(person), row.query(world)
    if row.method == "POST":
        return client.post(address_of(row, world), row.form(world), query_params=query)
    return client.generic(row.method, address_of(row, world), query_params=query)


@pytest.mark.parametrize("permission", [INBOX_VIEW, WALLET_VIEW, AUDIT_VIEW, MEMBERS_MANAGE])
def test_what_was_withdrawn_is_on_no_page(permission: str, world: World):
    somebody = world.people["owner"] = make_member(world.acme, Role.ADMIN, "somebody@acme.test")
    with_it = shown_on(permission, somebody, world)
    Membership.objects.filter(user=somebody).update(withdrawn=[permission])
    without_it = shown_on(permission, somebody, world)
    assert without_it == {}
    assert with_it, "the marks are on no page at all: nothing was looked for"


def shown_on(permission: str, person: User, world: World) -> dict[str, list[str]]:
    """The requests whose answers hold a mark, and which."""
    looked_for, found = marks(world, permission), {}
    for row in TABLE:
        with undone():
            text = text_of(ask_as(person, row, world))
            if seen := [mark for mark in looked_for if mark in text]:
                found[row.request] = seen
    return found
