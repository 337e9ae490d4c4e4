"""Support staff waive a month, give more time, and collect for one workspace."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F
from django.utils import timezone

from conftest import signed_in
from numbers.models import Number, RentDue, RentGrace, RentRun
from numbers.rent import collect_due
from numbers.rent_staff import NotBilled, ReasonMissing, end_grace, extend_grace, waive_month
from numbers.tests.rent_book import at, audit, buy, due_on, lines
from wallet.models import Entry, Kind
from workspaces.models import AuditEvent

pytestmark = pytest.mark.django_db


def test_a_waived_month_costs_nothing_and_the_next_one_is_charged(acme, staff):
    number = buy(acme, "2023-01-10")
    line = waive_month(number=number, reason="Goodwill", by=staff, now=at("2023-02-01"))
    assert (line.period, line.amount, line.waived_because) == (1, 0, "Goodwill")
    assert due_on(number) == "2023-03-10"
    collect_due(at("2023-03-10"))
    assert lines(number) == [(1, 0), (2, Decimal("1.38"))]
    assert Entry.objects.filter(kind=Kind.RENT).count() == 1
    assert audit() == []


def test_who_waived_it_and_why_stands_in_the_audit_trail(acme, staff):
    number = buy(acme, "2023-01-10")
    waive_month(number=number, reason="Goodwill", by=staff)
    event = AuditEvent.objects.get(action="rent.waived")
    assert (event.by, event.label, event.text) == (
        staff, number.e164, "Waived the month from 9 Feb 2023",
    )  # fmt: skip
    assert event.details == {"period": 1, "reason": "Goodwill"}


def test_waiving_what_is_overdue_puts_the_number_back(globex, staff):
    number = buy(globex, "2023-01-10", "3.00")
    collect_due(at("2023-02-11"))
    Number.objects.update(outbound_stopped_at=timezone.now(), suspended_at=timezone.now())
    RentDue.objects.update(overdue_since=at("2023-02-10"))
    waive_month(number=number, reason="Goodwill", by=staff, now=at("2023-02-20"))
    number.refresh_from_db()
    assert number.status == "active"
    assert RentDue.objects.get().overdue_since is None


def test_a_waived_month_takes_the_announced_price_along(acme, staff):
    number = buy(acme, "2023-01-10")
    RentDue.objects.update(next_price=Decimal(2), next_price_from=1)
    waive_month(number=number, reason="Goodwill", by=staff)
    number.refresh_from_db()
    due = RentDue.objects.get()
    assert (number.monthly_price, due.price, due.next_price) == (2, 2, None)


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_nothing_is_waived_and_no_time_given(acme, staff, reason):
    number = buy(acme, "2023-01-10")
    with pytest.raises(ReasonMissing):
        waive_month(number=number, reason=reason, by=staff)
    with pytest.raises(ReasonMissing):
        extend_grace(workspace=acme, extra_days=7, reason=reason, by=staff)
    with pytest.raises(ReasonMissing):
        end_grace(workspace=acme, reason=reason, by=staff)
    assert (lines(number), RentGrace.objects.count(), due_on(number)) == ([], 0, "2023-02-10")


def test_a_released_number_has_nothing_to_waive(acme, staff):
    number = buy(acme, "2023-01-10", released_at=at("2023-01-20"))
    with pytest.raises(NotBilled):
        waive_month(number=number, reason="Goodwill", by=staff)


def test_a_second_extension_replaces_the_first(acme, staff):
    extend_grace(workspace=acme, extra_days=7, reason="Bank holiday", by=staff)
    extend_grace(workspace=acme, extra_days=14, reason="And another", by=staff)
    assert RentGrace.objects.get(ended_at=None).extra_days == 14
    end_grace(workspace=acme, reason="They have paid", by=staff)
    assert not RentGrace.objects.filter(ended_at=None).exists()
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "rent.grace", "rent.grace", "rent.grace_ended",
    ]  # fmt: skip


@pytest.fixture
def as_staff(staff):
    return signed_in(staff)


ADMIN = "/admin/numbers/rentaccount"


def test_staff_see_the_last_runs_with_counts_sums_duration_and_errors(as_staff, acme):
    buy(acme, "2023-01-10")
    collect_due(at("2023-02-10"))
    RentRun.objects.update(
        ended_at=F("started_at") + timedelta(seconds=2.5),
        problems=["Workspace 7 has numbers and no wallet."],
    )
    page = as_staff.get("/admin/numbers/rentrun/").content.decode()
    for shown in ["$1.38", "Every hour", "2.5 s", "Workspace 7 has numbers and no wallet."]:
        assert shown in page


def test_staff_collect_for_one_workspace(as_staff, acme, globex, staff):
    number, other = buy(acme, "2023-01-10", "0.10"), buy(globex, "2023-01-10", "0.10")
    answer = as_staff.post(f"{ADMIN}/{acme.pk}/collect/", follow=True)
    assert "Charged" in answer.content.decode()
    assert (len(lines(number)) > 12, lines(other)) == (True, [])
    assert RentRun.objects.get().by == staff


def test_staff_give_more_time_and_end_it(as_staff, acme, staff):
    as_staff.post(f"{ADMIN}/{acme.pk}/grace/", {"extra_days": "7", "reason": "Bank holiday"})
    grace = RentGrace.objects.get()
    assert (grace.extra_days, grace.reason, grace.by, grace.ended_at) == (
        7, "Bank holiday", staff, None,
    )  # fmt: skip
    answer = as_staff.post(f"{ADMIN}/{acme.pk}/end-grace/", {"end-reason": " "})
    assert (answer.status_code, RentGrace.objects.get().ended_at) == (422, None)
    as_staff.post(f"{ADMIN}/{acme.pk}/end-grace/", {"end-reason": "They have paid"})
    assert RentGrace.objects.get().ended_at is not None


def test_staff_waive_a_month_by_the_number(as_staff, acme):
    number = buy(acme, timezone.now())
    as_staff.post(f"{ADMIN}/{acme.pk}/waive/", {"number": number.e164, "reason": "Goodwill"})
    assert lines(number) == [(1, 0)]


@pytest.mark.parametrize(
    ("form", "fields", "problem"),
    [
        ("grace", {"extra_days": "0", "reason": "x"}, "greater than or equal to 1"),
        ("grace", {"extra_days": "7", "reason": " "}, "This field is required."),
        ("waive", {"number": "+12125550000", "reason": "x"}, "has no such number"),
        ("waive", {"number": "\x00", "reason": "x"}, "Null characters are not allowed."),
        ("waive", {"number": "", "reason": "x"}, "This field is required."),
    ],
)
def test_bad_input_is_kept_and_explained(as_staff, acme, form, fields, problem):
    buy(acme, timezone.now(), e164="+12125557777")
    answer = as_staff.post(f"{ADMIN}/{acme.pk}/{form}/", fields)
    assert (answer.status_code, problem in answer.content.decode()) == (422, True)
    assert (RentGrace.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_a_number_of_another_workspace_cannot_be_waived_from_here(as_staff, acme, globex):
    number = buy(globex, timezone.now())
    answer = as_staff.post(
        f"{ADMIN}/{acme.pk}/waive/", {"number": number.e164, "reason": "Goodwill"}
    )
    assert (answer.status_code, lines(number)) == (422, [])


def test_the_account_page_shows_how_a_workspace_stands(as_staff, globex, staff):
    buy(globex, "2023-01-10", "3.00")
    collect_due(at("2023-02-11"))
    extend_grace(workspace=globex, extra_days=7, reason="Bank holiday", by=staff)
    page = as_staff.get(f"{ADMIN}/{globex.pk}/change/").content.decode()
    for shown in ["Globex", "Bank holiday", "7 days more", "$2.00"]:
        assert shown in page
    row = as_staff.get(f"{ADMIN}/").content.decode()
    assert all(shown in row for shown in ["Globex", "2023-02-11", "7 days"])


@pytest.mark.parametrize("action", ["collect", "grace", "end-grace", "waive"])
def test_nobody_else_gets_there(as_owner, acme, action):
    assert as_owner.post(f"{ADMIN}/{acme.pk}/{action}/").status_code == 302
    assert as_owner.get(f"{ADMIN}/{acme.pk}/change/").status_code == 302
    assert (RentRun.objects.count(), RentGrace.objects.count()) == (0, 0)


def test_a_get_changes_nothing(as_staff, acme):
    for action in ["collect", "grace", "end-grace", "waive"]:
        assert as_staff.get(f"{ADMIN}/{acme.pk}/{action}/").status_code == 405
    assert not RentRun.objects.exists()
