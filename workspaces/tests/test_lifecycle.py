"""A workspace is made with all it needs, changed, archived when nothing is left in it."""

import pytest

from conftest import signed_in
from numbers.archiving import NumbersLeft, OrdersUnderWay
from wallet.models import Wallet
from workspaces import lifecycle
from workspaces.models import AuditEvent, Membership, Workspace
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db

FORM = {"name": "Initech", "time_zone": "Europe/Berlin", "colour": "blue"}


def test_a_new_workspace_has_an_owner_and_a_wallet(as_viewer, viewer):
    answer = as_viewer.post("/workspaces/create/", FORM)
    made = Workspace.objects.get(name="Initech")
    assert answer.headers["Location"] == f"/w/{made.slug}/numbers/"
    assert (made.time_zone, made.colour) == ("Europe/Berlin", "blue")
    assert Membership.objects.get(workspace=made).role == Role.OWNER
    assert Wallet.objects.get(workspace=made).balance == 0
    assert as_viewer.get(f"/w/{made.slug}/wallet/").status_code == 200


def test_its_address_does_not_tell_which_others_there_are(as_viewer, acme):
    as_viewer.post("/workspaces/create/", FORM | {"name": "Brand new"})
    as_viewer.post("/workspaces/create/", FORM | {"name": "Acme"})
    slugs = set(Workspace.objects.exclude(pk=acme.pk).values_list("slug", flat=True))
    assert all(len(slug.rsplit("-", 1)[1]) == 6 for slug in slugs), slugs


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"time_zone": "Mars/Base"}, "Select a valid choice."),
        ({"colour": "url(x)"}, "Select a valid choice."),
    ],
)
def test_what_makes_no_sense_is_refused_and_kept(as_owner, acme, change, sentence):
    for address in ("/workspaces/create/", "/w/acme/settings/save/"):
        answer = as_owner.post(address, FORM | change)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert list(Workspace.objects.values_list("name", flat=True)) == ["Acme"]


def test_support_alone_may_be_the_ones_who_make_workspaces(as_owner, settings):
    settings.WORKSPACES_CREATED_BY = "staff"
    assert "support staff make the workspaces" in as_owner.get("/workspaces/new/").text
    assert as_owner.post("/workspaces/create/", FORM).status_code == 403
    assert Workspace.objects.count() == 1


def test_settings_change_and_the_address_stays(as_owner, acme):
    assert as_owner.post("/w/acme/settings/save/", FORM).status_code == 302
    acme.refresh_from_db()
    assert (acme.slug, acme.name, acme.colour) == ("acme", "Initech", "blue")
    event = AuditEvent.objects.get()
    assert event.text == "The name and time zone and logo colour changed"
    assert event.details["name"] == ["Acme", "Initech"]
    assert "Initech" in as_owner.get("/w/acme/settings/").text


def test_it_is_not_archived_while_numbers_are_in_it(as_owner, acme, owner, number):
    with pytest.raises(NumbersLeft, match="1 number is in this workspace"):
        lifecycle.archive(workspace=acme, by=owner)
    answer = as_owner.post("/w/acme/settings/archive/")
    assert answer.status_code == 422
    assert "Release what you do not need first." in answer.text
    acme.refresh_from_db()
    assert acme.archived_at is None


def test_it_is_not_archived_while_an_order_is_under_way(acme, owner, unsettled_order):
    with pytest.raises(OrdersUnderWay):
        lifecycle.archive(workspace=acme, by=owner)


def test_archived_it_can_be_read_and_not_changed(as_owner, as_member, acme, owner):
    assert as_owner.post("/w/acme/settings/archive/").status_code == 302
    assert as_member.get("/w/acme/numbers/").status_code == 200
    for address in ("/w/acme/settings/save/", "/w/acme/numbers/orders/"):
        answer = as_owner.post(address, FORM)
        assert answer.status_code == 409
        assert "Acme is archived" in answer.text
    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_who_may_not_change_it_is_told_so_before_that_it_is_archived(as_viewer, acme, owner):
    lifecycle.archive(workspace=acme, by=owner)
    assert as_viewer.post("/w/acme/settings/save/", FORM).status_code == 403


def test_it_is_opened_again_as_it_was(as_owner, acme, owner):
    lifecycle.archive(workspace=acme, by=owner)
    assert "Open it again" in as_owner.get("/w/acme/settings/").text
    assert as_owner.post("/w/acme/settings/unarchive/").status_code == 302
    assert as_owner.post("/w/acme/settings/save/", FORM).status_code == 302
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["workspace.archived", "workspace.unarchived", "workspace.changed"]


def test_an_archived_workspace_is_out_of_the_way(acme, owner, globex):
    Membership.objects.create(workspace=globex, user=owner, role=Role.VIEWER)
    lifecycle.archive(workspace=acme, by=owner)
    browser = signed_in(owner)
    assert browser.get("/").headers["Location"] == "/w/globex/numbers/"
    page = browser.get("/workspaces/")
    assert page.text.index("Archived") < page.text.index("/w/acme/")
    assert "Acme" not in browser.get("/w/globex/numbers/").text, "the switcher leaves it out"
