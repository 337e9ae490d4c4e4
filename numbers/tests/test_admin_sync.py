"""Support staff decide about differences: with a reason, and never by a GET."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from conftest import signed_in
from numbers import sync, watch
from numbers.models import CountryOffer, Number, OrderLine
from numbers.pricing import refresh_prices
from numbers.purchase import purchase_number
from numbers.sync_models import Difference, SyncRun
from numbers.watch import PaidByNobody
from wallet.models import Entry, Wallet
from workspaces.models import AuditEvent, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(db):
    staff = User.objects.create_superuser("staff@example.test", "numbers-demo")
    return signed_in(staff)


@pytest.fixture
def nobodys(simulator, available) -> Difference:
    """A number that can be bought, which the provider says is ours and no workspace has."""
    simulator.seed(available.e164, type="local")
    sync.reconcile()
    return Difference.objects.get()


def decide(client, difference, **choice):
    return client.post(f"/admin/numbers/difference/{difference.pk}/decide/", choice)


def test_nobodys_number_is_assigned_and_its_first_month_charged(as_staff, nobodys, acme):
    answer = decide(as_staff, nobodys, action="assign", workspace=acme.pk, reason="Bought by hand")
    assert answer.status_code == 302
    number = Number.objects.get()
    assert (number.workspace, number.e164, number.area_code) == (acme, nobodys.e164, "212")
    assert str(Entry.objects.get(kind="purchase").amount) == "-1.380000"
    assert "Bought by hand" in AuditEvent.objects.get(action="number.assigned").text
    assert sync.reconcile().complete
    assert not Difference.objects.open().exists()


def test_assigning_twice_charges_once(as_staff, nobodys, acme):
    for _ in range(2):
        decide(as_staff, nobodys, action="assign", workspace=acme.pk, reason="Bought by hand")
    assert Entry.objects.filter(kind="purchase").count() == Number.objects.count() == 1


def test_a_workspace_without_money_gets_nothing(as_staff, nobodys, globex):
    Wallet.objects.filter(workspace=globex).update(held=2)
    answer = decide(as_staff, nobodys, action="assign", workspace=globex.pk, reason="For them")
    assert answer.status_code == 422
    assert "Nothing was charged" in answer.content.decode()
    assert not Number.objects.exists()
    assert Difference.objects.open().count() == 1


def test_nobodys_number_is_given_back(as_staff, nobodys, simulator):
    decide(as_staff, nobodys, action="give_back", reason="Nobody needs it")
    assert simulator.owned() == []
    nobodys.refresh_from_db()
    assert (nobodys.cure, nobodys.reason) == ("given_back", "Nobody needs it")


DONE = [
    ("assign", "Assigned to a workspace: To Acme. Ticket 7"),
    ("give_back", "Given back to the carrier: Ticket 7"),
    ("leave", "Left as it is at the carrier"),
]


@pytest.mark.parametrize(("action", "told"), DONE)
def test_what_is_done_about_nobodys_number_stays_in_the_log(as_staff, nobodys, acme, action, told):
    decide(as_staff, nobodys, action=action, workspace=acme.pk, reason="Ticket 7")
    entry = LogEntry.objects.latest("pk")
    assert (entry.user.email, entry.object_id, entry.get_change_message()) == (
        "staff@example.test", str(nobodys.pk), told,
    )  # fmt: skip
    page = as_staff.get(f"/admin/numbers/difference/{nobodys.pk}/decide/").content.decode()
    assert told in page
    assert "Ticket 7" in page


def test_what_was_not_done_is_not_in_the_log(as_staff, nobodys, simulator):
    simulator.fault("server_error", method="DELETE")
    decide(as_staff, nobodys, action="give_back", reason="Ticket 7")
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["assign", "give_back"])
def test_a_reason_is_needed(as_staff, nobodys, acme, simulator, action):
    answer = decide(as_staff, nobodys, action=action, workspace=acme.pk, reason=" ")
    assert answer.status_code == 422
    assert "Write down why" in answer.content.decode()
    assert len(simulator.owned()) == 1


def test_looking_at_it_changes_nothing(as_staff, nobodys, simulator):
    answer = as_staff.get(f"/admin/numbers/difference/{nobodys.pk}/decide/")
    assert answer.status_code == 200
    assert Difference.objects.open().count() == 1


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("porting_out", "does not take it back: it is being ported to another carrier"),
        ("rate_limited", "The carrier does not answer. Nothing was changed."),
        ("suspended", "Nothing was changed."),
        ("server_error", "it may be done all the same"),
        ("bundle_required", "The carrier refused it. Nothing was changed."),
    ],
)
def test_a_no_of_the_carrier_is_told_and_leaves_it_open(as_staff, nobodys, simulator, fault, told):
    simulator.fault(fault, method="DELETE")
    answer = decide(as_staff, nobodys, action="give_back", reason="Nobody needs it")
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert Difference.objects.open().count() == 1


def test_what_was_done_without_an_answer_is_over_at_the_next_comparison(
    as_staff, nobodys, simulator
):
    simulator.fault("answer_lost", method="DELETE")
    decide(as_staff, nobodys, action="give_back", reason="Nobody needs it")
    assert (simulator.owned(), Difference.objects.open().count()) == ([], 1)
    sync.reconcile()
    assert Difference.objects.get().cure == "by_itself"


def test_staff_start_a_comparison_and_a_dry_run(as_staff, simulator):
    as_staff.post("/admin/numbers/syncrun/start/", {"dry": "1"})
    as_staff.post("/admin/numbers/syncrun/start/")
    assert list(SyncRun.objects.values_list("dry_run", flat=True)) == [False, True]
    assert as_staff.get("/admin/numbers/syncrun/start/").status_code == 302
    assert SyncRun.objects.count() == 2


def start_dry(client) -> str:
    page = client.post("/admin/numbers/syncrun/start/", {"dry": "1"}, follow=True)
    return page.content.decode()


def page_of_the_run(client) -> str:
    run = SyncRun.objects.latest("pk")
    return client.get(f"/admin/numbers/syncrun/{run.pk}/change/").content.decode()


def test_a_dry_run_ends_with_what_it_would_do(as_staff, nobodys):
    assert "changes nothing" in start_dry(as_staff)
    told = page_of_the_run(as_staff)
    assert nobodys.e164 in told
    assert "staff assign it to a workspace, give it back or leave it" in told


def test_a_dry_run_that_is_under_way_says_so(as_staff):
    SyncRun.objects.create(started_at=timezone.now(), dry_run=True)
    assert "the run is under way" in page_of_the_run(as_staff)


def test_a_dry_run_that_broke_off_says_so(as_staff, nobodys, simulator):
    simulator.fault("server_error", path_contains="IncomingPhoneNumbers.json")
    start_dry(as_staff)
    assert "Nothing, since it did not come to its end: " in page_of_the_run(as_staff)


def test_what_a_cure_does_stands_beside_its_button(as_staff, acme, owner, quote, simulator):
    purchase_number(workspace=acme, by=owner, quote=quote)
    simulator.service(Number.objects.get().provider_sid)
    sync.reconcile()
    address = f"/admin/numbers/difference/{Difference.objects.get().pk}/decide/"
    assert "taken out of the messaging service" in as_staff.get(address).content.decode()


def test_members_have_no_business_here(as_owner, nobodys):
    answer = decide(as_owner, nobodys, action="give_back", reason="Mine")
    assert answer.status_code == 302
    assert Difference.objects.open().count() == 1


def test_what_takes_something_away_needs_a_reason(as_staff, acme, owner, quote, simulator):
    purchase_number(workspace=acme, by=owner, quote=quote)
    old = {"voice_url": "https://desk.test/old/voice"}
    simulator.app.state.update(simulator.account, Number.objects.get().provider_sid, old)
    sync.reconcile()
    difference = Difference.objects.get(cure="repaired")
    assert decide(as_staff, difference, action="undo").status_code == 422
    assert simulator.owned()[0]["voice_url"] != old["voice_url"]
    answer = decide(as_staff, difference, action="undo", reason="They use it elsewhere")
    assert answer.status_code == 302
    difference.refresh_from_db()
    assert difference.reason == "They use it elsewhere"
    told = AuditEvent.objects.get(action="difference.reason")
    assert "they use it elsewhere" in told.text


def test_a_vanished_number_leads_to_its_refund(as_staff, acme, owner, quote, simulator):
    purchase_number(workspace=acme, by=owner, quote=quote)
    number = Number.objects.get()
    Number.objects.update(created_at=timezone.now() - timedelta(hours=1))
    simulator.app.state.release(simulator.account, number.provider_sid)
    sync.reconcile()
    difference = Difference.objects.get()
    address = f"/admin/numbers/difference/{difference.pk}/decide/"
    assert address in as_staff.get("/admin/platform/").content.decode()
    refund = f"/admin/numbers/numberorder/refund/{OrderLine.objects.get().pk}/"
    assert refund in as_staff.get(address).content.decode()
    as_staff.post(refund, {"reason": "The carrier lost it"})
    page = as_staff.get(address).content.decode()
    assert refund not in page
    assert "was given back" in page


def test_what_nobodys_number_costs_is_told(as_staff, simulator, available):
    refresh_prices("US")
    simulator.seed(available.e164, type="local", friendly_name="Spare")
    sync.reconcile()
    difference = Difference.objects.get()
    assert difference.theirs == {
        "name": "Spare", "monthly_price": "1.150000", "currency": "USD",
    }  # fmt: skip
    address = f"/admin/numbers/difference/{difference.pk}/decide/"
    assert "It costs us $1.15 a month" in as_staff.get(address).content.decode()
    assert watch.paid_by_nobody() == PaidByNobody(1, {"USD": Decimal("1.15")}, 0)


def test_a_new_price_does_not_bring_back_what_was_left(as_staff, nobodys):
    decide(as_staff, nobodys, action="leave")
    refresh_prices("US")
    CountryOffer.objects.update(provider_price=2)
    sync.reconcile()
    nobodys.refresh_from_db()
    assert (nobodys.monthly_cost, nobodys.left_at is None) == ("$2.00", False)
