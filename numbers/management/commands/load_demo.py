"""Two workspaces, five people and a few numbers, to try everything with."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lib.errors import Refusal
from numbers import catalogue
from numbers.models import Number
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from numbers.quote import new_quote
from telephony import provider
from telephony.errors import ProviderError
from telephony.values import NumberQuery, NumberType
from wallet import ledger
from wallet.models import Wallet
from workspaces.models import Membership, User, Workspace
from workspaces.permissions import Role

PASSWORD = "numbers-demo"
WORKSPACES = [
    ("acme", "Acme", "America/New_York", Decimal("50.00")),
    ("globex", "Globex", "America/Los_Angeles", Decimal("2.00")),
]
PEOPLE = [
    ("owner@acme.test", "Olivia", "Owner", "acme", Role.OWNER),
    ("member@acme.test", "Max", "Member", "acme", Role.MEMBER),
    ("viewer@acme.test", "Vera", "Viewer", "acme", Role.VIEWER),
    ("owner@globex.test", "Gil", "Owner", "globex", Role.OWNER),
]
STAFF = ("staff@example.test", "Sam", "Staff")
ACME_NUMBERS = [
    NumberQuery(country="US", number_type=NumberType.LOCAL, area_code="212", limit=1),
    NumberQuery(country="US", number_type=NumberType.TOLL_FREE, limit=1),
    NumberQuery(country="CA", number_type=NumberType.LOCAL, area_code="416", limit=1),
]


class Command(BaseCommand):
    help = "Load the demo workspaces; what is there already stays as it is. Only in demo mode."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_MODE:
            raise CommandError(
                "The demo has logins with a known password. It loads only with DEMO_MODE=true."
            )
        for slug, name, zone, _funds in WORKSPACES:
            workspace, _ = Workspace.objects.get_or_create(
                slug=slug, defaults={"name": name, "time_zone": zone}
            )
            Wallet.objects.get_or_create(workspace=workspace)
        for email, first, last, slug, role in PEOPLE:
            person = self._person(email, first, last)
            Membership.objects.get_or_create(
                workspace=Workspace.objects.get(slug=slug), user=person, defaults={"role": role}
            )
        self._person(*STAFF, is_staff=True, is_superuser=True)
        for slug, _name, _zone, funds in WORKSPACES:
            _fund(slug, funds, "demo:funds")
        try:
            self._numbers_for_acme()
        except (ProviderError, Refusal) as error:
            self.stderr.write(f"The demo's numbers could not be bought: {error}")

    def _person(self, email: str, first: str, last: str, **flags: bool) -> User:
        person = User.objects.filter(email=email).first()
        return person or User.objects.create_user(
            email, PASSWORD, first_name=first, last_name=last, **flags
        )

    def _numbers_for_acme(self) -> None:
        catalogue.refresh_everything()
        acme = Workspace.objects.get(slug="acme")
        if Number.objects.for_workspace(acme).exists():
            return
        buyer = User.objects.get(email="owner@acme.test")
        for position, query in enumerate(ACME_NUMBERS, 1):
            price = price_of(query.country, query.number_type)
            [number] = provider.search(query)
            _fund("acme", price.amount, f"demo:number:{position}")
            purchase_number(workspace=acme, by=buyer, quote=new_quote(number, price, ""))


def _fund(slug: str, amount: Decimal, key: str) -> None:
    wallet = Wallet.objects.get(workspace__slug=slug)
    ledger.credit(wallet=wallet, amount=amount, contra="demo", key=key, text="Demo funds")
