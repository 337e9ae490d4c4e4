"""People with a session, workspaces and money: what the trials are done with.

Runs as `python -m chaos.prepare`, with the environment that the processes will have.
"""

import json
import os
import sys
from decimal import Decimal
from typing import Any

import numbers_project  # noqa: F401  makes the app package `numbers` importable (ADR-0001)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "numbers_project.settings")

import django

BUYERS = 8
RICH = Decimal(1_000_000)


def main(file: str) -> None:
    """Eight buyers with plenty, and one workspace whose balance is for one number only."""
    django.setup()
    from django.conf import settings

    people = [_person(f"buyer{n}", RICH) for n in range(BUYERS)]
    poor = _person("poor", Decimal(0))
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"buyers": people, "poor": poor, "cookie": settings.SESSION_COOKIE_NAME}, out)


def _person(slug: str, funds: Decimal) -> dict[str, object]:
    from wallet import ledger
    from wallet.models import Wallet
    from workspaces.models import Membership, User, Workspace
    from workspaces.permissions import Role

    user = User.objects.create_user(f"{slug}@chaos.test", None, first_name=slug)
    workspace = Workspace.objects.create(slug=slug, name=slug)
    wallet = Wallet.objects.create(workspace=workspace)
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    if funds:
        ledger.credit(wallet=wallet, amount=funds, contra="bank", key="funds", text="Funds")
    return {"slug": slug, "workspace": workspace.pk, "session": _session(user)}


def _session(user: Any) -> str:
    """A cookie for somebody who is signed in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


main(sys.argv[1])
