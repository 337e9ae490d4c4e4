"""Roles, permissions, and the end of a membership: who may change what, and what stays."""

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from conftest import make_member, signed_in
from workspaces import members
from workspaces.members import LastOwner, MayNot
from workspaces.models import AuditEvent, Membership, Notice, User
from workspaces.permissions import (
    EXPLAINED,
    MEMBERS_MANAGE,
    NUMBERS_CREATE,
    NUMBERS_VIEW,
    WALLET_TOP_UP,
    Role,
)

pytestmark = pytest.mark.django_db


def test_a_granted_permission_adds_to_the_role_and_a_withdrawn_one_takes_from_it(
    acme, owner, member, place
):
    wanted = (place(member).permissions() | {NUMBERS_CREATE}) - {NUMBERS_VIEW}
    members.change_permissions(membership=place(member), permissions=wanted, by=place(owner))
    now = place(member)
    assert (now.granted, now.withdrawn) == ([NUMBERS_CREATE], [NUMBERS_VIEW])
    assert now.can(NUMBERS_CREATE)
    assert not now.can(NUMBERS_VIEW)


@pytest.mark.parametrize("permission", EXPLAINED)
def test_who_can_agrees_with_can(acme, owner, member, viewer, place, permission):
    wanted = {NUMBERS_CREATE, WALLET_TOP_UP}
    members.change_permissions(membership=place(viewer), permissions=wanted, by=place(owner))
    here = Membership.objects.for_workspace(acme)
    assert set(here.who_can(permission)) == {one for one in here if one.can(permission)}


def test_what_differs_from_the_role_stays_when_the_role_changes(acme, owner, viewer, place):
    members.change_permissions(
        membership=place(viewer), permissions={NUMBERS_CREATE}, by=place(owner)
    )
    members.change_role(membership=place(viewer), role=Role.MEMBER, by=place(owner))
    now = place(viewer)
    assert now.can(NUMBERS_CREATE)
    assert not now.can(NUMBERS_VIEW), "it was withdrawn, and the new role does not give it back"


def test_an_owner_has_everything_and_nothing_can_be_withdrawn(acme, owner, member, place):
    members.change_permissions(membership=place(member), permissions=set(), by=place(owner))
    members.change_role(membership=place(member), role=Role.OWNER, by=place(owner))
    assert place(member).permissions() == set(EXPLAINED)
    with pytest.raises(MayNot, match="An owner has every permission"):
        members.change_permissions(membership=place(member), permissions=set(), by=place(owner))
    with pytest.raises(IntegrityError, match="membership_owner_has_everything"):
        Membership.objects.filter(user=member).update(withdrawn=[NUMBERS_VIEW])


def test_nobody_grants_what_they_do_not_have(acme, owner, member, viewer, place):
    members.change_permissions(
        membership=place(member),
        permissions=place(member).permissions() | {MEMBERS_MANAGE},
        by=place(owner),
    )
    with pytest.raises(MayNot, match=f"what you do not have yourself: {WALLET_TOP_UP}"):
        members.change_permissions(
            membership=place(viewer), permissions={WALLET_TOP_UP}, by=place(member)
        )
    with pytest.raises(MayNot, match="what you do not have yourself"):
        members.change_role(membership=place(member), role=Role.ADMIN, by=place(member))
    assert place(viewer).permissions() == {"numbers_view", "inbox_view"}


@pytest.mark.parametrize("role", [Role.OWNER, Role.MEMBER])
def test_an_admin_touches_no_owner(acme, owner, place, role):
    admin = make_member(acme, Role.ADMIN, "admin@acme.test")
    other = make_member(acme, Role.OWNER if role == Role.MEMBER else Role.MEMBER, "other@acme.test")
    with pytest.raises(MayNot, match="Only an owner"):
        members.change_role(membership=place(other), role=role, by=place(admin))
    with pytest.raises(MayNot, match="Only an owner"):
        members.remove_member(membership=place(owner), by=place(admin))


def test_who_has_lost_the_right_a_moment_ago_changes_nothing(acme, owner, member, place):
    before = place(owner)
    make_member(acme, Role.OWNER, "other@acme.test")
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    with pytest.raises(MayNot, match="in the meantime"):
        members.change_role(membership=place(member), role=Role.ADMIN, by=before)


def test_a_member_of_another_workspace_is_out_of_reach(acme, owner, outsider, place):
    with pytest.raises(MayNot, match="in the meantime"):
        members.remove_member(membership=place(outsider), by=place(owner))
    assert place(outsider)


