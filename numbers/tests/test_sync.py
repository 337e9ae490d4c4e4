"""Comparing with the provider: each kind of difference, and what sets it right."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from numbers import cures, plan, pools, sync, watch
from numbers.compare import Kind
from numbers.models import Number, NumberOrder, OrderLine
from numbers.purchase import purchase_number
from numbers.sync_models import Difference, SyncRun
from telephony import provider
from telephony.errors import ProviderError
from telephony.webhook_urls import webhooks_for_numbers
from workspaces import notices
from workspaces.models import AuditEvent, Notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(acme, owner, quote) -> Number:
    """Bought an hour ago, and the same here and at the provider."""
    purchase_number(workspace=acme, by=owner, quote=quote)
    Number.objects.update(created_at=timezone.now() - timedelta(hours=1))
    return Number.objects.get()


def at_provider(simulator, number: Number, **fields: object) -> None:
    """Somebody changes the number at the provider."""
    simulator.app.state.update(simulator.account, number.provider_sid, fields)


def as_wanted(number: Number) -> bool:
    """Whether the provider sends its calls and messages to us."""
    wanted = webhooks_for_numbers(number.capabilities)
    return provider.fetch(sid=number.provider_sid).webhooks == wanted


def open_kinds() -> list[str]:
    return sorted(Difference.objects.open().values_list("kind", flat=True))


def test_nothing_differs_after_a_purchase(number, simulator):
    run = sync.reconcile()
    assert (run.complete, run.seen, run.found, run.error) == (True, 1, 0, "")
    assert not Difference.objects.exists()


def test_webhooks_that_are_gone_are_set_again(number, simulator):
    at_provider(simulator, number, voice_url="", sms_url="")
    run = sync.reconcile()
    assert (run.found, run.cured) == (1, 1)
    assert provider.fetch(sid=number.provider_sid).webhooks == webhooks_for_numbers(
        number.capabilities
    )
    difference = Difference.objects.get()
    assert (difference.kind, difference.cure) == (Kind.WEBHOOKS, "repaired")
    assert AuditEvent.objects.filter(action="difference.repaired").exists()


def test_an_address_that_somebody_else_set_is_asked_about(number, owner, simulator):
    at_provider(simulator, number, voice_url="https://elsewhere.example.com/voice")
    run = sync.reconcile()
    assert (run.found, run.cured) == (1, 0)
    difference = Difference.objects.open().get()
    assert difference.asks
    assert difference.theirs == {"voice_url": "https://elsewhere.example.com/voice"}
    cures.cure(difference, by=owner)
    assert provider.fetch(sid=number.provider_sid).webhooks == webhooks_for_numbers(
        number.capabilities
    )
    assert open_kinds() == []


def test_what_is_left_on_purpose_stays_quiet_until_it_changes(number, owner, simulator):
    at_provider(simulator, number, voice_url="https://elsewhere.example.com/voice")
    sync.reconcile()
    cures.leave(Difference.objects.get(), by=owner)
    sync.reconcile()
    assert not Difference.objects.troubling().exists()
    at_provider(simulator, number, voice_url="https://another.example.com/voice")
    sync.reconcile()
    assert Difference.objects.troubling().count() == 1


def test_an_old_address_of_this_site_is_replaced_without_a_question(number, simulator):
    at_provider(simulator, number, voice_url="https://desk.test/old/voice")
    assert sync.reconcile().cured == 1


@pytest.mark.parametrize("field", ["voice_application_sid", "trunk_sid", "sms_application_sid"])
def test_what_stands_above_our_webhooks_is_asked_about(number, owner, simulator, field):
    at_provider(simulator, number, **{field: "AP" + "1" * 32})
    sync.reconcile()
    difference = Difference.objects.open().get()
    assert (difference.kind, difference.asks) == (Kind.OVERRIDDEN, True)
    cures.cure(difference, by=owner)
    assert sync.check_number(number) == []


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("voice_method", "voice_method"), ("voice_fallback_method", "voice_fallback_method"),
        ("status_callback_method", "voice_status_method"), ("sms_method", "message_method"),
        ("sms_fallback_method", "message_fallback_method"),
    ],
)  # fmt: skip
def test_a_method_that_we_do_not_answer_is_set_right_and_can_be_put_back(
    number, owner, simulator, field, name
):
    at_provider(simulator, number, **{field: "GET"})
    assert sync.reconcile().cured == 1
    assert simulator.owned()[0][field] == "POST"
    difference = Difference.objects.get()
    assert (difference.theirs, difference.cure) == ({name: "GET"}, "repaired")
    assert sync.reconcile().found == 0
    cures.undo(difference, by=owner)
    assert simulator.owned()[0][field] == "GET"
    assert stays_undone()


def test_the_method_of_a_webhook_that_is_not_there_says_nothing(number, simulator):
    able = {"voice": True, "sms": False, "mms": False, "fax": False}
    at_provider(simulator, number, capabilities=able)
    sync.reconcile()
    at_provider(simulator, number, sms_method="GET", sms_fallback_method="GET")
    assert sync.reconcile().found == 0


SERVICE = "https://elsewhere.example.com/sms"


def test_a_messaging_service_that_takes_its_messages_is_asked_about(number, owner, simulator):
    service = simulator.service(number.provider_sid, inbound_request_url=SERVICE)
    run = sync.reconcile()
    assert (run.complete, run.found, run.cured, run.error) == (True, 1, 0, "")
    difference = Difference.objects.open().get()
    assert (difference.kind, difference.asks) == (Kind.SERVICE, True)
    assert difference.theirs == {
        "messaging_service": service, "service_name": "Marketing", "service_url": SERVICE,
    }  # fmt: skip
    cures.cure(difference, by=owner)
    assert simulator.app.state.service_of(number.provider_sid) == ""
    assert (sync.check_number(number), sync.reconcile().found) == ([], 0)
    assert AuditEvent.objects.filter(action="difference.repaired", by=owner).exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"use_inbound_webhook_on_number": True, "inbound_request_url": SERVICE},
        {"inbound_request_url": webhooks_for_numbers(["sms"]).message_url},
    ],
)
def test_a_messaging_service_that_lets_us_have_the_messages_is_no_difference(
    number, simulator, fields
):
    simulator.service(number.provider_sid, **fields)
    assert sync.reconcile().found == 0
    assert sync.check_number(number) == []


def test_a_service_that_is_left_on_purpose_stays_quiet(number, owner, simulator):
    simulator.service(number.provider_sid, us_app_to_person_registered=True)
    [difference] = sync.check_number(number)
    assert "under that of the service" in difference.theirs["us_registration"]
    cures.leave(difference, by=owner)
    assert sync.reconcile().complete
    assert not Difference.objects.troubling().exists()
    assert simulator.app.state.service_of(number.provider_sid)


@pytest.mark.parametrize("part", ["v1/Services", "/PhoneNumbers"])
def test_services_that_cannot_all_be_read_end_nothing(number, simulator, part):
    service = simulator.service(number.provider_sid)
    sync.reconcile()
    simulator.app.state.leave(number.provider_sid)
    at_provider(simulator, number, voice_url="")
    for look in (sync.reconcile, lambda: sync.check_number(number)):
        simulator.fault("server_error", path_contains=part)
        look()
        assert Kind.SERVICE in open_kinds()
    run = SyncRun.objects.get(error__contains="Messaging services")
    assert (run.complete, run.cured) == (True, 1), "the rest is compared and cured all the same"
    assert sync.reconcile().found == 0
    assert (open_kinds(), simulator.app.state.service(service)["sid"]) == ([], service)


@pytest.mark.parametrize(("bound", "look"), [("MOST_POOLS", "walk"), ("MOST_ASKED", "one")])
def test_more_services_than_are_asked_are_not_taken_for_all(
    number, simulator, monkeypatch, bound, look
):
    simulator.service()
    simulator.service(number.provider_sid)
    sync.reconcile()
    simulator.app.state.leave(number.provider_sid)
    monkeypatch.setattr(pools, bound, 1)
    before = len(simulator.requests)
    sync.reconcile() if look == "walk" else sync.check_number(number)
    asked = [r for r in simulator.requests[before:] if "/PhoneNumbers" in r["path"]]
    assert (len(asked), open_kinds()) == (1, [Kind.SERVICE])


def test_a_number_that_takes_no_messages_is_in_no_service_s_way(number, simulator):
    able = {"voice": True, "sms": False, "mms": False, "fax": False}
    at_provider(simulator, number, capabilities=able)
    sync.reconcile()
    number.refresh_from_db()
    before = len(simulator.requests)
    sync.check_number(number)
    assert len(simulator.requests) == before + 1


def test_our_friendly_name_is_written_again(number, simulator):
    at_provider(simulator, number, friendly_name="Somebody's")
    sync.reconcile()
    assert simulator.owned()[0]["friendly_name"] == number.friendly_name


MEANT = {"voice_url": "https://elsewhere.example.com/voice"}


def test_writing_our_name_leaves_an_address_that_somebody_meant(number, owner, simulator):
    at_provider(simulator, number, friendly_name="Somebody's", **MEANT)
    assert sync.reconcile().cured == 1
    row = simulator.owned()[0]
    assert (row["friendly_name"], row["voice_url"]) == (number.friendly_name, MEANT["voice_url"])


def test_taking_an_application_off_leaves_an_address_that_somebody_meant(number, owner, simulator):
    at_provider(simulator, number, trunk_sid="TK" + "1" * 32, **MEANT)
    sync.reconcile()
    cures.leave(Difference.objects.get(kind=Kind.WEBHOOKS), by=owner)
    cures.cure(Difference.objects.get(kind=Kind.OVERRIDDEN), by=owner)
    row = simulator.owned()[0]
    assert (row["trunk_sid"], row["voice_url"]) == ("", MEANT["voice_url"])


def test_capabilities_are_taken_from_the_provider(number, simulator):
    able = {"voice": True, "sms": False, "mms": False, "fax": False}
    at_provider(simulator, number, capabilities=able)
    sync.reconcile()
    number.refresh_from_db()
    assert number.capabilities == ["voice"]


def test_a_number_that_vanished_is_inactive_and_its_people_are_told(number, simulator):
    simulator.app.state.release(simulator.account, number.provider_sid)
    sync.reconcile()
    number.refresh_from_db()
    assert (number.status, number.inactive_because) == ("inactive", Number.Because.VANISHED)
    notices.deliver_due()
    assert "not at the carrier any more" in mail.outbox[0].subject


def test_the_operators_are_told_and_see_it_on_the_platform_page(number, simulator, settings):
    settings.OPERATOR_EMAILS = ["ops@example.test"]
    simulator.app.state.release(simulator.account, number.provider_sid)
    sync.reconcile()
    sync.reconcile()
    difference = Difference.objects.get()
    [told] = [mail_ for mail_ in mail.outbox if mail_.to == ["ops@example.test"]]
    address = f"https://desk.test/admin/numbers/difference/{difference.pk}/decide/"
    assert f"{number.e164} of Acme: {address}" in told.body
    assert watch.vanished_lately() == [difference]


def test_operators_who_cannot_be_reached_stop_no_walk(number, simulator, settings):
    settings.OPERATOR_EMAILS = ["ops@example.test"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    simulator.app.state.release(simulator.account, number.provider_sid)
    assert sync.reconcile().complete


def test_a_number_that_vanishes_again_is_told_again(number, owner, simulator):
    for _ in range(2):
        Number.objects.update(vanished_at=None)
        Difference.objects.filter(ended_at=None).delete()
        simulator.app.state.release(simulator.account, number.provider_sid)
        sync.reconcile()
    assert Notice.objects.filter(key__startswith="number-vanished:").count() == 2


def test_a_number_that_comes_back_is_as_it_was(number, simulator):
    Number.objects.update(vanished_at=timezone.now())
    sync.reconcile()
    number.refresh_from_db()
    assert number.status == "active"
    assert Difference.objects.get().cure == "woken"


def test_a_number_bought_during_the_walk_is_not_called_missing(number, simulator):
    simulator.app.state.release(simulator.account, number.provider_sid)
    Number.objects.update(created_at=timezone.now())
    assert sync.reconcile().found == 0


def test_a_number_that_the_list_left_out_is_asked_for_before_it_is_believed_lost(number, simulator):
    simulator.fault("list_empty", method="GET", path_contains="IncomingPhoneNumbers.json")
    assert sync.reconcile().found == 0
    number.refresh_from_db()
    assert number.status == "active"


def test_a_number_of_an_unsettled_order_is_adopted(acme, owner, quote, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    assert order.lines.get().state == "checking"
    sync.reconcile()
    assert order.lines.get().state == "done"
    difference = Difference.objects.get()
    assert (difference.cure, difference.number) == ("adopted", order.lines.get().number)
    assert AuditEvent.objects.for_workspace(acme).filter(action="difference.adopted").exists()


@pytest.fixture
def unanswered(acme, owner, quote, simulator):
    """The carrier sold it, and its answer got lost."""
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    return purchase_number(workspace=acme, by=owner, quote=quote).lines.get()


def test_a_number_that_is_just_being_bought_is_no_difference(unanswered, owner, simulator):
    due = timezone.now() + timedelta(seconds=30)
    OrderLine.objects.update(due_at=due)
    run = sync.reconcile()
    assert (run.complete, run.found, Difference.objects.count()) == (True, 0, 0)
    unanswered.refresh_from_db()
    assert (unanswered.state, unanswered.due_at) == ("checking", due)


def test_an_order_that_somebody_settles_just_now_is_left_to_them(unanswered, owner, simulator):
    simulator.fault("server_error", path_contains="IncomingPhoneNumbers.json", skip=1)
    assert sync.reconcile().cured == 0, "the carrier does not say what it bought"
    difference = Difference.objects.open().get()
    OrderLine.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    with pytest.raises(cures.OrderUnderWay):
        cures.cure(difference, by=owner)
    OrderLine.objects.update(due_at=timezone.now())
    cures.cure(difference, by=owner)
    assert OrderLine.objects.get().state == "done"


def test_an_adopted_number_is_compared_in_the_same_run(unanswered, simulator):
    sid = simulator.owned()[0]["sid"]
    simulator.app.state.update(
        simulator.account, sid, {"voice_url": "", "trunk_sid": "TK" + "1" * 32}
    )
    run = sync.reconcile()
    assert (run.found, run.cured) == (3, 2)
    assert open_kinds() == [Kind.OVERRIDDEN]
    assert as_wanted(Number.objects.get())


def test_an_adopted_number_of_which_nothing_can_be_learned_is_compared_next_time(
    unanswered, simulator
):
    sid = simulator.owned()[0]["sid"]
    simulator.app.state.update(simulator.account, sid, {"voice_url": ""})
    simulator.fault("server_error", path_contains=sid)
    run = sync.reconcile()
    assert (run.complete, run.cured, open_kinds()) == (True, 1, [])
    assert sync.reconcile().cured == 1
    assert as_wanted(Number.objects.get())


def test_a_number_that_comes_back_into_a_service_is_asked_about(number, simulator):
    Number.objects.update(vanished_at=timezone.now())
    simulator.service(number.provider_sid)
    sync.reconcile()
    assert open_kinds() == [Kind.SERVICE]


def test_a_number_given_back_here_and_still_billed_there_is_given_back_again(number, simulator):
    Number.objects.update(released_at=timezone.now())
    sync.reconcile()
    assert simulator.owned() == []
    assert Difference.objects.get().cure == "given_back"


def test_nobodys_number_is_shown_and_never_touched(simulator, db):
    simulator.seed("+12125550123")
    run = sync.reconcile()
    assert (run.found, run.cured) == (1, 0)
    difference = Difference.objects.open().get()
    assert (difference.kind, difference.workspace) == (Kind.NOBODYS, None)
    assert len(simulator.owned()) == 1


def test_nothing_is_cured_after_a_list_that_broke_off(number, acme, simulator, monkeypatch):
    monkeypatch.setattr(sync, "BATCH", 1)
    simulator.seed("+12125550123")
    at_provider(simulator, number, voice_url="")
    simulator.fault("server_error", method="GET", path_contains="IncomingPhoneNumbers", skip=1)
    run = sync.reconcile()
    assert Difference.objects.open().exists(), "what the first page showed is noted"
    assert (run.complete, run.cured) == (False, 0)
    assert "20500" in run.error
    number.refresh_from_db()
    assert number.status == "active"


def test_a_difference_that_is_gone_ends_by_itself(number, simulator):
    at_provider(simulator, number, voice_url="https://elsewhere.example.com/voice")
    sync.reconcile()
    provider.configure(sid=number.provider_sid, webhooks=webhooks_for_numbers(number.capabilities))
    sync.reconcile()
    assert Difference.objects.get().cure == "by_itself"


def test_seen_twice_it_is_one_row_with_its_first_and_last_time(number, simulator):
    at_provider(simulator, number, voice_url="https://elsewhere.example.com/voice")
    sync.reconcile()
    first = Difference.objects.get()
    sync.reconcile()
    again = Difference.objects.get()
    assert again.first_seen_at == first.first_seen_at
    assert again.last_seen_at > first.last_seen_at


def test_a_dry_run_writes_and_cures_nothing(number, simulator):
    at_provider(simulator, number, voice_url="")
    run = sync.reconcile(dry_run=True)
    assert (run.found, run.cured) == (1, 0)
    assert not Difference.objects.exists()
    assert [row["does"] for row in run.planned] == ["Our webhooks are set again"]
    assert simulator.owned()[0]["voice_url"] == ""


def test_a_dry_run_says_of_each_difference_what_would_be_done(number, owner, simulator):
    at_provider(
        simulator, number, voice_url="https://elsewhere.example.com/voice", friendly_name="Theirs",
        trunk_sid="TK" + "1" * 32, status="pending",
    )  # fmt: skip
    simulator.service(number.provider_sid)
    simulator.seed("+12125550199")
    sync.check_number(number)
    cures.leave(Difference.objects.get(kind=Kind.OVERRIDDEN), by=owner)
    run = sync.reconcile(dry_run=True)
    assert {(row["e164"], row["kind"]): row["does"] for row in run.planned} == {
        (number.e164, Kind.WEBHOOKS.label): f"{plan.ASKED}. Then: our webhooks are set again",
        (number.e164, Kind.OVERRIDDEN.label): plan.LEFT,
        (number.e164, Kind.NAME.label): "Our name is written again",
        (number.e164, Kind.NOT_IN_USE.label): plan.CARRIER,
        (number.e164, Kind.SERVICE.label):
            f"{plan.ASKED}. Then: it is taken out of the messaging service",
        ("+12125550199", Kind.NOBODYS.label): plan.STAFF,
    }  # fmt: skip
    assert run.found == len(run.planned)


def test_a_dry_run_does_just_what_the_next_run_does(number, simulator):
    at_provider(simulator, number, voice_url="", friendly_name="Theirs", status="pending")
    simulator.seed("+12125550199")
    dry, real = sync.reconcile(dry_run=True), sync.reconcile()
    nothing = [row for row in dry.planned if row["does"].startswith("Nothing")]
    assert (dry.found, dry.found - len(nothing)) == (real.found, real.cured) == (4, 2)


def test_a_dry_run_keeps_so_many_and_counts_all(simulator, monkeypatch, db):
    monkeypatch.setattr(sync, "MOST_PLANNED", 3)
    simulator.seed_many(f"+121255501{line:02d}" for line in range(5))
    run = sync.reconcile(dry_run=True)
    assert (run.found, len(run.planned)) == (5, 3)


def test_every_difference_that_has_a_cure_says_what_it_does():
    assert set(plan.DOES) == set(cures.CURES)
    assert set(plan.DOES) | set(plan.ALONE) == set(Kind)


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_are_one(number, simulator):
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [sync.ONE_RUN_AT_A_TIME])
        with pytest.raises(sync.AlreadyRunning):
            sync.reconcile()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [sync.ONE_RUN_AT_A_TIME])
    other.close()
    assert sync.reconcile().complete


def test_one_number_can_be_checked_on_demand(number, simulator):
    at_provider(simulator, number, voice_url="")
    [difference] = sync.check_number(number)
    assert difference.kind == Kind.WEBHOOKS
    provider.configure(sid=number.provider_sid, webhooks=webhooks_for_numbers(number.capabilities))
    assert sync.check_number(number) == []


def test_a_cure_of_something_that_is_over_says_so(number, owner, simulator):
    at_provider(simulator, number, voice_url="https://elsewhere.example.com/voice")
    sync.reconcile()
    difference = Difference.objects.get()
    cures.cure(difference, by=owner)
    difference.refresh_from_db()
    with pytest.raises(cures.NothingToCure):
        cures.cure(difference, by=owner)


def test_the_number_of_queries_does_not_grow_with_the_numbers(
    simulator, django_assert_max_num_queries, db
):
    for line in range(40):
        simulator.seed(f"+1212556{line:04d}")
    sync.reconcile()
    with django_assert_max_num_queries(19):
        sync.reconcile()


def test_runs_are_kept_for_staff(number, simulator, owner):
    sync.reconcile(by=owner)
    run = SyncRun.objects.get()
    assert run.by == owner
    assert run.ended_at >= run.started_at
    assert NumberOrder.objects.count() == 1


def stays_undone() -> bool:
    """The next walk sees it, and neither cures it nor calls it trouble."""
    run = sync.reconcile()
    left = Difference.objects.open().filter(left_at__isnull=False, last_run=run)
    return (run.found, run.cured, left.count(), Difference.objects.count()) == (1, 0, 1, 1)


THEIRS = [
    {"voice_url": "https://elsewhere.example.com/voice"},
    {"trunk_sid": "TK" + "1" * 32},
    {"friendly_name": "Somebody's"},
]


def test_a_number_taken_out_of_a_service_can_be_put_back(number, owner, simulator):
    service = simulator.service(number.provider_sid)
    [difference] = sync.check_number(number)
    cures.cure(difference, by=owner)
    difference.refresh_from_db()
    cures.undo(difference, by=owner)
    assert simulator.app.state.service_of(number.provider_sid) == service
    assert stays_undone()


@pytest.mark.parametrize("theirs", THEIRS)
def test_a_repair_can_be_undone(number, owner, simulator, theirs):
    at_provider(simulator, number, **theirs)
    sync.reconcile()
    difference = Difference.objects.get()
    if difference.ended_at is None:
        cures.cure(difference, by=owner)
        difference.refresh_from_db()
    [(field, value)] = theirs.items()
    assert simulator.owned()[0][field] != value
    cures.undo(difference, by=owner)
    assert simulator.owned()[0][field] == value
    assert stays_undone()
    assert simulator.owned()[0][field] == value


def test_taken_capabilities_can_be_put_back(number, owner, simulator):
    before = number.capabilities
    able = {"voice": True, "sms": False, "mms": False, "fax": False}
    at_provider(simulator, number, capabilities=able)
    sync.reconcile()
    able = Difference.objects.get(kind=Kind.CAPABILITIES)
    Difference.objects.exclude(pk=able.pk).delete()
    cures.undo(able, by=owner)
    assert stays_undone()
    number.refresh_from_db()
    assert number.capabilities == before


REGULATION = [
    (Kind.EMERGENCY, "emergency_address_status", "registered"),
    (Kind.BUNDLE, "bundle_sid", "BU" + "1" * 32),
]


@pytest.mark.parametrize(("kind", "field", "value"), REGULATION)
def test_an_emergency_address_or_documents_that_change_are_noted(
    number, owner, simulator, kind, field, value
):
    at_provider(simulator, number, **{field: value})
    assert sync.reconcile().cured == 1
    difference = Difference.objects.get()
    assert (difference.kind, difference.cure, difference.theirs) == (
        kind, "taken_over", {field: value},
    )  # fmt: skip
    number.refresh_from_db()
    assert getattr(number, field) == value
    assert sync.reconcile().found == 0
    cures.undo(difference, by=owner)
    assert stays_undone()
    number.refresh_from_db()
    assert getattr(number, field) == ""


def test_no_emergency_address_is_none_however_the_carrier_says_it(number, simulator):
    for status in ("unregistered", None):
        at_provider(simulator, number, emergency_address_status=status)
        assert sync.reconcile().found == 0


def test_a_vanished_number_can_be_called_back(number, owner, simulator):
    simulator.app.state.release(simulator.account, number.provider_sid)
    sync.reconcile()
    cures.undo(Difference.objects.get(), by=owner)
    assert stays_undone()
    number.refresh_from_db()
    assert number.status == "active"


def repaired(number, simulator, name: str = "Somebody's") -> Difference:
    at_provider(simulator, number, friendly_name=name)
    sync.reconcile()
    return Difference.objects.latest("pk")


def test_what_was_undone_is_set_right_when_it_changes_once_more(number, owner, simulator):
    difference = repaired(number, simulator)
    cures.undo(difference, by=owner)
    repaired(number, simulator, "Another's")
    difference.refresh_from_db()
    assert (difference.cure, simulator.owned()[0]["friendly_name"]) == (
        "repaired", number.friendly_name,
    )  # fmt: skip


def test_undone_twice_is_undone_once(number, owner, simulator):
    difference = repaired(number, simulator)
    cures.undo(difference, by=owner)
    with pytest.raises(cures.NothingToCure):
        cures.undo(difference, by=owner)
    assert AuditEvent.objects.filter(action="difference.undone").count() == 1


def test_an_undo_that_the_carrier_does_not_answer_can_be_tried_again(number, owner, simulator):
    difference = repaired(number, simulator)
    simulator.fault("server_error", method="POST")
    with pytest.raises(ProviderError):
        cures.undo(difference, by=owner)
    difference.refresh_from_db()
    assert difference.cure == "repaired"
    cures.undo(difference, by=owner)
    assert simulator.owned()[0]["friendly_name"] == "Somebody's"


def test_where_it_differs_again_the_newer_one_is_decided_about(number, owner, simulator):
    difference = repaired(number, simulator)
    at_provider(simulator, number, friendly_name="Another's")
    sync.check_number(number)
    with pytest.raises(cures.SeenAgain):
        cures.undo(difference, by=owner)
    assert simulator.owned()[0]["friendly_name"] == "Another's"


def test_what_was_given_back_cannot_be_undone(number, owner, simulator):
    Number.objects.update(released_at=timezone.now())
    sync.reconcile()
    with pytest.raises(cures.NothingToCure):
        cures.undo(Difference.objects.get(), by=owner)
