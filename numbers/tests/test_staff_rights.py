"""Being support staff opens the admin; what is done there needs its own permission."""

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils import timezone

from conftest import signed_in
from numbers.models import RentGrace, RentRun
from numbers.rent_staff import extend_grace
from numbers.sync_models import Difference, SyncRun
from numbers.tests.rent_book import at, buy, due_on, lines
from workspaces.models import AuditEvent, User

pytestmark = pytest.mark.django_db

RENT = "/admin/numbers/rentaccount/{acme}"
DECIDE = "/admin/numbers/difference/{difference}/decide/"
START = "/admin/numbers/syncrun/start/"
GRACE = {"extra_days": "3", "reason": "Bank holiday"}
WAIVE = {"number": "+12125557777", "reason": "Goodwill"}
CASES = [
    ("get", DECIDE, {}, "view_difference"),
    ("post", DECIDE, {"action": "leave"}, "change_difference"),
    ("post", DECIDE, {"action": "give_back", "reason": "Not needed"}, "change_difference"),
    ("post", START, {}, "add_syncrun"),
    ("post", START, {"dry": "1"}, "add_syncrun"),
    ("get", f"{RENT}/change/", {}, "view_rentaccount"),
    ("post", f"{RENT}/collect/", {}, "change_rentaccount"),
    ("post", f"{RENT}/grace/", GRACE, "change_rentaccount"),
    ("post", f"{RENT}/end-grace/", {"end-reason": "They have paid"}, "change_rentaccount"),
    ("post", f"{RENT}/waive/", WAIVE, "change_rentaccount"),
    ("get", "/admin/find/", {"q": "Acme"}, "view_workspace view_user view_number"),
    ("get", "/admin/platform/", {}, "view_difference view_entry"),
]


@pytest.fixture
def helper(db) -> User:
    """Support staff who were given nothing yet."""
    return User.objects.create_user("helper@example.test", "numbers-demo", is_staff=True)


@pytest.fixture
def book(acme, staff, simulator):
    """A workspace that owes rent and has more time, and a number that is nobody's."""
    number = buy(acme, "2023-01-10", e164="+12125557777")
    extend_grace(
        workspace=acme, extra_days=7, reason="Bank holiday", by=staff, now=at("2023-02-11")
    )
    simulator.seed("+12125550123")
    sid = simulator.owned()[0]["sid"]
    difference = Difference.objects.create(
        e164="+12125550123", provider_sid=sid, kind="nobodys", first_seen_at=timezone.now(),
        last_seen_at=timezone.now(),
    )  # fmt: skip
    return number, {"acme": acme.pk, "difference": difference.pk}


def give(person: User, codes: str) -> User:
    wanted = Q(codename__in=codes.split())
    person.user_permissions.set(Permission.objects.filter(wanted))
    return User.objects.get(pk=person.pk)


def everything(number, simulator) -> tuple:
    return (
        lines(number), due_on(number), list(RentGrace.objects.values()), RentRun.objects.count(),
        SyncRun.objects.count(), list(Difference.objects.values()), len(simulator.owned()),
        AuditEvent.objects.count(),
    )  # fmt: skip


@pytest.mark.parametrize(("method", "address", "fields", "codes"), CASES)
def test_without_its_permission_nothing_is_shown_or_done(
    helper, book, simulator, method, address, fields, codes
):
    number, keys = book
    before = everything(number, simulator)
    # All other permissions there are do not help.
    others = Permission.objects.exclude(codename__in=codes.split())
    if method == "get":  # whoever may change something may see it
        others = others.exclude(codename__startswith="change_")
    helper.user_permissions.set(others)
    for person in (helper, User.objects.get(pk=helper.pk)):
        answer = getattr(signed_in(person), method)(address.format(**keys), fields)
        assert answer.status_code == 403
        person.user_permissions.clear()
    assert everything(number, simulator) == before


@pytest.mark.parametrize(("method", "address", "fields", "codes"), CASES)
def test_with_its_permission_it_works(helper, book, simulator, method, address, fields, codes):
    number, keys = book
    before = everything(number, simulator)
    client = signed_in(give(helper, codes))
    answer = getattr(client, method)(address.format(**keys), fields)
    assert answer.status_code in (200, 302)
    assert (everything(number, simulator) == before) == (method == "get")


def test_who_may_only_look_is_offered_nothing_to_do(helper, book):
    _, keys = book
    client = signed_in(give(helper, "view_difference view_rentaccount view_syncrun"))
    for address in (DECIDE, f"{RENT}/change/", "/admin/numbers/syncrun/"):
        page = client.get(address.format(**keys)).content.decode()
        for button in ("Do it", "Collect what is due", "Waive it", "Compare now"):
            assert button not in page
