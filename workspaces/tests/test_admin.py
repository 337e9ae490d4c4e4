"""What support does with workspaces and people, and that the workspace hears of it."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client

from conftest import signed_in
from numbers.models import PriceRule
from wallet.models import Wallet
from workspaces.models import AuditEvent, Membership, User, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(db):
    return signed_in(User.objects.create_superuser("staff@example.test", "numbers-demo"))


def with_a_session_of_their_own(user: User) -> Client:
    """A browser that signed in by the form, so that it is among the person's sessions."""
    browser = Client()
    browser.post("/accounts/login/", {"login": user.email, "password": "numbers-demo"})
    assert browser.get("/workspaces/").status_code == 200
    return browser


def form(workspace: Workspace, members: list[dict], **changes: str) -> dict[str, str]:
    """The admin's page of a workspace, filled in."""
    stored = list(Membership.objects.filter(workspace=workspace.pk).order_by("pk"))
    data = {
        "slug": workspace.slug, "name": workspace.name, "time_zone": "UTC", "colour": "teal",
        "reason": "They wrote to us",
        "membership_set-TOTAL_FORMS": str(len(members)),
        "membership_set-INITIAL_FORMS": str(len(stored)),
    } | changes  # fmt: skip
    for position, fields in enumerate(members):
        prefix = f"membership_set-{position}"
        if position < len(stored):
            data |= {
                f"{prefix}-id": stored[position].pk,
                f"{prefix}-user": stored[position].user_id,
            }
        data |= {f"{prefix}-workspace": workspace.pk}
        data |= {f"{prefix}-{name}": value for name, value in fields.items()}
    return data


def save(support, workspace: Workspace, members: list[dict], **changes: str):
    address = f"/admin/workspaces/workspace/{workspace.pk}/change/"
    return support.post(address, form(workspace, members, **changes))


def test_a_workspace_made_by_support_has_a_wallet(support):
    fields = form(Workspace(slug="new", name="New"), [])
    assert support.post("/admin/workspaces/workspace/add/", fields).status_code == 302
    assert Wallet.objects.get(workspace__slug="new").balance == 0


def test_support_hands_a_workspace_over_in_one_step(support, acme, owner, member, place):
    answer = save(support, acme, [{"role": "viewer"}, {"role": "owner"}])
    assert answer.status_code == 302
    assert (place(owner).role, place(member).role) == ("viewer", "owner")
    texts = AuditEvent.objects.for_workspace(acme).values_list("text", "by_name")
    assert ("Support made Max owner: They wrote to us", "staff@example.test") in list(texts)


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"role": "owner", "DELETE": "on"}])
def test_support_cannot_leave_it_without_an_owner(support, acme, owner, place, change):
    answer = save(support, acme, [change])
    assert answer.status_code == 200
    assert "A workspace keeps an owner" in answer.text
    assert place(owner).role == "owner"


def test_who_is_removed_by_support_is_signed_out_everywhere(support, acme, owner, member):
    browser = with_a_session_of_their_own(member)
    save(support, acme, [{"role": "owner"}, {"role": "member", "DELETE": "on"}])
    assert browser.get("/workspaces/").url == "/accounts/login/?next=/workspaces/"


def test_a_place_is_not_handed_on_to_somebody_else(support, acme, owner, member, outsider, place):
    fields = form(acme, [{"role": "owner"}, {"role": "viewer"}])
    fields["membership_set-1-user"] = str(outsider.pk)
    support.post(f"/admin/workspaces/workspace/{acme.pk}/change/", fields)
    assert place(member).role == "viewer"
    assert not Membership.objects.filter(workspace=acme, user=outsider).exists()


def test_neither_workspaces_nor_people_are_deleted(support, acme, owner):
    for address in (f"workspace/{acme.pk}", f"user/{owner.pk}"):
        assert support.post(f"/admin/workspaces/{address}/delete/").status_code == 403


def test_permissions_are_ticked(support, acme, owner, viewer, place):
    save(support, acme, [{"role": "owner"}, {"role": "viewer", "granted": "numbers_create"}])
    assert place(viewer).can("numbers_create")


def test_settings_are_told_before_and_after(support, acme, owner):
    save(support, acme, [{"role": "owner"}], name="Acme Ltd", time_zone="Europe/Berlin")
    event = AuditEvent.objects.for_workspace(acme).get(action="workspace.changed")
    assert (event.by_name, event.changes_in_words) == (
        "staff@example.test",
        "name: Acme → Acme Ltd; time zone: America/New_York → Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("members", "changes"),
    [([{"role": "owner"}], {"name": "Other"}), ([{"role": "owner"}, {"role": "viewer"}], {}),
     ([{"role": "owner"}, {"role": "member", "DELETE": "on"}], {})],
)  # fmt: skip
def test_without_a_reason_nothing_of_a_workspace_is_changed(
    support, acme, owner, member, place, members, changes
):
    zone = {"time_zone": "America/New_York"}
    answer = save(support, acme, members, **zone | changes, reason=" ")
    assert (answer.status_code, "Write down why" in answer.text) == (200, True)
    acme.refresh_from_db()
    assert (acme.name, place(member).role) == ("Acme", "member")


def login_form(user: User, **changes: str) -> dict[str, str]:
    return {"email": user.email, "first_name": user.first_name, "last_name": ""} | changes


