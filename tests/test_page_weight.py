"""The first load of a page: at most 60 KiB and 6 requests, as they are sent to a browser that
takes gzip, with the static files collected and compressed as in production.
"""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from tests.orders import buy_any

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
    client = Client() if path.startswith("/accounts/") else as_owner
    page = client.get(path)
    addresses = set(STATIC.findall(page.content.decode()))
    parts = {address: len(sent(client, address)) for address in addresses}
    parts[path] = len(sent(client, path))
    assert any(address.endswith(".css") for address in parts)
    assert all(parts.values())
    assert len(parts) <= MOST_REQUESTS, parts
    assert sum(parts.values()) <= MOST_BYTES, parts
