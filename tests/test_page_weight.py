"""The first load of a page: at most 60 KiB and 6 requests, as they are sent to a browser that
takes gzip, with the static files collected and compressed as in production.
"""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from interactions.models import Conversation
from numbers.tests.conftest import make_number  # noqa: F401  a fixture
from tests.orders import buy_any
from wallet import ledger

MOST_BYTES = 60 * 1024
MOST_REQUESTS = 6
STATIC = re.compile(r'(?:href|src)="(/static/[^"#]+)')

BUY = "/w/acme/numbers/buy/"
PAGES = [
    "/accounts/login/",
    "/w/acme/numbers/",
    "/w/acme/wallet/",
    BUY,
    f"{BUY}?country=US",
    f"{BUY}?country=US&area_code=310",
    f"{BUY}?country=US&area_code=000",
    f"{BUY}review/?country=US&area_code=212&number=%2B12127466496&number_type=local",
    "the order",
    "/w/nobody/",
]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture
def production_files(settings, collected):
    settings.STATIC_ROOT = collected
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    if not any(collected.iterdir()):
        call_command("collectstatic", interactive=False, verbosity=0)


def sent(client: Client, path: str) -> bytes:
    """What goes over the wire for one address, headers left out."""
    return b"".join(client.get(path, headers={"accept-encoding": "gzip"}))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_on_its_first_load(
    acme, owner, as_owner, simulator, production_files, path
):
    order = buy_any(acme, owner)
    if path == "the order":
        path = order.get_absolute_url()
    is_light(Client() if path.startswith("/accounts/") else as_owner, path)


@pytest.mark.parametrize("path", ["/w/acme/numbers/", "/w/acme/wallet/", "/w/acme/inbox/"])
def test_a_full_page_is_light_too(acme, as_owner, make_number, production_files, path):  # noqa: F811
    """Fifty numbers, fifty lines, forty conversations: as much as a page shows."""
    now = timezone.now()
    for place in range(60):
        number = make_number(
            acme, f"+1{201 + 2 * place}555{7919 * place % 10000:04d}",
            friendly_name=f"Line of desk {place}", locality=f"City {place}", last_used_at=now,
        )  # fmt: skip
        text = f"Incoming call from +1 415-555-{place:04d}, {place} minutes"
        ledger.charge(wallet=acme.wallet, kind="usage", amount=Decimal("0.0102"), key=f"k{place}",
                      text=text, reference=f"Uf{place:04d}aBcDeF")  # fmt: skip
        Conversation.objects.create(
            workspace=acme, number=number, contact=f"+1415555{place:04d}", last_at=now, unread=1,
            last_text=f"Are you open on the {place}th of the month, and until when?",
        )  # fmt: skip
    page = as_owner.get(path).content.decode()
    assert page.count("<li") + page.count("<tr") > 40
    is_light(as_owner, path)


def is_light(client: Client, path: str) -> None:
    page = client.get(path)
    addresses = set(STATIC.findall(page.content.decode()))
    parts = {address: len(sent(client, address)) for address in addresses}
    parts[path] = len(sent(client, path))
    assert any(address.endswith(".css") for address in parts)
    assert all(parts.values())
    assert len(parts) <= MOST_REQUESTS, parts
    assert sum(parts.values()) <= MOST_BYTES, parts
