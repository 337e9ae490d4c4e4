"""What support staff change about a workspace and its members stands in its audit trail."""

import pytest

from conftest import make_member, signed_in
from workspaces.models import AuditEvent, Membership
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def save(staff, acme, owner):
    """Send the form of the admin's page about acme, with some fields changed."""

    def send(**changed: object) -> None:
        fields = {
            "name": acme.name, "slug": acme.slug, "time_zone": acme.time_zone,
            "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1,
            "memberships-0-id": Membership.objects.get(user=owner).pk,
            "memberships-0-workspace": acme.pk, "memberships-0-user": owner.pk,
            "memberships-0-role": "owner", **changed,
        }  # fmt: skip
        url = f"/admin/workspaces/workspace/{acme.pk}/change/"
        fields = {name.replace("memberships", "membership_set"): fields[name] for name in fields}
        assert signed_in(staff).post(url, fields).status_code == 302

    return send


def told() -> list[tuple[str, str, str]]:
    events = AuditEvent.objects.order_by("pk")
    return [(event.action, event.label, event.changes_in_words) for event in events]


def test_settings_are_told_before_and_after(save, acme, staff):
    save(name="Acme Ltd", time_zone="Europe/Berlin")
    assert told() == [
        ("workspace.changed", "Acme Ltd",
         "name: Acme → Acme Ltd; time zone: America/New_York → Europe/Berlin"),
    ]  # fmt: skip
    assert AuditEvent.objects.get().by == staff


def test_saving_without_a_change_tells_nothing(save):
    save()
    assert told() == []


def test_a_changed_role_is_told(save):
    save(**{"memberships-0-role": "viewer"})
    assert told() == [("member.changed", "Olivia", "role: owner → viewer")]


def test_a_removed_member_is_told(save, owner):
    save(**{"memberships-0-DELETE": "on"})
    assert told() == [("member.removed", "Olivia", "role: owner → nothing")]
    assert not Membership.objects.filter(user=owner).exists()


def test_an_added_member_is_told(save, acme, globex):
    other = make_member(globex, Role.OWNER, "gil@globex.test", "Gil")
    save(**{
        "memberships-TOTAL_FORMS": 2, "memberships-1-workspace": acme.pk,
        "memberships-1-user": other.pk, "memberships-1-role": "member",
    })  # fmt: skip
    assert told() == [("member.added", "Gil", "role: nothing → member")]
