"""Support staff find anything from one box, and look at a workspace as a member sees it."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.utils import timezone

from conftest import signed_in
from numbers.models import Number, PurchaseRequest
from tests.orders import buy_any
from workspaces.acting import ENDS_AFTER
from workspaces.models import AuditEvent, Membership, User

pytestmark = pytest.mark.django_db

FIND = "/admin/find/"


@pytest.fixture
def staff(db) -> User:
    return User.objects.create_superuser("staff@example.test", "numbers-demo", first_name="Sam")


@pytest.fixture
def as_staff(staff):
    return signed_in(staff)


@pytest.fixture
def bought(acme, owner, simulator):
    order = buy_any(acme, owner)
    return order, Number.objects.get()


def found(client, text: str) -> str:
    page = client.get(FIND, {"q": text})
    assert page.status_code == 200
    return page.content.decode()


def forms_of(number: Number) -> list[str]:
    return [
        number.e164, number.international, number.national, number.e164[2:],
        f"011 {number.e164[1:]}", f"tel: {number.national}"[5:], number.e164[-4:],
    ]  # fmt: skip


def test_a_number_is_found_in_any_written_form(as_staff, bought):
    _, number = bought
    for written in forms_of(number):
        page = found(as_staff, written)
        assert f"/admin/numbers/number/{number.pk}/change/" in page, written
        assert "/admin/wallet/wallet/" in page, written


def test_an_order_a_sid_and_a_mail_are_found(as_staff, bought, owner):
    order, number = bought
    assert f"/admin/numbers/numberorder/{order.pk}/change/" in found(as_staff, order.reference)
    assert f"/admin/numbers/number/{number.pk}/change/" in found(as_staff, number.provider_sid)
    assert "Acme" in found(as_staff, owner.email)


def test_a_request_to_buy_is_found_by_its_reference(as_staff, acme, member, simulator):
    asked = PurchaseRequest.objects.create(
        workspace=acme, asked_by=member, asked_at=timezone.now(), quoted={}
    )
    page = found(as_staff, asked.reference.lower())
    assert f"/admin/numbers/purchaserequest/{asked.pk}/change/" in page
    assert as_staff.get(f"/admin/numbers/purchaserequest/{asked.pk}/change/").status_code == 200


def test_every_link_that_is_offered_is_there(as_staff, bought):
    page = as_staff.get(FIND, {"q": bought[1].e164})
    [(_, links, _)] = page.context["workspaces"]
    addresses = [url for _, url in [*links, *page.context["hits"][0].links[:-1]]]
    assert len(addresses) > 10
    for address in [*addresses, page.context["hits"][0].url]:
        assert as_staff.get(address).status_code == 200, address


@pytest.mark.parametrize("text", ["", "\x00", "nothing-like-it", "x" * 5000, "PN" + "0" * 32, "%"])
def test_whatever_is_asked_there_is_a_page(as_staff, acme, text):
    found(as_staff, text)


def test_nobody_else_may_search(as_owner, client):
    assert as_owner.get(FIND).status_code in (302, 403)
    assert client.get(FIND).status_code == 302


# --- Looking as a member --------------------------------------------------------------------


@pytest.fixture
def looking(as_staff, acme, owner):
    member = Membership.objects.get(user=owner, workspace=acme)
    answer = as_staff.post(f"/admin/look-as/{member.pk}/", {"reason": "Ticket 7"})
    assert answer.url == "/w/acme/numbers/"
    return as_staff


def test_without_it_staff_see_no_workspace(as_staff, acme):
    assert as_staff.get("/w/acme/numbers/").status_code == 404


def test_it_shows_what_the_member_sees_under_a_banner(looking, bought):
    for address in ("/w/acme/numbers/", "/w/acme/wallet/", "/w/acme/inbox/", "/w/acme/activity/",
                    "/workspaces/", "/admin/find/", bought[1].get_absolute_url()):  # fmt: skip
        page = looking.get(address)
        assert page.status_code == 200, address
        assert "You look at Acme as Olivia sees it" in page.content.decode(), address


def test_it_is_in_the_workspaces_trail_with_who_really_did_it(looking, acme, staff):
    looking.post("/looking/end/")
    first, last = AuditEvent.objects.for_workspace(acme).order_by("pk")
    assert (first.by, first.action, last.by, last.action) == (
        staff, "workspace.support_looks", staff, "workspace.support_left",
    )  # fmt: skip
    assert "Ticket 7" in first.text


def test_nothing_can_be_changed(looking, bought):
    number = bought[1]
    answer = looking.post(f"{number.get_absolute_url()}deactivate/")
    assert answer.status_code == 403
    assert "You are only looking" in answer.content.decode()
    assert looking.get(f"{number.get_absolute_url()}edit/").status_code == 403
    assert looking.get("/w/acme/members/").status_code == 403
    assert looking.get("/w/acme/wallet/add/").status_code == 403
    number.refresh_from_db()
    assert number.deactivated_at is None


def test_a_viewer_s_eyes_see_no_more_than_a_viewer(as_staff, acme, viewer):
    member = Membership.objects.get(user=viewer)
    as_staff.post(f"/admin/look-as/{member.pk}/", {"reason": "Ticket 8"})
    assert as_staff.get("/w/acme/numbers/").status_code == 200
    assert as_staff.get("/w/acme/wallet/").status_code == 403


ROLE = {
    "/w/acme/numbers/": ["view_number"],
    "/w/acme/inbox/": ["view_call", "view_message"],
    "/w/acme/wallet/": ["view_wallet", "view_entry"],
    "/w/acme/activity/": ["view_auditevent"],
}


@pytest.fixture
def looks_with(acme, owner):
    """Support staff whose role has these permissions of the admin, looking as the owner."""

    def looks_with(*codes: str):
        helper = User.objects.create_user("helper@example.test", "numbers-demo", is_staff=True)
        helper.user_permissions.set(
            Permission.objects.filter(codename__in=[*codes, "act_as_member"])
        )
        client = signed_in(helper)
        member = Membership.objects.get(user=owner, workspace=acme)
        client.post(f"/admin/look-as/{member.pk}/", {"reason": "Ticket 9"})
        return client, helper

    return looks_with


@pytest.mark.parametrize("page", ROLE)
def test_nobody_sees_through_a_member_what_their_staff_role_may_not(looks_with, page):
    client, helper = looks_with(*ROLE[page])
    assert {address: client.get(address).status_code for address in ROLE} == {
        address: 200 if address == page else 403 for address in ROLE
    }
    for code in ROLE[page]:
        helper.user_permissions.remove(Permission.objects.get(codename=code))
        refused = client.get(page)
        assert refused.status_code == 403
        assert "only at what your staff role may see" in refused.content.decode()
        helper.user_permissions.add(Permission.objects.get(codename=code))


def test_what_will_be_seen_is_told_before(looks_with, owner):
    client, _ = looks_with("view_number")
    page = client.get(f"/admin/look-as/{Membership.objects.get(user=owner).pk}/").content.decode()
    assert "See the numbers of the workspace" in page
    assert "voicemail" not in page


def test_it_is_for_one_workspace_only(looking, globex):
    assert looking.get("/w/globex/numbers/").status_code == 404


def test_one_click_ends_it(looking):
    assert looking.post("/looking/end/").url == "/admin/"
    assert looking.get("/w/acme/numbers/").status_code == 404


def test_it_ends_by_itself(looking):
    with time_machine.travel(timezone.now() + ENDS_AFTER + timedelta(seconds=1)):
        assert looking.get("/w/acme/numbers/").status_code == 404
        assert "You look at Acme" not in looking.get("/workspaces/").content.decode()


def test_a_reason_is_needed(as_staff, acme, owner):
    member = Membership.objects.get(user=owner)
    answer = as_staff.post(f"/admin/look-as/{member.pk}/", {"reason": "  "})
    assert answer.status_code == 422
    assert as_staff.get("/w/acme/numbers/").status_code == 404


def test_staff_without_the_permission_cannot(staff, acme, owner):
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    member = Membership.objects.get(user=owner)
    client = signed_in(User.objects.get(pk=staff.pk))
    assert client.post(f"/admin/look-as/{member.pk}/", {"reason": "x"}).status_code == 403


def test_who_is_no_staff_any_more_sees_nothing(looking, staff):
    User.objects.filter(pk=staff.pk).update(is_staff=False)
    assert looking.get("/w/acme/numbers/").status_code == 404
