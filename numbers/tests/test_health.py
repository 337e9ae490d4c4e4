"""Health on every number: OK, warning or broken, from facts, and the history of its checks."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers import cures, sync
from numbers.models import Number
from numbers.sync_models import Difference, NumberCheck
from workspaces.models import AuditEvent, Notice

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://elsewhere.example.com/voice"
Kind, Health = Difference.Kind, Number.Health


def at_provider(simulator, number: Number, **fields: object) -> None:
    simulator.app.state.update(simulator.account, number.provider_sid, fields)


def health(number: Number) -> Health:
    number.refresh_from_db()
    return Health(number.health)


@pytest.fixture
def number(owned, simulator) -> Number:
    """The same here and at the carrier."""
    from numbers.settle import repair_webhooks

    Number.objects.update(webhooks_set_at=None)
    repair_webhooks()
    able = {"voice": True, "sms": True, "mms": True, "fax": False}
    at_provider(simulator, owned, capabilities=able)
    owned.refresh_from_db()
    return owned


@pytest.fixture
def differ(number):
    def differ(kind: Kind, **facts: object) -> Difference:
        now = timezone.now()
        return Difference.objects.create(
            workspace=number.workspace, number=number, e164=number.e164, kind=kind,
            provider_sid=number.provider_sid, first_seen_at=now, last_seen_at=now, **facts,
        )  # fmt: skip

    return differ


def test_a_number_with_nothing_wrong_is_ok(number):
    assert health(number) == Health.GOOD
    assert Health.GOOD.level == "ok"


@pytest.mark.parametrize(
    ("facts", "found", "level"),
    [
        ({"webhooks_set_at": None}, Health.CONNECTING, "warning"),
        ({"outbound_stopped_at": timezone.now()}, Health.OUTBOUND_STOPPED, "warning"),
        ({"parked_at": timezone.now(), "giving_back_at": timezone.now(),
          "give_back_refusal": "It is being ported."}, Health.HELD, "warning"),
        ({"suspended_at": timezone.now()}, Health.UNPAID, "broken"),
        ({"vanished_at": timezone.now()}, Health.GONE, "broken"),
        ({"deactivated_at": timezone.now()}, Health.GOOD, "ok"),
        ({"vanished_at": timezone.now(), "released_at": timezone.now()}, Health.GOOD, "ok"),
    ],
)  # fmt: skip
def test_facts_of_the_number_tell_its_health(number, facts, found, level):
    Number.objects.update(**facts)
    assert health(number) == found
    assert found.level == level


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Kind.NAME, Health.DIFFERS),
        (Kind.CAPABILITIES, Health.DIFFERS),
        (Kind.WEBHOOKS, Health.ELSEWHERE),
        (Kind.OVERRIDDEN, Health.ELSEWHERE),
        (Kind.SERVICE, Health.ELSEWHERE),
        (Kind.NOT_IN_USE, Health.NOT_IN_USE),
        (Kind.MISSING, Health.GONE),
        (Kind.RETURNED, Health.GOOD),
    ],
)
def test_an_open_difference_is_part_of_it(number, differ, kind, found):
    differ(kind)
    assert health(number) == found


def test_of_several_differences_the_gravest_counts_until_it_is_over(number, differ, owner):
    grave = differ(Kind.WEBHOOKS, asks=True)
    differ(Kind.NAME)
    assert health(number) == Health.ELSEWHERE
    Difference.objects.filter(pk=grave.pk).update(
        ended_at=timezone.now(), cure=Difference.Cure.BY_ITSELF
    )
    assert health(number) == Health.DIFFERS
    Difference.objects.all().delete()
    assert health(number) == Health.GOOD


def test_what_is_left_on_purpose_is_no_trouble(number, differ, owner):
    cures.leave(differ(Kind.WEBHOOKS, asks=True), by=owner)
    assert health(number) == Health.GOOD


def test_seeing_it_again_touches_no_number(number, differ):
    differ(Kind.WEBHOOKS)
    with CaptureQueriesContext(connection):
        before = Number.objects.extra(select={"at": "numbers_number.xmin"}).get().at
        Difference.objects.update(last_seen_at=timezone.now())
        assert Number.objects.extra(select={"at": "numbers_number.xmin"}).get().at == before


def test_another_number_keeps_its_own_health(number, differ, make_number, acme):
    other = make_number(acme)
    differ(Kind.MISSING)
    assert health(other) == Health.GOOD


@pytest.mark.parametrize(
    ("problem", "shown"), [("any", 2), ("broken", 1), ("warning", 1), ("elsewhere", 1), ("gone", 0)]
)
def test_the_list_filters_by_it(as_owner, number, differ, make_number, acme, problem, shown):
    differ(Kind.WEBHOOKS)
    make_number(acme, webhooks_set_at=None)
    make_number(acme)
    page = as_owner.get("/w/acme/numbers/", {"problem": problem})
    assert len(page.context["rows"]) == shown


def test_the_list_says_it_in_words(as_owner, number, differ):
    differ(Kind.WEBHOOKS)
    as_owner.post("/w/acme/numbers/columns/", {"columns": ["health"]})
    page = as_owner.get("/w/acme/numbers/").content.decode()
    assert "Broken</span> Calls or messages go somewhere else" in page


def test_its_page_says_it_and_leads_to_what_differs(as_owner, number, differ):
    differ(Kind.WEBHOOKS)
    page = as_owner.get(number.get_absolute_url()).content.decode()
    assert "Calls or messages go somewhere else" in page
    assert f"{number.get_absolute_url()}checks/" in page


# --- The history ---------------------------------------------------------------------------


def checks(number: Number) -> str:
    return f"{number.get_absolute_url()}checks/"


def test_a_number_that_was_never_compared_says_so(as_owner, number):
    assert "Not compared yet" in as_owner.get(checks(number)).content.decode()


def test_the_history_tells_when_and_each_difference_with_its_cure(as_owner, number, simulator):
    Number.objects.update(created_at=timezone.now() - timedelta(days=1))
    at_provider(simulator, number, voice_url="")
    sync.reconcile()
    page = as_owner.get(checks(number)).content.decode()
    for words in ("Last compared on", "Calls or messages are sent somewhere else", "First seen",
                  "last seen", "Set right at the carrier", "the hourly comparison"):  # fmt: skip
        assert words in page


def test_a_run_that_broke_off_or_was_dry_compared_nothing(number, simulator):
    from numbers.number_checks import history_of

    Number.objects.update(created_at=timezone.now() - timedelta(days=1))
    number.refresh_from_db()
    sync.reconcile(dry_run=True)
    simulator.fault("server_error", method="GET", path_contains="IncomingPhoneNumbers")
    sync.reconcile()
    assert history_of(number).compared_at is None


def test_the_fragment_is_the_page_s_own(as_owner, number):
    answer = as_owner.get(checks(number), headers={"HX-Request": "true", "HX-Target": "checks"})
    assert answer.content.decode().lstrip().startswith('<section id="checks"')


# --- On demand -----------------------------------------------------------------------------


def test_its_people_can_compare_it_now(as_owner, number, simulator, owner):
    answer = as_owner.post(f"{number.get_absolute_url()}check/", follow=True)
    assert "is the same here and at the carrier" in answer.content.decode()
    check = NumberCheck.objects.get()
    assert (check.by, check.answered, check.found) == (owner, True, 0)


def test_comparing_sets_right_what_needs_no_question(as_owner, number, simulator):
    at_provider(simulator, number, voice_url="")
    as_owner.post(f"{number.get_absolute_url()}check/")
    assert simulator.owned()[0]["voice_url"]
    assert health(number) == Health.GOOD
    assert AuditEvent.objects.filter(action="difference.repaired").exists()


def test_what_somebody_may_have_meant_is_asked_about(as_owner, number, simulator):
    at_provider(simulator, number, voice_url=ELSEWHERE)
    page = as_owner.post(f"{number.get_absolute_url()}check/", follow=True).content.decode()
    assert "Send them here again" in page
    assert "Leave it: it is meant" in page
    assert ELSEWHERE in page
    assert simulator.owned()[0]["voice_url"] == ELSEWHERE


@pytest.mark.parametrize(("do", "address_stays"), [("cure", False), ("leave", True)])
def test_the_answer_to_the_question_is_kept(as_owner, number, simulator, do, address_stays):
    at_provider(simulator, number, voice_url=ELSEWHERE)
    sync.check_number(number)
    difference = Difference.objects.get()
    as_owner.post(f"{checks(number)}{difference.public_id}/{do}/")
    assert (simulator.owned()[0]["voice_url"] == ELSEWHERE) == address_stays
    assert health(number) == Health.GOOD


@pytest.mark.parametrize(
    ("fault", "said"), [("unavailable", "carrier does not answer"), ("suspended", "suspended")]
)
def test_a_carrier_that_does_not_answer_is_told(as_owner, number, simulator, fault, said):
    simulator.fault(fault, times=-1)
    answer = as_owner.post(f"{number.get_absolute_url()}check/")
    assert answer.status_code == 503
    assert said in answer.content.decode()
    assert "the carrier did not answer" in answer.content.decode()


def test_a_number_that_is_gone_at_the_carrier_becomes_inactive(as_owner, number, simulator):
    simulator.app.state.release(simulator.account, number.provider_sid)
    as_owner.post(f"{number.get_absolute_url()}check/")
    assert health(number) == Health.GONE


def test_comparing_one_that_is_gone_says_so_and_tells_nobody_again(as_owner, number, simulator):
    simulator.app.state.release(simulator.account, number.provider_sid)
    for _ in range(2):
        page = as_owner.post(f"{number.get_absolute_url()}check/", follow=True).content.decode()
        assert "is not at the carrier any more" in page
        assert "is the same here and at the carrier" not in page
    assert Notice.objects.filter(key__startswith="number-vanished:").count() == 1
    assert Difference.objects.count() == 1


def test_one_that_is_just_being_given_back_is_not_called_lost(number, simulator):
    Number.objects.update(parked_at=timezone.now(), giving_back_at=timezone.now())
    simulator.app.state.release(simulator.account, number.provider_sid)
    assert sync.check_number(number) == []


def test_what_was_given_back_is_not_compared(as_owner, number):
    Number.objects.update(released_at=timezone.now())
    assert as_owner.post(f"{number.get_absolute_url()}check/").status_code == 422


def test_who_may_only_look_cannot(as_viewer, number):
    assert as_viewer.get(checks(number)).status_code == 200
    assert "Compare now" not in as_viewer.get(checks(number)).content.decode()
    assert as_viewer.post(f"{number.get_absolute_url()}check/").status_code == 403


def test_a_difference_of_another_number_is_not_found(as_owner, number, differ, make_number, acme):
    other = make_number(acme)
    difference = differ(Kind.WEBHOOKS, asks=True)
    assert as_owner.post(f"{checks(other)}{difference.public_id}/cure/").status_code == 404


def test_support_s_own_differences_are_not_for_the_workspace(as_owner, number, differ):
    difference = differ(Kind.NOT_IN_USE, asks=True)
    assert as_owner.post(f"{checks(number)}{difference.public_id}/cure/").status_code == 422
