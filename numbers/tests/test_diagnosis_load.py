"""The pages that say why something does not work cost the same however much there is, and never
ask the carrier with a transaction open.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import signed_in
from interactions.models import ArrivedForNobody, Call, Conversation, Direction, RefusedWebhook
from numbers import sync
from numbers.catalogue import refresh_everything
from numbers.models import Number
from numbers.purchase import purchase_number
from numbers.sync_models import Difference, NumberCheck, SyncRun
from telephony.simulator.in_process import WSGIAdapter
from workspaces.models import User

pytestmark = pytest.mark.django_db

PAGES = {
    "why it does not work": "/w/acme/numbers/{number}/why/",
    "its checks": "/w/acme/numbers/{number}/checks/",
    "the help": "/w/acme/numbers/help/",
    "the help for a number": "/w/acme/numbers/help/?number=555",
    "the help for another": "/w/acme/numbers/help/?number=7775550100",
    "why nothing can be bought": "/w/acme/numbers/why/?country=US&area_code=212",
    "the platform": "/admin/platform/",
}
MOST_QUERIES = 30


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def more_of_everything(number: Number, make_number: Callable[..., Number], count: int) -> None:
    """Numbers with and without problems, differences, checks, walks, calls, and what was turned
    away or refused.
    """
    now, workspace = timezone.now(), number.workspace
    others = [
        make_number(workspace, vanished_at=now if place % 2 else None) for place in range(count)
    ]
    kinds = list(Difference.Kind)
    for place, other in enumerate([number] * count + others):
        at, of = now - timedelta(minutes=place), {"workspace": workspace, "number": other}
        Difference.objects.create(
            **of, e164=other.e164, provider_sid=f"PN{Difference.objects.count():032x}",
            kind=kinds[place % len(kinds)], first_seen_at=at, last_seen_at=at,
            ended_at=at if place % 3 else None, cure="vanished" if place % 3 else "",
        )  # fmt: skip
        NumberCheck.objects.create(**of, at=at, by=User.objects.first(), answered=True)
        talk, _ = Conversation.objects.get_or_create(
            **of, contact=f"+1415555{place:04d}", defaults={"last_at": at}
        )
        Call.objects.create(
            **of, conversation=talk, direction=Direction.IN, at=at, ended_at=at, settled_at=at,
            sid=f"CA{Call.objects.count():032x}", status="completed", outcome=Call.Outcome.MISSED,
        )  # fmt: skip
        ArrivedForNobody.objects.create(
            sid=f"CB{ArrivedForNobody.objects.count():032x}", medium="voice", number=other,
            called=other.e164, because="deactivated", at=at,
        )  # fmt: skip
        RefusedWebhook.objects.create(
            hour=at.replace(minute=0, second=0, microsecond=0), because="forged", count=1,
            path=f"/{RefusedWebhook.objects.count()}/", last_at=at, last_called=other.e164,
        )  # fmt: skip
        SyncRun.objects.create(started_at=at, ended_at=at, complete=True)


@pytest.mark.parametrize("which", PAGES)
def test_a_page_asks_no_more_however_much_there_is(as_owner, staff, owned, make_number, which):
    client = signed_in(staff) if which == "the platform" else as_owner
    address = PAGES[which].replace("{number}", owned.public_id)
    refresh_everything()
    more_of_everything(owned, make_number, 2)
    queries_of(client, address)  # what is asked once a process is known from now on
    few = queries_of(client, address)
    more_of_everything(owned, make_number, 15)
    assert queries_of(client, address) <= few <= MOST_QUERIES


# --- The carrier is asked with no transaction open ------------------------------------------


@pytest.fixture
def asked(simulator, monkeypatch) -> list[bool]:
    """For every request to the carrier, whether a transaction was open."""
    asked: list[bool] = []
    send = WSGIAdapter.send

    def noted(*args: object, **options: object) -> object:
        asked.append(connection.in_atomic_block)
        return send(*args, **options)

    monkeypatch.setattr(WSGIAdapter, "send", noted)
    return asked


ELSEWHERE = "https://elsewhere.example.com/voice"
ASKING = {
    "why it does not work": ("GET", "/w/acme/numbers/{number}/why/", {}),
    "its report": ("POST", "/w/acme/numbers/{number}/why/report/", {}),
    "comparing it": ("POST", "/w/acme/numbers/{number}/check/", {}),
    "setting it right": ("POST", "/w/acme/numbers/{number}/checks/{difference}/cure/", {}),
    "why nothing can be bought": ("GET", "/w/acme/numbers/why/", {"country": "US"}),
    "the report on it": ("POST", "/w/acme/numbers/why/report/", {"country": "US"}),
    "the platform": ("GET", "/admin/platform/", {}),
    "a comparison": ("POST", "/admin/numbers/syncrun/start/", {}),
    "a dry run": ("POST", "/admin/numbers/syncrun/start/", {"dry": "1"}),
    "staff set it right": ("POST", "/admin/numbers/difference/{pk}/decide/",
                           {"action": "cure", "reason": "Ticket 7"}),
    "staff give nobody's back": ("POST", "/admin/numbers/difference/{nobodys}/decide/",
                                 {"action": "give_back", "reason": "Ticket 7"}),
    "staff assign nobody's": ("POST", "/admin/numbers/difference/{nobodys}/decide/",
                              {"action": "assign", "reason": "Ticket 7", "workspace": "{acme}"}),
}  # fmt: skip


@pytest.fixture
def differing(acme, owner, owned, quote, simulator) -> dict[str, str]:
    """A number sent elsewhere, an order without its answer and nobody's number: their names."""
    simulator.app.state.update(simulator.account, owned.provider_sid, {"voice_url": ELSEWHERE})
    simulator.seed("+13105550199", type="local")
    sync.reconcile()
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers.json")
    purchase_number(workspace=acme, by=owner, quote=quote)
    mine = Difference.objects.get(kind="webhooks")
    return {
        "{number}": owned.public_id, "{difference}": mine.public_id, "{pk}": str(mine.pk),
        "{nobodys}": str(Difference.objects.get(kind="nobodys").pk), "{acme}": str(acme.pk),
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("which", ASKING)
def test_the_carrier_is_asked_with_no_transaction_open(as_owner, staff, differing, asked, which):
    method, address, fields = ASKING[which]
    staff = User.objects.get(pk=staff.pk)
    client = signed_in(staff) if address.startswith("/admin/") else as_owner
    for name, value in differing.items():
        address = address.replace(name, value)
        fields = {key: text.replace(name, value) for key, text in fields.items()}
    asked.clear()
    answer = client.post(address, fields) if method == "POST" else client.get(address, fields)
    assert answer.status_code in (200, 302), answer.content.decode()
    assert asked, "it asks the carrier"
    assert not any(asked)
