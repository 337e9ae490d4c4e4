"""Changing a number: name (also at the carrier), notes, tags, off and on, the lock."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from numbers import changes, names, tags
from numbers.list_models import Tag, Tagging
from numbers.models import Number
from numbers.number_refusals import NumberGivenBack, NumberIsReleased, ReleaseIsScheduled
from workspaces.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(number: Number, page: str = "") -> str:
    return f"/w/acme/numbers/{number.public_id}/{page}"


def name_at_carrier(simulator) -> str:
    return simulator.owned()[0]["friendly_name"]


def edit(client, number, **fields):
    form = {"friendly_name": number.friendly_name, "notes": number.notes, "tags": "", **fields}
    return client.post(url_of(number, "edit/"), form)


def test_a_new_name_is_here_and_at_the_carrier(as_member, owned, simulator):
    assert edit(as_member, owned, friendly_name="Sales Berlin").status_code == 302
    owned.refresh_from_db()
    assert (owned.friendly_name, owned.name_unsent_since) == ("Sales Berlin", None)
    assert name_at_carrier(simulator) == "Sales Berlin"


def test_a_removed_name_is_the_number_at_the_carrier(as_member, owned, simulator):
    edit(as_member, owned, friendly_name="")
    assert name_at_carrier(simulator) == "+1 212-555-0123"


def test_a_name_that_did_not_arrive_is_sent_by_the_sweep(as_member, owned, simulator):
    simulator.fault("server_error", method="POST", path_contains="IncomingPhoneNumbers")
    edit(as_member, owned, friendly_name="Sales")
    owned.refresh_from_db()
    assert owned.friendly_name == "Sales"
    assert owned.name_unsent_since
    names.send_due()
    assert name_at_carrier(simulator) == "Front desk", "whoever sends may still be waiting"
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        names.send_due()
    owned.refresh_from_db()
    assert (name_at_carrier(simulator), owned.name_unsent_since) == ("Sales", None)


def test_a_name_changed_while_another_is_sent_is_sent_too(owned, owner, simulator, monkeypatch):
    """Between the carrier's answer and our note of it, somebody renames it again."""
    changes.rename(number=owned, by=owner, name="First")
    Number.objects.update(name_unsent_since=timezone.now())
    configure = names.provider.configure

    def and_somebody_renames(**given):
        answer = configure(**given)
        if given["friendly_name"] == "First":
            Number.objects.update(friendly_name="Second")
        return answer

    monkeypatch.setattr(names.provider, "configure", and_somebody_renames)
    names.send_name(owned.pk)
    owned.refresh_from_db()
    assert (name_at_carrier(simulator), owned.name_unsent_since) == ("Second", None)


def test_one_process_sends_a_name_at_a_time(owned, owner, simulator):
    Number.objects.update(name_unsent_since=timezone.now(), name_tried_at=timezone.now())
    names.send_name(owned.pk)
    assert simulator.requests == []


def test_notes_and_tags_are_kept(as_member, owned):
    edit(as_member, owned, notes="On the flyer", tags="vip, Berlin , VIP,")
    owned.refresh_from_db()
    assert owned.notes == "On the flyer"
    assert list(Tag.objects.order_by("name").values_list("name", flat=True)) == ["Berlin", "vip"]


def test_a_tag_without_numbers_is_forgotten(as_member, owned, acme, make_number, owner):
    other = make_number(acme)
    tags.set_tags(number=other, by=owner, names=["both"])
    edit(as_member, owned, tags="both, only")
    edit(as_member, owned, tags="")
    assert list(Tag.objects.values_list("name", flat=True)) == ["both"]


def test_tags_of_two_workspaces_are_apart(owned, owner, globex, outsider, make_number):
    other = make_number(globex)
    tags.set_tags(number=owned, by=owner, names=["vip"])
    tags.set_tags(number=other, by=outsider, names=["VIP"])
    assert Tag.objects.count() == 2


def test_the_database_refuses_a_tag_of_another_workspace(owned, owner, globex, make_number):
    tags.set_tags(number=owned, by=owner, names=["vip"])
    tag, other = Tag.objects.get(), make_number(globex)
    for workspace in (owned.workspace, globex):
        with pytest.raises(IntegrityError), transaction.atomic():
            Tagging.objects.create(
                workspace=workspace, tag=tag, number=other, bought_at=other.created_at
            )


def test_the_database_keeps_a_tagging_true_to_its_number(owned, owner):
    tags.set_tags(number=owned, by=owner, names=["vip"])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE numbers_number SET created_at = created_at - interval '1 day'")
    owned.refresh_from_db()
    assert Tagging.objects.get().bought_at == owned.created_at