WAYS_OUT = {
    "role": lambda me: members.change_role(membership=me, role=Role.ADMIN, by=me),
    "remove": lambda me: members.remove_member(membership=me, by=me),
    "leave": lambda me: members.leave(membership=me),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_the_last_owner_stays(acme, owner, member, place, way):
    with pytest.raises(LastOwner):
        WAYS_OUT[way](place(owner))
    assert place(owner).role == Role.OWNER


@pytest.mark.parametrize("way", WAYS_OUT)
def test_an_owner_who_cannot_sign_in_is_none(acme, owner, member, place, way):
    other = make_member(acme, Role.OWNER, "other@acme.test")
    User.objects.filter(pk=other.pk).update(is_active=False)
    with pytest.raises(LastOwner, match="No other owner could sign in"):
        WAYS_OUT[way](place(owner))
    User.objects.filter(pk=other.pk).update(is_active=True)
    WAYS_OUT[way](place(owner))
    assert place(other).role == Role.OWNER


@pytest.mark.parametrize(
    "by_hand",
    [
        "DELETE FROM workspaces_membership WHERE role = 'owner'",
        "UPDATE workspaces_user SET is_active = false",
        "UPDATE workspaces_membership SET user_id = (SELECT id FROM workspaces_user WHERE NOT "
        "is_active) WHERE role = 'owner'",
    ],
)
def test_even_sql_by_hand_leaves_an_owner(acme, owner, by_hand):
    User.objects.create(email="off@acme.test", is_active=False)
    with (
        pytest.raises(DatabaseError, match="without an owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(by_hand)


def leave_together(acme) -> list[str]:
    """Both owners of Acme leave at the same moment; what came of it, for each."""
    together, outcomes = threading.Barrier(2), []

    def go(membership: Membership) -> None:
        try:
            with transaction.atomic():
                together.wait(10)
                members.leave(membership=membership)
            outcomes.append("left")
        except LastOwner:
            outcomes.append("stayed")
        finally:
            connection.close()

    owners = Membership.objects.for_workspace(acme).filter(role=Role.OWNER)
    threads = [threading.Thread(target=go, args=[membership]) for membership in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays(acme, owner):
    make_member(acme, Role.OWNER, "other@acme.test")
    assert leave_together(acme) == ["left", "stayed"]
    assert Membership.objects.for_workspace(acme).filter(role=Role.OWNER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_are_switched_off_and_leave_at_once_one_stays(acme, owner, place):
    """Whoever comes second waits for the first, and counts what it left."""
    other = make_member(acme, Role.OWNER, "other@acme.test")
    me, counted, outcome = place(owner), threading.Event(), []

    def go() -> None:
        counted.wait(10)
        try:
            members.leave(membership=me)
            outcome.append("left")
        except LastOwner:
            outcome.append("stayed")
        finally:
            connection.close()

    leaving = threading.Thread(target=go)
    leaving.start()
    with transaction.atomic():
        assert members.only_owned_by(other) == []
        counted.set()
        leaving.join(0.5)
        assert leaving.is_alive()
        User.objects.filter(pk=other.pk).update(is_active=False)
    leaving.join(10)
    assert outcome == ["stayed"]


UNGUARDED = """
CREATE OR REPLACE FUNCTION workspaces_an_owner_always() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces_membership WHERE workspace_id = OLD.workspace_id AND role = 'owner';
    IF NOT FOUND THEN RAISE EXCEPTION 'without an owner' USING ERRCODE = 'restrict_violation',
        CONSTRAINT = 'membership_an_owner_always'; END IF;
    RETURN NULL;
END $$
"""


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_owners_are_gone(acme, owner):
    """The control: counting alone does not see what the other has not committed yet."""
    make_member(acme, Role.OWNER, "other@acme.test")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('workspaces_an_owner_always'::regproc)")
        guarded = cursor.fetchone()[0]
        cursor.execute(UNGUARDED)
    both_deleted = threading.Barrier(2)

    def go(pk: int) -> None:
        try:
            with transaction.atomic():
                Membership.objects.filter(pk=pk).delete()
                both_deleted.wait(10)
        finally:
            connection.close()

    owners = Membership.objects.for_workspace(acme).values_list("pk", flat=True)
    threads = [threading.Thread(target=go, args=[pk]) for pk in owners]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(guarded)
    assert Membership.objects.for_workspace(acme).count() == 0


def test_removing_ends_access_and_sessions_at_once(acme, owner, member, place):
    browser = Client()
    browser.post("/accounts/login/", {"login": member.email, "password": "numbers-demo"})
    assert browser.get("/w/acme/numbers/").status_code == 200
    members.remove_member(membership=place(member), by=place(owner))
    assert browser.get("/w/acme/numbers/").headers["Location"].startswith("/accounts/login/")


def test_who_is_removed_keeps_the_other_workspaces(acme, owner, member, globex, place):
    Membership.objects.create(workspace=globex, user=member, role=Role.VIEWER)
    browser, here = signed_in(member), Membership.objects.get(workspace=acme, user=member)
    members.remove_member(membership=here, by=place(owner))
    assert browser.get("/w/acme/numbers/").status_code == 404
    assert browser.get("/w/globex/numbers/").status_code == 200


def test_a_withdrawn_permission_is_gone_with_the_next_click(acme, owner, member, place):
    browser = signed_in(member)
    assert browser.get("/w/acme/wallet/").status_code == 200
    members.change_permissions(membership=place(member), permissions=set(), by=place(owner))
    assert browser.get("/w/acme/wallet/").status_code == 403


def test_every_change_is_in_the_audit_trail_and_told_to_whom_it_concerns(
    acme, owner, member, place
):
    members.change_role(membership=place(member), role=Role.VIEWER, by=place(owner))
    members.change_permissions(membership=place(member), permissions=set(), by=place(owner))
    told = list(Notice.objects.order_by("pk").values_list("recipient", "subject"))
    assert told == [
        (member.pk, "Acme: your role has changed"),
        (member.pk, "Acme: your permissions have changed"),
    ]
    members.remove_member(membership=place(member), by=place(owner))
    events = AuditEvent.objects.for_workspace(acme).order_by("pk")
    assert [(event.action, event.by_name, event.label) for event in events] == [
        ("member.role_changed", "Olivia", "Max"),
        ("member.permissions_changed", "Olivia", "Max"),
        ("member.removed", "Olivia", "Max"),
    ]
    assert events[0].details == {"role": ["member", "viewer"]}


def test_saving_what_is_so_already_is_no_event(acme, owner, member, place):
    members.change_role(membership=place(member), role=Role.MEMBER, by=place(owner))
    wanted = set(place(member).permissions())
    members.change_permissions(membership=place(member), permissions=wanted, by=place(owner))
    assert AuditEvent.objects.count() == 0