def test_a_login_is_switched_off_with_a_reason_that_its_workspaces_hear(support, acme, member):
    address = f"/admin/workspaces/user/{member.pk}/change/"
    answer = support.post(address, login_form(member))
    assert "Write down why" in answer.text
    member.refresh_from_db()
    assert member.is_active
    assert support.post(address, login_form(member, reason="Left the firm")).status_code == 302
    member.refresh_from_db()
    assert not member.is_active
    event = AuditEvent.objects.for_workspace(acme).get(action="member.login")
    assert event.text == "Support switched the login of Max off: Left the firm"
    assert LogEntry.objects.get().change_message == "is_active: Left the firm"


def test_a_session_does_not_come_back_with_a_login_that_was_off(support, acme, owner, member):
    browser = with_a_session_of_their_own(member)
    address = f"/admin/workspaces/user/{member.pk}/change/"
    support.post(address, login_form(member, reason="The laptop was stolen"))
    support.post(address, login_form(member, reason="It is safe again", is_active="on"))
    member.refresh_from_db()
    assert member.is_active
    assert browser.get("/workspaces/").url == "/accounts/login/?next=/workspaces/"


def test_the_address_before_is_no_way_in_any_more(support, owner, member, mailoutbox):
    EmailAddress.objects.create(user=member, email=member.email, primary=True, verified=True)
    address = f"/admin/workspaces/user/{member.pk}/change/"
    new = {"email": "max@acme.test", "is_active": "on", "reason": "Their mailbox was taken over"}
    support.post(address, login_form(member, **new))
    Client().post("/accounts/password/reset/", {"email": "member@acme.test"})
    Client().post("/accounts/password/reset/", {"email": "max@acme.test"})
    assert ["/key/" in mail.body for mail in mailoutbox] == [False, True]
    browser = Client()
    browser.post("/accounts/login/", {"login": "member@acme.test", "password": "numbers-demo"})
    assert browser.get("/workspaces/").status_code == 302


def test_the_only_owner_is_not_switched_off_before_there_is_another(support, acme, owner, member):
    address = f"/admin/workspaces/user/{owner.pk}/change/"
    answer = support.post(address, login_form(owner, reason="Left the firm"))
    assert "Olivia is the only owner of Acme who can sign in." in answer.text
    assert f'href="/admin/workspaces/workspace/{acme.pk}/change/"' in answer.text
    owner.refresh_from_db()
    assert owner.is_active
    Membership.objects.filter(user=member).update(role="owner")
    assert support.post(address, login_form(owner, reason="Left the firm")).status_code == 302
    answer = support.post(f"/admin/workspaces/user/{member.pk}/change/", login_form(member))
    assert "Max is the only owner of Acme who can sign in." in answer.text


def test_a_login_that_is_off_is_no_owner_to_hand_a_workspace_to(support, acme, owner, member):
    User.objects.filter(pk=member.pk).update(is_active=False)
    answer = save(support, acme, [{"role": "viewer"}, {"role": "owner"}])
    assert "keeps an owner who can sign in" in answer.text
    assert save(support, acme, [{"role": "owner"}, {"role": "owner"}]).status_code == 302


@pytest.fixture
def helper(db) -> User:
    """Support staff who may look after people and groups, and are no superuser."""
    user = User.objects.create_user("helper@example.test", "numbers-demo", is_staff=True)
    codes = ["view_user", "change_user", "add_user", "view_group", "change_group", "add_group"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return user


def test_staff_who_are_no_superusers_make_nobody_staff(helper, owner, member):
    group = Group.objects.create(name="Billing")
    more = {"is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": str(group.pk)}
    address = f"/admin/workspaces/user/{member.pk}/change/"
    form = login_form(member, **more, last_name="Power", reason="They asked")
    assert signed_in(helper).post(address, form).status_code == 302
    member.refresh_from_db()
    assert (member.last_name, member.is_staff, member.is_superuser) == ("Power", False, False)
    assert not member.groups.exists()


def test_staff_who_are_no_superusers_change_neither_staff_nor_themselves(support, helper):
    boss = User.objects.get(email="staff@example.test")
    for person in (boss, helper):
        form = login_form(person, email="mine@example.test", is_active="on", reason="I want to")
        address = f"/admin/workspaces/user/{person.pk}/change/"
        assert signed_in(helper).get(address).status_code == 200
        assert signed_in(helper).post(address, form).status_code == 403
    assert not User.objects.filter(email="mine@example.test").exists()


def test_staff_who_are_no_superusers_change_no_group(support, helper):
    group = Group.objects.create(name="Billing")
    everything = {"name": "All", "permissions": [Permission.objects.latest("pk").pk]}
    address = f"/admin/auth/group/{group.pk}/change/"
    assert signed_in(helper).get(address).status_code == 200
    for to in (address, "/admin/auth/group/add/"):
        assert signed_in(helper).post(to, everything).status_code == 403
    assert list(Group.objects.values_list("name", "permissions")) == [("Billing", None)]
    assert support.post(address, everything).status_code == 302


def test_nobody_sets_the_password_of_somebody_else(support, member):
    address = f"/admin/workspaces/user/{member.pk}/password/"
    new = {"password1": "another-long-one-1", "password2": "another-long-one-1"}
    assert (support.get(address).status_code, support.post(address, new).status_code) == (403, 403)


def test_a_price_rule_is_not_deleted_without_a_reason(support):
    rule = PriceRule.objects.create(country="DE", markup="2")
    address = f"/admin/numbers/pricerule/{rule.pk}/delete/"
    assert "Why?" in support.get(address).text
    support.post(address, {"post": "yes"})
    assert PriceRule.objects.filter(pk=rule.pk).exists()
    support.post(address, {"post": "yes", "reason": "Back to the usual"})
    assert not PriceRule.objects.filter(pk=rule.pk).exists()
    assert LogEntry.objects.get().change_message == "Back to the usual"
