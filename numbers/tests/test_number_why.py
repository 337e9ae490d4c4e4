"""Why isn't it working? Every bullet of the troubleshooting lists, with what was found."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from conftest import make_member, signed_in
from interactions.models import ArrivedForNobody, Conversation, RefusedWebhook
from numbers import sync
from numbers.account import look_at_account
from numbers.list_models import Tag, Tagging
from numbers.models import DiagnosisReport, Number, OrderLine
from numbers.sync_models import Difference
from telephony.simulator.postman import NoConnection, Reply
from workspaces.models import Membership, User
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://elsewhere.example.com/voice"


def lines(client, number) -> dict[str, tuple[str, str, str]]:
    """By cause: verdict, evidence with what to do, where the button leads."""
    page = client.get(f"/w/acme/numbers/{number.public_id}/why/")
    assert page.status_code == 200
    return {
        line.cause: (line.verdict, f"{line.evidence} {line.todo}", line.fix.url if line.fix else "")
        for _, group in page.context["groups"]
        for line in group
    }


def there(simulator, number, **fields) -> None:
    simulator.app.state.update(simulator.account, number.provider_sid, fields)


GROUPS = {
    "Calls or messages do not reach the app": {
        "webhook_here", "webhook_there", "messaging_service", "workspace", "answered", "status",
        "at_carrier", "balance", "permission", "last_signed", "carrier_alerts", "last_forged",
        "turned_away", "test",
    },
    "It does not appear in the list": {
        "list_workspace", "listed", "refresh", "order", "search", "support",
    },
    "It cannot be chosen for a campaign or an assistant": {
        "choose_workspace", "capabilities", "choose_status", "purchased",
    },
    "Costs or charges that nobody expected": {
        "monthly_fee", "per_minute", "per_message", "international", "audit",
    },
}  # fmt: skip


def test_every_bullet_of_every_list_has_its_line(as_owner, connected):
    page = as_owner.get(f"/w/acme/numbers/{connected.public_id}/why/")
    found = {name: {line.cause for line in group} for name, group in page.context["groups"]}
    assert found == GROUPS


def test_what_is_in_order_says_so(as_owner, connected):
    found = lines(as_owner, connected)
    for cause in (
        "webhook_here", "webhook_there", "messaging_service", "status", "at_carrier", "balance",
        "permission", "carrier_alerts", "last_forged", "turned_away", "capabilities", "purchased",
    ):  # fmt: skip
        assert found[cause][0] == "ok", (cause, found[cause])


def test_looking_changes_nothing(as_owner, connected, simulator):
    there(simulator, connected, voice_url=ELSEWHERE)
    lines(as_owner, connected)
    assert simulator.owned()[0]["voice_url"] == ELSEWHERE
    assert not DiagnosisReport.objects.exists()


# --- Calls or messages do not reach the app -------------------------------------------------


def test_a_webhook_that_was_never_set(as_owner, connected):
    Number.objects.update(webhooks_set_at=None)
    verdict, words, fix = lines(as_owner, connected)["webhook_here"]
    assert (verdict, fix) == ("problem", f"/w/acme/numbers/{connected.public_id}/check/")
    assert "repaired by itself" in words


def test_a_webhook_that_leads_elsewhere(as_owner, connected, simulator):
    there(simulator, connected, voice_url=ELSEWHERE)
    verdict, words, fix = lines(as_owner, connected)["webhook_there"]
    assert (verdict, ELSEWHERE in words) == ("problem", True)
    as_owner.post(fix)
    assert (
        "Send them here again"
        in as_owner.get(f"/w/acme/numbers/{connected.public_id}/checks/").content.decode()
    )


def test_a_webhook_that_is_asked_in_a_way_nobody_answers(as_owner, connected, simulator):
    there(simulator, connected, sms_method="GET")
    verdict, words, fix = lines(as_owner, connected)["webhook_there"]
    assert (verdict, "by GET" in words) == ("problem", True)
    as_owner.post(fix)
    assert lines(as_owner, connected)["webhook_there"][0] == "ok"


def test_something_that_stands_above_the_webhook(as_owner, connected, simulator):
    there(simulator, connected, trunk_sid="TK" + "1" * 32)
    verdict, words, _ = lines(as_owner, connected)["webhook_there"]
    assert (verdict, "trunk" in words) == ("problem", True)


def test_a_messaging_service_that_takes_the_messages(as_owner, connected, simulator):
    simulator.service(connected.provider_sid, inbound_request_url=ELSEWHERE)
    verdict, words, fix = lines(as_owner, connected)["messaging_service"]
    assert (verdict, "service Marketing" in words, ELSEWHERE in words) == ("problem", True, True)
    page = as_owner.post(fix, follow=True).content.decode()
    assert "Take it out of the service" in page
    assert "Leave it: it is meant" in page


@pytest.mark.parametrize(
    ("fault", "asked"), [({"path_contains": "Services"}, True), ({"times": -1}, False)]
)
def test_services_that_cannot_be_read_are_not_taken_for_none(
    as_owner, connected, simulator, fault, asked
):
    simulator.service(connected.provider_sid)
    simulator.fault("server_error", **fault)
    assert lines(as_owner, connected)["messaging_service"][0] == "unknown"
    assert any("Services" in request["path"] for request in simulator.requests) == asked


def test_the_button_sets_right_what_nobody_meant(as_owner, connected, simulator):
    there(simulator, connected, voice_url="")
    as_owner.post(lines(as_owner, connected)["webhook_there"][2])
    assert lines(as_owner, connected)["webhook_there"][0] == "ok"


def test_nobody_is_chosen_to_answer(as_owner, connected):
    verdict, words, fix = lines(as_owner, connected)["answered"]
    assert verdict == "problem"
    assert "callers reach voicemail" in words
    assert fix == f"/w/acme/numbers/{connected.public_id}/route/"
    as_owner.post(f"{fix}calls/", {"answer": "voicemail"})
    assert lines(as_owner, connected)["answered"][0] == "ok"


@pytest.mark.parametrize(
    ("fact", "said", "button"),
    [
        ("deactivated_at", "somebody switched it off", "/activate/"),
        ("suspended_at", "monthly fee is overdue", "/w/acme/wallet/add/"),
        ("parked_at", "it is released", "/release/undo/"),
        ("vanished_at", "does not have it any more", "mailto:"),
        ("released_at", "given back", "/w/acme/numbers/buy/"),
    ],
)
def test_a_number_that_is_not_active(as_owner, connected, fact, said, button):
    Number.objects.update(**{fact: timezone.now()})
    verdict, words, fix = lines(as_owner, connected)["status"]
    assert (verdict, said in words, button in fix) == ("problem", True, True)
    assert lines(as_owner, connected)["choose_status"][0] == "problem"


def test_a_number_that_the_carrier_does_not_have(as_owner, connected, simulator):
    simulator.app.state.release(simulator.account, connected.provider_sid)
    assert lines(as_owner, connected)["at_carrier"][0] == "problem"


def test_a_number_that_is_not_in_use_there(as_owner, connected, simulator):
    there(simulator, connected, status="pending")
    verdict, words, _ = lines(as_owner, connected)["at_carrier"]
    assert (verdict, "pending" in words) == ("problem", True)


def test_an_account_that_is_suspended(as_owner, connected, simulator):
    simulator.fault("suspended", times=-1)
    verdict, words, _ = lines(as_owner, connected)["at_carrier"]
    assert (verdict, "suspended the account" in words) == ("problem", True)


def test_a_suspended_account_of_which_the_number_says_nothing(as_owner, connected, simulator):
    simulator.app.account_status = "suspended"
    look_at_account()
    verdict, words, _ = lines(as_owner, connected)["at_carrier"]
    assert (verdict, "suspended the account" in words) == ("problem", True)
    simulator.app.account_status = "active"
    look_at_account()
    assert lines(as_owner, connected)["at_carrier"][0] == "ok"


@pytest.mark.parametrize("fault", ["unavailable", "rate_limited", "not_json", "answer_lost"])
def test_a_carrier_that_does_not_answer_is_a_line(as_owner, connected, simulator, fault):
    simulator.fault(fault, times=-1)
    found = lines(as_owner, connected)
    assert found["at_carrier"][0] == found["webhook_there"][0] == "unknown"
    assert found["status"][0] == "ok"


def test_a_carrier_that_refuses_is_not_called_silent(as_owner, connected, simulator):
    simulator.fault("porting_out", times=-1)  # any no that has nothing to do with looking
    verdict, words, fix = lines(as_owner, connected)["at_carrier"]
    assert (verdict, "refuses" in words, "code 22350" in words) == ("problem", True, True)
    assert fix.startswith("mailto:")


def test_no_money_for_what_comes_in(as_outsider, globex, make_number):
    from wallet.models import Wallet

    number = make_number(globex)
    Wallet.objects.filter(workspace=globex).update(held=2)
    page = as_outsider.get(f"/w/globex/numbers/{number.public_id}/why/")
    found = {line.cause: line for _, group in page.context["groups"] for line in group}
    assert found["balance"].is_problem
    assert "turned away politely" in found["balance"].evidence
    assert found["balance"].fix.url.startswith("/w/globex/wallet/add/")


def test_permissions_that_are_missing(connected, acme, owner):
    viewer = signed_in(make_member(acme, Role.VIEWER, "looks@acme.test"))
    verdict, words, _ = lines(viewer, connected)["permission"]
    assert verdict == "problem"
    assert "routes_edit" in words
    assert "Olivia can grant it" in words


def test_nothing_has_arrived_yet(as_owner, connected):
    verdict, words, _ = lines(as_owner, connected)["last_signed"]
    assert (verdict, "test call" in words) == ("unknown", True)


def note_forged(number, at) -> None:
    RefusedWebhook.objects.create(
        hour=at.replace(minute=0, second=0, microsecond=0), path="/webhooks/twilio/voice/",
        because="forged", count=1, last_at=at, last_called=number.e164,
    )  # fmt: skip


def test_a_wrong_signature_is_a_problem(as_owner, connected):
    note_forged(connected, timezone.now())
    verdict, words, _ = lines(as_owner, connected)["last_forged"]
    assert verdict == "problem"
    assert "TWILIO_AUTH_TOKEN" in words


def test_a_wrong_signature_before_a_right_one_is_over(as_owner, connected, arrive):
    note_forged(connected, timezone.now() - timedelta(hours=1))
    arrive(connected)
    found = lines(as_owner, connected)
    assert (found["last_forged"][0], found["last_signed"][0]) == ("ok", "ok")


@pytest.fixture
def arrive():
    from interactions.models import Call, Direction

    def arrive(number):
        now = timezone.now()
        of = {"workspace": number.workspace, "number": number}
        conversation = Conversation.objects.create(**of, contact="+14155550123", last_at=now)
        Call.objects.create(
            **of, conversation=conversation, direction=Direction.IN, at=now, ended_at=now,
            settled_at=now, sid="CA" + "1" * 32, status="completed", outcome=Call.Outcome.MISSED,
        )  # fmt: skip

    return arrive


@pytest.fixture
def undelivered(simulator):
    """A message comes, and this site has no good answer; afterwards it is well again."""

    def undelivered(e164, transport=lambda *request: Reply(500, "text/plain", b"Oh no")):
        well = simulator.app.postman.transport
        simulator.app.postman.transport = transport
        simulator.text(sender="+14155550123", recipient=e164, body="Hello")
        simulator.run()
        simulator.app.postman.transport = well

    return undelivered


def nobody_listens(*request):
    raise NoConnection


def test_the_alerts_of_the_carrier_are_told(as_owner, connected, undelivered):
    undelivered(connected.e164)
    verdict, words, fix = lines(as_owner, connected)["carrier_alerts"]
    assert (verdict, fix[:7]) == ("problem", "mailto:")
    assert "this site answered with an error" in words
    assert "https://desk.test/webhooks/twilio/message/" in words
    assert "11200" in words
    undelivered(connected.e164, nobody_listens)
    words = lines(as_owner, connected)["carrier_alerts"][1]
    assert "could not be reached" in words
    assert "reachable from the internet" in words


def test_an_alert_before_what_has_arrived_is_over(as_owner, connected, undelivered, arrive):
    undelivered(connected.e164)
    arrive(connected)
    verdict, words, _ = lines(as_owner, connected)["carrier_alerts"]
    assert verdict == "ok"
    assert "Others have arrived since." in words


def test_the_alerts_of_another_number_are_not_told(as_owner, connected, simulator, undelivered):
    simulator.seed("+12125550199", sms_url="https://desk.test/webhooks/twilio/message/",
                   capabilities={"voice": True, "sms": True})  # fmt: skip
    undelivered("+12125550199")
    assert len(simulator.app.postman.alerts) == 1
    assert lines(as_owner, connected)["carrier_alerts"][0] == "ok"


@pytest.mark.parametrize("part", ["Alerts", "IncomingPhoneNumbers"])
def test_alerts_that_cannot_be_had_are_not_taken_for_none(as_owner, connected, simulator, part):
    simulator.fault("server_error", path_contains=part)
    assert lines(as_owner, connected)["carrier_alerts"][0] == "unknown"
    asked = any("Alerts" in request["path"] for request in simulator.app.log)
    assert asked == (part == "Alerts")


def test_what_was_turned_away_says_why(as_owner, connected):
    Number.objects.update(deactivated_at=timezone.now())
    ArrivedForNobody.objects.create(
        sid="CA" + "2" * 32, medium="voice", called=connected.e164, number=connected,
        because="deactivated", at=timezone.now(),
    )  # fmt: skip
    verdict, words, _ = lines(as_owner, connected)["turned_away"]
    assert (verdict, "switched off" in words) == ("problem", True)
    Number.objects.update(deactivated_at=None)
    assert lines(as_owner, connected)["turned_away"][0] == "ok"


def test_the_number_can_be_tested_from_here(as_owner, connected):
    assert lines(as_owner, connected)["test"][2].endswith(f"{connected.public_id}/test/")


# --- The other lists ------------------------------------------------------------------------


def test_a_number_given_back_is_shown_where_it_is(as_owner, connected):
    Number.objects.update(released_at=timezone.now())
    verdict, _, fix = lines(as_owner, connected)["listed"]
    assert verdict == "problem"
    assert connected.e164 in as_owner.get(fix).content.decode()


def test_a_capability_that_is_missing(as_owner, connected):
    Number.objects.update(capabilities=["voice"])
    verdict, words, fix = lines(as_owner, connected)["capabilities"]
    assert verdict == "problem"
    assert "cannot be chosen for SMS" in words
    assert "capabilities=sms" in fix


def test_a_number_that_nobody_uses(as_owner, connected):
    verdict, _, fix = lines(as_owner, connected)["audit"]
    assert (verdict, fix) == ("problem", "/w/acme/numbers/costs/unused/")
    Number.objects.update(last_used_at=timezone.now())
    assert lines(as_owner, connected)["audit"][0] == "ok"


def test_who_may_not_see_the_wallet_learns_no_amount(connected, acme, owner):
    viewer = signed_in(make_member(acme, Role.VIEWER, "looks@acme.test"))
    assert "$" not in str(lines(viewer, connected))


# --- The reference, and who may open it -----------------------------------------------------


def test_a_failed_line_carries_a_reference_that_staff_can_open(as_owner, connected, acme):
    Number.objects.update(deactivated_at=timezone.now())
    page = as_owner.post(f"/w/acme/numbers/{connected.public_id}/why/report/", follow=True)
    report = DiagnosisReport.objects.get()
    assert (report.workspace, report.number) == (acme, connected)
    [reference] = [ref for ref, line in report.lines if line.cause == "status"]
    assert reference in page.content.decode()
    staff = signed_in(User.objects.create_superuser("staff@example.test", "numbers-demo"))
    found = staff.get("/admin/numbers/diagnosisreport/", {"q": reference}).content.decode()
    assert report.reference in found
    told = staff.get(f"/admin/numbers/diagnosisreport/{report.pk}/change/").content.decode()
    assert "somebody switched it off" in told
    assert reference in told


def test_a_report_cannot_be_about_another_workspaces_number(connected, globex, owner):
    with pytest.raises(IntegrityError), transaction.atomic():
        DiagnosisReport.objects.create(
            workspace=globex, number=connected, by=owner, at=timezone.now(), found=[]
        )


def test_its_page_and_the_menu_lead_here(as_owner, connected):
    page = as_owner.get(connected.get_absolute_url()).content.decode()
    assert f"/w/acme/numbers/{connected.public_id}/why/" in page
    assert "/w/acme/numbers/help/" in page


def test_it_asks_the_carrier_three_times_and_the_database_not_too_often(
    as_owner, connected, simulator, django_assert_max_num_queries
):
    lines(as_owner, connected)
    before = len(simulator.app.log)
    with django_assert_max_num_queries(24):
        lines(as_owner, connected)
    assert [request["path"].split("/")[-2] for request in simulator.app.log[before:]] == [
        "IncomingPhoneNumbers", "v1", "v1",
    ]  # fmt: skip


# --- Help without a number ------------------------------------------------------------------

HELP = "/w/acme/numbers/help/"


def helped(client, **query) -> dict[str, tuple[str, str, str]]:
    page = client.get(HELP, query)
    assert page.status_code == 200
    return {
        line.cause: (line.verdict, line.evidence, line.fix.url if line.fix else "")
        for _, group in page.context["groups"]
        for line in group
    }


FORMS = [
    "+12125550123", "+1 (212) 555-0123", "(212) 555.0123", "2125550123", "001 212 555 0123",
    "tel:+1-212-555-0123", "0123", "…0123", "212\u2011555\u20110123",
    "２１２ ５５５ ０１２３", "Front", "front desk",
]  # fmt: skip


def which(client, **query) -> list[str]:
    return [row.number.e164 for row in client.get(HELP, query).context["which"].rows]


@pytest.mark.parametrize("written", FORMS)
def test_a_number_that_is_here_leads_to_its_checks(as_owner, acme, connected, make_number, written):
    make_number(acme, "+13105550199")
    assert which(as_owner, number=written) == [connected.e164]
    page = as_owner.get(HELP, {"number": written}).content.decode()
    assert f"/w/acme/numbers/{connected.public_id}/why/" in page
    assert "Numbers purchased" not in page, "the lists are for a number that is not here"


def test_a_number_is_found_by_its_tag_too(as_owner, acme, connected, make_number):
    make_number(acme, "+13105550199")
    tag = Tag.objects.create(workspace=acme, name="VIP")
    Tagging.objects.create(
        workspace=acme, tag=tag, number=connected, bought_at=connected.created_at
    )
    assert which(as_owner, number="vip") == [connected.e164]


def test_without_a_number_those_with_a_problem_come_first(as_owner, acme, make_number):
    make_number(acme, "+12125550101")
    now = timezone.now()
    make_number(acme, "+12125550102", webhooks_set_at=None)
    make_number(acme, "+12125550103", vanished_at=now)
    make_number(acme, "+12125550104", released_at=now)
    make_number(acme, "+12125550105", deactivated_at=now)
    found = ["+12125550103", "+12125550102", "+12125550105", "+12125550101"]
    assert which(as_owner) == found
    page = " ".join(as_owner.get(HELP).content.decode().split())
    assert "Broken</span> Not at the carrier" in page
    assert "Inactive: switched off" in page
    verdict, words, fix = helped(as_owner)["inbound_number"]
    assert (verdict, words) == ("problem", "2 numbers have a problem that is known.")
    shown = as_owner.get(fix).context["rows"]
    assert {row.number.e164 for row in shown} == set(found[:2])


def test_so_many_are_offered_and_the_list_has_the_rest(as_owner, acme, make_number):
    for _ in range(11):
        make_number(acme, vanished_at=timezone.now())
    page = as_owner.get(HELP, {"number": "212555"})
    assert len(page.context["which"].rows) == 10
    assert "/w/acme/numbers/?q=212555" in page.content.decode()
    assert "More than 10 numbers" in helped(as_owner)["inbound_number"][1]


def test_one_given_back_is_offered_after_the_others(as_owner, acme, connected, make_number):
    make_number(acme, "+13105550123", released_at=timezone.now())
    assert which(as_owner, number="5550123") == [connected.e164, "+13105550123"]


def test_a_number_that_is_not_here_says_so_and_what_to_do(as_owner, connected):
    page = as_owner.get(HELP, {"number": "+1 310 555 0199"})
    found = {line.cause: line for _, group in page.context["groups"] for line in group}
    assert "+1 310 555 0199 is no number of Acme" in found["inbound_number"].evidence
    assert found["inbound_number"].fix.url == HELP
    assert "There is no number +1 310 555 0199 in Acme" in found["list_workspace"].evidence
    assert found["list_workspace"].fix.url == "/workspaces/"
    assert helped(as_owner, number="Warehouse")["inbound_number"][0] == "problem"


def test_a_strangers_number_and_nobodys_read_like_one_that_is_not_there(
    as_owner, globex, make_number, simulator
):
    def told(digits: str) -> list:
        page = as_owner.get(HELP, {"number": digits})
        assert page.context["which"].rows == []
        text = page.content.decode().replace(digits, "this one")
        return re.sub(r'(value|nonce|csrfmiddlewaretoken)="[^"]{32,}"', "", text).splitlines()

    simulator.seed("+12125550102")
    sync.reconcile()
    assert Difference.objects.get().kind == Difference.Kind.NOBODYS
    make_number(globex, "+12125550101")
    assert told("2125550101") == told("2125550102") == told("2125550103")


def test_a_number_of_another_workspace_of_theirs_is_told(as_owner, owner, globex, make_number):
    Membership.objects.create(workspace=globex, user=owner, role=Role.VIEWER)
    number = make_number(globex, "+12125550199")
    verdict, words, fix = helped(as_owner, number="5550199")["list_workspace"]
    assert (verdict, "Globex" in words, number.public_id in fix) == ("problem", True, True)


def test_a_strangers_number_is_not_told(as_owner, globex, make_number):
    make_number(globex, "+12125550199")
    assert "Globex" not in str(helped(as_owner, number="5550199"))


def test_an_order_under_way_is_told(as_owner, acme, owner, quote, simulator):
    from numbers.purchase import purchase_number

    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    verdict, words, fix = helped(as_owner)["order"]
    assert (verdict, order.reference in fix) == ("problem", True)
    assert "has still to confirm it" in words


def test_an_order_that_was_refused_is_told(as_owner, acme, owner, quote, simulator):
    from numbers.purchase import purchase_number

    simulator.fault("taken", method="POST")
    purchase_number(workspace=acme, by=owner, quote=quote)
    assert OrderLine.objects.get().state == "refused"
    assert "was not completed" in helped(as_owner)["order"][1]


def test_a_workspace_without_numbers_has_none_to_choose(as_owner, acme, simulator):
    verdict, _, fix = helped(as_owner)["purchased"]
    assert (verdict, fix) == ("problem", "/w/acme/numbers/buy/")


def test_the_help_s_findings_get_a_reference_too(as_owner, acme, simulator):
    page = as_owner.post(f"{HELP}report/", {"number": "5550100"}, follow=True).content.decode()
    report = DiagnosisReport.objects.get()
    assert report.search == "5550100"
    assert f"{report.reference}-1" in page


@pytest.mark.parametrize("bad", ["\x00", "x" * 10_000])
def test_whatever_is_asked_there_is_a_page(as_owner, acme, bad):
    assert as_owner.get(HELP, {"number": bad}).status_code == 422
    assert as_owner.post(f"{HELP}report/", {"number": bad}).status_code == 422


def test_sync_still_finds_nothing_here(connected):
    assert sync.check_number(connected) == []
