"""The demo's data, as `make run` loads it and docs and logins promise it."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from embedded.run import LOGINS, PASSWORD
from numbers.models import Number
from wallet.models import Entry, Wallet
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import NUMBERS_CREATE, Role

pytestmark = pytest.mark.django_db

ROLES = {
    ("owner@acme.test", "acme", Role.OWNER),
    ("member@acme.test", "acme", Role.MEMBER),
    ("viewer@acme.test", "acme", Role.VIEWER),
    ("owner@globex.test", "globex", Role.OWNER),
}


def test_loaded_twice_it_is_there_once(simulator, settings):
    settings.DEMO_MODE = True
    call_command("load_demo")
    entries = Entry.objects.count()
    call_command("load_demo")

    wallets = {wallet.workspace.slug: wallet for wallet in Wallet.objects.all()}
    assert {slug: (wallet.balance, wallet.held) for slug, wallet in wallets.items()} == {
        "acme": (Decimal("50.00"), Decimal(0)),
        "globex": (Decimal("2.00"), Decimal(0)),
    }
    assert {wallet.currency for wallet in wallets.values()} == {"USD"}
    assert Entry.objects.count() == entries
    acme, globex = Workspace.objects.get(slug="acme"), Workspace.objects.get(slug="globex")
    assert acme.time_zone == "America/New_York"
    assert Number.objects.for_workspace(acme).owned().active().count() == 3
    assert not Number.objects.for_workspace(globex).exists()


def test_the_people_have_their_roles_and_the_password_that_is_told(simulator, settings, client):
    settings.DEMO_MODE = True
    for _ in range(2):
        call_command("load_demo")

    rows = Membership.objects.values_list("user__email", "workspace__slug", "role")
    assert sorted(rows) == sorted(ROLES)
    may_buy = {row.user.email for row in Membership.objects.all() if row.can(NUMBERS_CREATE)}
    assert may_buy == {"owner@acme.test", "owner@globex.test"}
    staff = User.objects.get(is_staff=True)
    assert (staff.email, staff.is_superuser) == ("staff@example.test", True)
    assert User.objects.count() == len(LOGINS)
    for email in LOGINS:
        assert client.login(username=email, password=PASSWORD), email


def test_outside_demo_mode_it_is_refused_and_nothing_is_made(simulator, settings):
    settings.DEMO_MODE = False
    with pytest.raises(CommandError, match="loads only with DEMO_MODE=true"):
        call_command("load_demo")
    made = (Workspace, User, Membership, Wallet, Number)
    assert [model.objects.count() for model in made] == [0] * len(made)
    assert simulator.requests == []
