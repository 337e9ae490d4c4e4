"""The cast, and what every test stands on: a real PostgreSQL and the simulator at the wire."""

import os
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client, TransactionTestCase

from telephony.simulator.fixtures import simulator  # noqa: F401  a fixture
from wallet import ledger
from wallet.models import Wallet
from wallet.stripe_simulator.fixtures import stripe  # noqa: F401  a fixture
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import Role

pytest_plugins = ["tests.browser.chromium"]

# Playwright's synchronous API runs an event loop in the test's thread, and Django refuses
# database calls there. The tests are synchronous all the same.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """At the end nobody else is in the tests' database, so that it can be dropped: threads of
    servers keep their connections, and an event loop in the tests' own thread hides some.
    """
    yield
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(OTHERS)
        connections.close_all()


@pytest.fixture(autouse=True)
def _fast_and_apart(settings) -> None:
    """Cheap password hashes, tasks in the same process, no cache left by another test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_TASK_ALWAYS_EAGER = True
    settings.WHITENOISE_AUTOREFRESH = True  # nothing is collected for tests
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.STORAGES = {
        "default": settings.STORAGES["default"],
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _folder_of_static_files() -> None:
    """WhiteNoise warns where there is none; the tests collect no static files."""
    Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_triggers() -> Iterator[None]:
    """Between transactional tests Django truncates all tables, which the ledger's triggers
    refuse. Only this clean-up runs with triggers off.
    """
    clean_up = TransactionTestCase._fixture_teardown

    def without_triggers(self: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            clean_up(self)
            cursor.execute("SET session_replication_role = origin")

    TransactionTestCase._fixture_teardown = without_triggers
    yield
    TransactionTestCase._fixture_teardown = clean_up


def make_workspace(slug: str, name: str, funds: str = "0") -> Workspace:
    workspace = Workspace.objects.create(slug=slug, name=name, time_zone="America/New_York")
    wallet = Wallet.objects.create(workspace=workspace)
    if Decimal(funds):
        ledger.credit(
            wallet=wallet, amount=Decimal(funds), contra="bank", key="funds", text="Funds"
        )
    return workspace


def make_member(workspace: Workspace, role: Role, email: str, name: str = "") -> User:
    user = User.objects.create_user(email, "numbers-demo", first_name=name or email.split("@")[0])
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


@pytest.fixture
def acme(db) -> Workspace:
    """A workspace with 50.00 USD."""
    return make_workspace("acme", "Acme", "50.00")


@pytest.fixture
def globex(db) -> Workspace:
    """Another workspace, with 2.00 USD."""
    return make_workspace("globex", "Globex", "2.00")


@pytest.fixture
def owner(acme: Workspace) -> User:
    return make_member(acme, Role.OWNER, "owner@acme.test", "Olivia")


@pytest.fixture
def member(acme: Workspace) -> User:
    return make_member(acme, Role.MEMBER, "member@acme.test", "Max")


@pytest.fixture
def viewer(acme: Workspace) -> User:
    return make_member(acme, Role.VIEWER, "viewer@acme.test", "Vera")


@pytest.fixture
def outsider(globex: Workspace) -> User:
    """Owner of another workspace."""
    return make_member(globex, Role.OWNER, "owner@globex.test", "Gil")


def signed_in(user: User) -> Client:
    """A browser in which this person has just typed their password."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


@pytest.fixture
def as_owner(owner: User) -> Client:
    return signed_in(owner)


@pytest.fixture
def as_member(member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def as_viewer(viewer: User) -> Client:
    return signed_in(viewer)


@pytest.fixture
def as_outsider(outsider: User) -> Client:
    return signed_in(outsider)


@pytest.fixture
def staff(db) -> User:
    """Support staff, in no workspace."""
    return User.objects.create_user(
        "staff@example.test", "numbers-demo", first_name="Sam", is_staff=True, is_superuser=True
    )
