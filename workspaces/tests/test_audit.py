"""The audit trail: written with the thing it tells of, and never changed."""

import pytest
from django.db import DatabaseError, connection, transaction

from workspaces import audit
from workspaces.models import AuditEvent

pytestmark = pytest.mark.django_db


def test_an_event_says_who_what_and_from_where(acme, owner):
    token = audit.ORIGIN.set("192.0.2.7")
    event = audit.record(
        workspace=acme, by=owner, action="workspace.renamed", subject=acme, text="Renamed",
        details={"name": ["Acme", "Acme Inc"]},
    )  # fmt: skip
    audit.ORIGIN.reset(token)
    assert (event.by_name, event.origin, event.subject_kind) == ("Olivia", "192.0.2.7", "workspace")
    assert event.details == {"name": ["Acme", "Acme Inc"]}


def test_what_the_system_does_is_told_as_such(acme):
    event = audit.record(workspace=acme, by=None, action="number.released", text="Given back")
    assert (event.by, event.by_name, event.origin) == (None, "System", "")


def test_whatever_people_are_called_it_is_told(acme, owner):
    owner.first_name, owner.last_name = "O" * 150, "L" * 150
    long = {"label": "x" * 254, "text": "y" * 401}
    event = audit.record(workspace=acme, by=owner, action="invitation.sent", **long)
    assert [len(event.by_name), len(event.label), len(event.text)] == [160, 160, 400]
    assert event.text == "y" * 399 + "…"
    told = [(acme.pk, "id", long["label"], "z" * 400)]
    audit.record_many(by=owner, action="number.held", subject_kind="number", events=told)
    assert AuditEvent.objects.get(text="z" * 400).label.endswith("x…")


def test_the_request_tells_its_address(as_owner, acme, settings):
    settings.BEHIND_PROXY = True
    seen = []
    as_owner.get("/w/acme/numbers/", headers={"X-Forwarded-For": "198.51.100.9, 192.0.2.1"})
    seen.append(audit.ORIGIN.get())
    assert seen == [""], "what one request told must not outlive it"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE workspaces_auditevent SET text = 'x'",
        "DELETE FROM workspaces_auditevent",
        "TRUNCATE workspaces_auditevent CASCADE",
    ],
)
def test_events_cannot_be_changed_even_by_hand(acme, statement):
    audit.record(workspace=acme, by=None, action="number.released", text="Given back")
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEvent.objects.count() == 1