def test_a_number_given_back_loses_its_tags(owned, owner):
    tags.set_tags(number=owned, by=owner, names=["vip"])
    Number.objects.update(released_at=timezone.now())
    assert not Tagging.objects.exists()


def test_switching_off_says_first_what_it_means(as_member, owned):
    page = as_member.get(url_of(owned, "deactivate/")).content.decode()
    assert "Nothing is received" in page
    assert "$1.38 goes on" in page
    owned.refresh_from_db()
    assert owned.status == "active"


def test_switched_off_and_on_again(as_member, owned):
    as_member.post(url_of(owned, "deactivate/"))
    owned.refresh_from_db()
    assert (owned.status, owned.inactive_because) == ("inactive", "deactivated")
    as_member.post(url_of(owned, "activate/"))
    owned.refresh_from_db()
    assert owned.status == "active"


def test_switching_on_does_not_pay_the_fee(as_member, owned):
    Number.objects.update(deactivated_at=timezone.now(), suspended_at=timezone.now())
    as_member.post(url_of(owned, "activate/"))
    owned.refresh_from_db()
    assert (owned.status, owned.inactive_because) == ("inactive", "suspended")


def test_a_member_locks_and_only_who_may_release_unlocks(as_member, as_owner, owned):
    assert as_member.post(url_of(owned, "lock/")).status_code == 302
    assert as_member.post(url_of(owned, "unlock/")).status_code == 403
    owned.refresh_from_db()
    assert owned.locked_at
    assert as_owner.post(url_of(owned, "unlock/")).status_code == 302
    owned.refresh_from_db()
    assert owned.locked_at is None


def test_a_number_that_is_to_be_released_is_not_locked(owned, owner):
    Number.objects.update(release_at=timezone.now())
    owned.refresh_from_db()
    with pytest.raises(ReleaseIsScheduled):
        changes.lock(number=owned, by=owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        Number.objects.update(locked_at=timezone.now())


@pytest.mark.parametrize(
    ("fact", "refusal"), [("parked_at", NumberIsReleased), ("released_at", NumberGivenBack)]
)
def test_a_number_that_leaves_is_not_changed(as_member, owned, owner, fact, refusal):
    Number.objects.update(**{fact: timezone.now()})
    for change in (changes.deactivate, changes.activate, changes.lock, changes.unlock):
        with pytest.raises(refusal):
            change(number=owned, by=owner)
    response = edit(as_member, owned, friendly_name="Other", notes="kept", tags="x")
    assert response.status_code == 422
    assert "kept" in response.content.decode()
    owned.refresh_from_db()
    assert (owned.friendly_name, owned.notes) == ("Front desk", "")


def test_a_change_is_told_once_and_only_if_there_was_one(as_member, owned):
    for _ in range(2):
        edit(as_member, owned, friendly_name="Sales", notes="n", tags="vip")
        as_member.post(url_of(owned, "deactivate/"))
    actions = sorted(AuditEvent.objects.values_list("action", flat=True))
    assert actions == ["number.deactivated", "number.noted", "number.renamed", "number.tagged"]
    event = AuditEvent.objects.get(action="number.renamed")
    assert event.details == {"friendly_name": ["Front desk", "Sales"]}
    assert (event.by_name, event.subject_id) == ("Max", owned.public_id)


@pytest.mark.parametrize(
    "fields",
    [{"friendly_name": "x" * 65}, {"notes": "x" * 2001}, {"tags": "x" * 41},
     {"tags": ",".join(f"t{i}" for i in range(21))}, {"friendly_name": "a\x00b"},
     {"tags": "a\x00b"}],
)  # fmt: skip
def test_bad_input_is_refused_and_kept(as_member, owned, fields):
    response = edit(as_member, owned, **fields)
    assert response.status_code == 422
    owned.refresh_from_db()
    assert owned.friendly_name == "Front desk"
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("page", ["edit/", "deactivate/", "activate/", "lock/"])
def test_a_viewer_changes_nothing(as_viewer, owned, page):
    response = as_viewer.post(url_of(owned, page), {"friendly_name": "x"})
    assert response.status_code == 403
    assert "numbers_edit" in response.content.decode()


@pytest.mark.parametrize("page", ["activate/", "lock/", "unlock/", "release/undo/"])
def test_reading_changes_nothing(as_owner, owned, page):
    assert as_owner.get(url_of(owned, page)).status_code == 405
